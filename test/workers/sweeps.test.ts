// The clean-up of storage: what goes, what stays, and what a dry run says about it.
import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { programKey } from '../../shared/agent.ts'
import { isRecorded } from '../../shared/async-execution.ts'
import { artifactKey, bundledArtifactBytesMax } from '../../shared/execution.ts'
import { encodeCursor } from '../../shared/page.ts'
import type { SweepStep } from '../../shared/sweep.ts'
import { marginMs, sweepStep, sweepStorage } from '../../workers/flows/sweep-storage.ts'
import { idOf } from '../fakes/id-of.ts'
import { adminKey, testEdge, type TestEdge } from '../fakes/test-edge.ts'

const dayMs = 86_400_000
/** As the fake sandbox ends every run. */
const endedAt = Date.parse('2026-11-23T12:00:00.000Z')
const bundle = 'bundles/fake-host/000000000001'
const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')

let edge: TestEdge
let key: string
let agentId: string
let executionId: string
let object: string
beforeEach(async () => {
  edge = testEdge()
  key = (await edge.account('ada')).key
  edge.sandbox.programs.set('// writes', () => ({
    output: null,
    artifacts: { small: 'small', large: 'x'.repeat(bundledArtifactBytesMax + 1) },
  }))
  agentId = (await edge.call('POST', '/api/agents', { key, body: { name: 'w', kind: 'script', source: '// writes' } })).body.id
  executionId = (await edge.call('POST', `/api/agents/${agentId}/executions`, { key, body: { input: 1 } })).body.id
  object = artifactKey({ host: 'fake-host', execution: executionId, position: 1 })
  await edge.database.executions.record([...edge.sandbox.records.values()])
  edge.sandbox.records.clear()
  edge.artifacts.put(bundle, edge.sandbox.bundle)
  edge.artifacts.put(object, new Uint8Array(7))
})

async function walk(dryRun = false): Promise<SweepStep[]> {
  const steps: SweepStep[] = []
  let cursor: string | undefined
  do {
    const { status, body } = await edge.call('POST', '/api/admin/sweeps', { key: adminKey, body: { dryRun, cursor } })
    expect(status).toBe(200)
    steps.push(body)
    cursor = body.nextCursor ?? undefined
  } while (cursor !== undefined)
  return steps
}
const deleted = (steps: SweepStep[]) =>
  Object.fromEntries(steps.filter((step) => step.deleted > 0).map(({ phase, deleted: count }) => [phase, count]))
const stored = () => [...edge.artifacts.objects.keys()].toSorted()

test('nothing that is young, and nothing that a row names, goes', async () => {
  expect(deleted(await walk())).toEqual({})
  edge.clock.now = endedAt + edge.services.kept.artifactsMs + marginMs
  expect(deleted(await walk())).toEqual({})
  expect(stored()).toEqual([object, bundle])
  expect(edge.artifacts.programs.size).toBe(1)
})

test('artifacts and bundles go a day after they are kept no longer, executions later; programs of agents stay', async () => {
  edge.clock.now = endedAt + edge.services.kept.artifactsMs + marginMs + 1
  const dry = await walk(true)
  expect(deleted(dry)).toEqual({ artifacts: 1, bundles: 1 })
  expect(dry.find(({ phase }) => phase === 'artifacts')).toMatchObject({ dryRun: true, looked: 1, bytes: 7, examples: [object] })
  expect(stored()).toHaveLength(2)
  expect(deleted(await walk())).toEqual({ artifacts: 1, bundles: 1 })
  expect(stored()).toEqual([])
  expect((await edge.call('GET', `/api/executions/${executionId}`, { key })).status).toBe(200)
  edge.clock.now = endedAt + edge.services.kept.executionsMs
  expect(deleted(await walk())).toEqual({})
  edge.clock.now += 1
  expect(deleted(await walk(true))).toEqual({ executions: 1 })
  expect(deleted(await walk())).toEqual({ executions: 1 })
  expect((await edge.call('GET', `/api/executions/${executionId}`, { key })).status).toBe(404)
  expect(edge.artifacts.programs.size).toBe(1)
})

test('what a row names stays, however old the object is: the clock of a host may be ahead', async () => {
  const record = await edge.database.executions.find(executionId)
  if (!record || !isRecorded(record)) throw new Error('not recorded')
  const late = { ...record, id: idOf('execution'), finishedAt: new Date(endedAt + 2 * marginMs).toISOString() }
  await edge.database.executions.record([late])
  edge.clock.now = endedAt + edge.services.kept.artifactsMs + marginMs + 1
  expect(deleted(await walk())).toEqual({ artifacts: 1 })
  expect(stored()).toEqual([bundle])
})

