// Finished executions reach the Worker and the bucket whatever fails in between, also across a restart, each in order.
import { expect, test } from 'vitest'
import { startHost } from '../../sandbox-host/host.ts'
import { readConfig } from '../../sandbox-host/config.ts'
import { createLog } from '../../sandbox-host/log.ts'
import { eventually } from '../fakes/eventually.ts'
import { createFakeEngine } from '../fakes/fake-engine.ts'
import { idOf } from '../fakes/id-of.ts'
import { testProcesses } from '../fakes/native-engine.ts'
import { startTestHost } from '../fakes/test-host.ts'
import type { TestHost } from '../fakes/test-host.ts'

async function runSome(host: TestHost, count: number): Promise<string[]> {
  const executions = Array.from({ length: count }, () => host.execution('export default 1'))
  for (const execution of executions) expect((await host.post('/v1/executions', execution)).status).toBe(200)
  return executions.map(({ id }) => id)
}
/** What they run makes an artifact: without one nothing belongs into the bucket. */
const kept = () => createFakeEngine({ behaviours: { '': () => ({ artifacts: [{ name: 'a', bytes: Buffer.from('b') }] }) } })
const delivered = (host: TestHost) => host.worker.records.map(({ id }) => id)
const bundles = (host: TestHost) => [...host.bucket.objects.keys()].filter((key) => key.startsWith('bundles/'))

test('outcomes are delivered in order, bundles are stored', async () => {
  await using host = await startTestHost({ engine: kept() })
  const ids = await runSome(host, 20)
  await eventually(() => delivered(host), ids)
  await eventually(() => bundles(host).length > 0, true)
  expect(host.worker.batches).toBeLessThan(15)
})

test('what made no artifacts goes to the Worker alone', async () => {
  await using host = await startTestHost()
  const ids = await runSome(host, 3)
  await host.stop()
  expect([delivered(host), bundles(host)]).toEqual([ids, []])
})

test('an outage of the Worker and of the bucket delays, and loses nothing', async () => {
  await using host = await startTestHost({ engine: kept() })
  host.worker.failing = true
  host.bucket.failing = true
  await host.post('/v1/programs', { program: host.program('export default 1'), accountId: idOf('account') })
  host.bucket.failing = false
  const first = await runSome(host, 3)
  host.bucket.failing = true
  await new Promise((resolve) => setTimeout(resolve, 1_300))
  expect(delivered(host)).toEqual([])
  expect(bundles(host)).toEqual([])
  expect((await host.get(`/v1/executions/${first[0]}`)).status).toBe(200)
  host.worker.failing = false
  host.bucket.failing = false
  await eventually(() => delivered(host), first)
  await eventually(() => bundles(host).length, 1)
})

test('what the Worker took and never acknowledged comes again, the same and in order, and stays on the disk until then', async () => {
  await using host = await startTestHost({ engine: kept() })
  host.worker.losesAnswers = true
  const ids = await runSome(host, 5)
  await eventually(() => host.worker.batches >= 2, true)
  await eventually(() => bundles(host).length > 0, true)
  for (const id of ids) expect((await host.get(`/v1/executions/${id}`)).status).toBe(200)
  host.worker.losesAnswers = false
  const before = host.worker.batches
  await eventually(() => host.worker.batches > before, true, { withinMs: 10_000 })
  // Each try begins with the oldest record that is not acknowledged.
  const seen = delivered(host)
  expect([...new Set(seen)]).toEqual(ids)
  for (const [i, id] of seen.entries())
    if (i > 0 && seen[i - 1] !== ids.at(-1) && id !== ids[0]) expect(ids.indexOf(id)).toBe(ids.indexOf(seen[i - 1] ?? '') + 1)
  const first = host.worker.records.find(({ id }) => id === ids[0])
  for (const record of host.worker.records.filter(({ id }) => id === ids[0])) expect(record).toEqual(first)
})

test('stop hands over what is finished', async () => {
  await using host = await startTestHost({ engine: kept() })
  const ids = await runSome(host, 3)
  await host.stop()
  expect(delivered(host)).toEqual(ids)
  expect(bundles(host)).toHaveLength(1)
})

test('what could not be handed over before a stop is handed over after the next start', async () => {
  await using host = await startTestHost({ engine: kept(), environment: { DRAIN_GRACE_MS: '200' } })
  const ids = await runSome(host, 3)
  host.worker.failing = true
  host.bucket.failing = true
  await host.stop()
  host.worker.failing = false
  host.bucket.failing = false
  const parts = { engine: createFakeEngine(), processes: testProcesses, log: createLog('silent') }
  const again = await startHost({ config: readConfig(host.environment), ...parts })
  await eventually(() => delivered(host).slice(-3), ids)
  await eventually(() => bundles(host).length, 1)
  expect(again.name).toBe(host.name)
  await again.stop()
})

test('a stop waits for what runs and refuses what comes', async () => {
  const { promise, resolve } = Promise.withResolvers<object>()
  const engine = createFakeEngine({ behaviours: { held: () => promise } })
  await using host = await startTestHost({ engine })
  const running = host.post('/v1/executions', host.execution('held'))
  await eventually(() => engine.runs, 1)
  const stopping = host.stop()
  const refused = await host.post('/v1/executions', host.execution('x'))
  expect(refused.problem()).toMatchObject({ status: 503, code: 'draining', retryable: true })
  expect((await fetch(`${host.url}/ready`)).status).toBe(503)
  resolve({})
  expect((await running).status).toBe(200)
  await stopping
  expect(host.worker.records).toHaveLength(1)
})

test('a journal that is full refuses new executions, and is not ready', async () => {
  const engine = createFakeEngine({ behaviours: { large: () => ({ artifacts: [{ name: 'a', bytes: Buffer.alloc(8 * 1024 * 1024) }] }) } })
  await using host = await startTestHost({ engine, environment: { JOURNAL_BYTES_MAX: String(8 * 1024 * 1024) } })
  const program = host.program('large')
  await host.post('/v1/programs', { program, accountId: idOf('account') })
  host.bucket.failing = true
  expect((await host.post('/v1/executions', host.execution('x', { program }))).status).toBe(200)
  const refused = await host.post('/v1/executions', host.execution('x', { program }))
  expect(refused.problem()).toMatchObject({ status: 429, code: 'overloaded' })
  expect(refused.headers.get('retry-after')).toBe('5')
  expect((await fetch(`${host.url}/ready`)).status).toBe(503)
  host.bucket.failing = false
  await eventually(async () => (await fetch(`${host.url}/ready`)).status, 200)
  expect((await host.post('/v1/executions', host.execution('x', { program }))).status).toBe(200)
})
