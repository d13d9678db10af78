// What a caller sees of admission, over real HTTP: refused at once when full, forgotten when gone.
import { request as httpRequest } from 'node:http'
import { beforeEach, expect, test } from 'vitest'
import { signRequest } from '../../sandbox-host/signature.ts'
import { eventually } from '../fakes/eventually.ts'
import { createFakeEngine } from '../fakes/fake-engine.ts'
import type { FakeEngine } from '../fakes/fake-engine.ts'
import { idOf } from '../fakes/id-of.ts'
import { secret, startTestHost } from '../fakes/test-host.ts'
import type { TestHost } from '../fakes/test-host.ts'

let letGo: () => void
let engine: FakeEngine
beforeEach(() => {
  const { promise, resolve } = Promise.withResolvers<object>()
  letGo = () => resolve({})
  engine = createFakeEngine({ behaviours: { held: () => promise } })
})

/** One thread and two slots: two accounts hold both, and whoever comes waits. */
async function fullHost(environment: Record<string, string> = {}): Promise<TestHost & { held: Promise<unknown> }> {
  const sizes = { THREADS: '1', SLOTS: '2', ACCOUNT_RUNNING_MAX: '1', QUEUE_MAX: '2', ACCOUNT_QUEUE_MAX: '1', ...environment }
  const host = await startTestHost({ engine, environment: sizes })
  for (const source of ['held', 'other']) {
    await host.post('/v1/programs', { program: host.program(source), accountId: idOf('account') })
  }
  const held = Promise.all([1, 2].map(() => host.post('/v1/executions', host.execution('held'))))
  await eventually(() => engine.runs, 2)
  return Object.assign(host, { held })
}

const gauge = async (host: TestHost, pattern: RegExp) => Number(pattern.exec((await host.get('/metrics')).bytes.toString())?.[1])
const queued = (host: TestHost) => gauge(host, /^host_admission_queued\S* (\d+)/m)

test('429: a full queue refuses at once and says when to come back; metrics say why', async () => {
  await using host = await fullHost()
  const accountId = idOf('account')
  const waiting = host.post('/v1/executions', host.execution('other', { accountId }))
  await eventually(() => queued(host), 1)
  const refused = await host.post('/v1/executions', host.execution('other', { accountId }))
  expect(refused.problem()).toMatchObject({
    status: 429,
    code: 'overloaded',
    retryable: true,
    detail: expect.stringContaining('account has 1'),
  })
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
  const another = host.post('/v1/executions', host.execution('other'))
  await eventually(() => queued(host), 2)
  expect((await host.post('/v1/executions', host.execution('other'))).problem().detail).toContain('the host is full')
  letGo()
  for (const answer of [await waiting, await another]) expect(answer.status).toBe(200)
  await host.held
  expect(await gauge(host, /host_admission_refused_total\{[^}]*reason="account-queue-full"[^}]*\} (\d+)/)).toBe(1)
  expect(await gauge(host, /host_admission_refused_total\{[^}]*reason="queue-full"[^}]*\} (\d+)/)).toBe(1)
  expect(await gauge(host, /host_admission_wait_seconds_count\{[^}]*class="execution"[^}]*\} (\d+)/)).toBe(4)
})

test('429: what waits too long was not begun', async () => {
  await using host = await fullHost({ QUEUE_WAIT_MS_MAX: '30' })
  const late = await host.post('/v1/executions', host.execution('other'))
  expect(late.problem()).toMatchObject({ code: 'overloaded', detail: expect.stringContaining('was not begun') })
  letGo()
  await host.held
  expect(engine.runs).toBe(2)
})

test('a caller who hangs up while waiting gives up his run; one of two with the same id does not', async () => {
  await using host = await fullHost({ ACCOUNT_QUEUE_MAX: '2', QUEUE_WAIT_MS_MAX: '9000' })
  const [lonely, shared] = [host.execution('other'), host.execution('other')]
  const hangUp = [lonely, shared].map((execution) => {
    const body = Buffer.from(JSON.stringify(execution))
    const path = '/v1/executions'
    const headers = signRequest({ secret, audience: `host ${host.name}`, method: 'POST', path, body, now: Date.now() })
    const request = httpRequest(host.url + path, { method: 'POST', headers: { ...headers, 'content-length': body.length } })
    request.on('error', () => {})
    request.end(body)
    return () => request.destroy()
  })
  await eventually(() => queued(host), 2)
  const second = host.post('/v1/executions', shared)
  await eventually(() => gauge(host, /^host_requests_under_way\S* (\d+)/m), 5)
  for (const go of hangUp) go()
  await eventually(() => queued(host), 1)
  letGo()
  await host.held
  expect((await second).status).toBe(200)
  expect(engine.runs).toBe(3)
  expect((await host.get(`/v1/executions/${lonely.id}`)).status).toBe(404)
})