describe('programs', () => {
  const orphan = '// nobody’s'
  const sha256 = hashOf(orphan)
  const deploy = () => edge.call('POST', '/api/agents', { key, body: { name: 'o', kind: 'script', source: orphan } })

  test('that never became an agent go when they are a day old, and nobody holds them', async () => {
    // A program that cannot be prepared: bytes without a row.
    expect((await deploy()).status).toBe(422)
    edge.clock.now += marginMs
    expect(deleted(await walk())).toEqual({})
    edge.clock.now += 1
    expect(deleted(await walk(true))).toEqual({ programs: 1 })
    expect(edge.artifacts.programs.has(sha256)).toBe(true)
    expect((await walk()).find(({ phase }) => phase === 'programs')?.examples).toEqual([programKey(sha256)])
    expect(edge.artifacts.programs.has(sha256)).toBe(false)
  })

  test('that are deployed again just before the sweep stay', async () => {
    expect((await deploy()).status).toBe(422)
    edge.clock.now += 2 * marginMs
    expect((await deploy()).status).toBe(422)
    expect(deleted(await walk())).toEqual({})
    expect(edge.artifacts.programs.has(sha256)).toBe(true)
  })

  test('that are being deleted cannot be deployed until they are gone, and can be then', async () => {
    await deploy()
    edge.clock.now += 2 * marginMs
    edge.sandbox.programs.set(orphan, (input) => ({ output: input }))
    const { remove } = edge.artifacts
    let meanwhile: Awaited<ReturnType<typeof deploy>> | undefined
    edge.artifacts.remove = async (keys) => {
      meanwhile = await deploy()
      await remove(keys)
    }
    expect(deleted(await walk())).toEqual({ programs: 1 })
    expect([meanwhile?.status, meanwhile?.body.code, meanwhile?.headers.get('retry-after')]).toEqual([503, 'artifacts-unavailable', '5'])
    expect((await deploy()).status).toBe(201)
    expect(edge.artifacts.programs.has(sha256)).toBe(true)
  })
})

test('objects that are none of ours are left alone', async () => {
  for (const foreign of ['bundles/x', 'bundles/host/1', 'artifacts/readme', 'other/file', 'programs/latest'])
    edge.artifacts.put(foreign, Buffer.from('x'))
  edge.clock.now += 1_000 * dayMs
  await walk()
  expect(stored()).toEqual(['artifacts/readme', 'bundles/host/1', 'bundles/x', 'other/file', 'programs/latest'])
})

test('a walk is bounded steps, and skips what is young behind what is young', async () => {
  const keyOf = (host: string, number: number) => `bundles/${host}/${String(number).padStart(12, '0')}`
  for (let number = 1; number <= 1_500; number++) edge.artifacts.put(keyOf('a-host', number), new Uint8Array(1))
  edge.clock.now = endedAt + edge.services.kept.artifactsMs + 2 * marginMs
  for (const host of ['a-host', 'b-host'])
    for (let number = 2_000; number < 4_500; number++) edge.artifacts.put(keyOf(host, number), new Uint8Array(1))
  const steps = (await walk()).filter(({ phase }) => phase === 'bundles')
  // A thousand; five hundred and the first young one; the first young one of the next host; the fake host's old one.
  expect(steps.map(({ looked }) => looked)).toEqual([1_000, 501, 1, 1])
  expect(steps.map(({ deleted: count }) => count)).toEqual([1_000, 500, 0, 1])
  expect(stored()).toHaveLength(5_000 + 1 - 1)
})

test('the cron walks once an hour, from where it stopped', async () => {
  // Rows, programs, artifacts and bundles, the latter two once more behind their one host.
  expect(await sweepStorage(edge.services)).toBe(6)
  expect(await sweepStorage(edge.services)).toBe(0)
  edge.clock.now += 3_600_000
  const { list } = edge.artifacts
  edge.artifacts.list = () => Promise.reject(new Error('away'))
  await expect(sweepStorage(edge.services)).rejects.toThrow('away')
  edge.artifacts.list = list
  expect(await sweepStorage(edge.services)).toBe(0)
  edge.clock.now += 5 * 60_000
  // The rows were done.
  expect(await sweepStorage(edge.services)).toBe(5)
})

test('a cursor of something else is refused', async () => {
  const answer = await edge.call('POST', '/api/admin/sweeps', { key: adminKey, body: { cursor: 'WzFd' } })
  expect([answer.status, answer.body.code]).toEqual([400, 'invalid-cursor'])
  const elsewhere = encodeCursor('sweep', ['accounts', ''])
  await expect(sweepStep(edge.services, { dryRun: true, cursor: elsewhere })).rejects.toMatchObject({ code: 'invalid-cursor' })
  await expect(sweepStep(edge.services, { dryRun: true, cursor: 'x' })).rejects.toMatchObject({ code: 'invalid-cursor' })
})
