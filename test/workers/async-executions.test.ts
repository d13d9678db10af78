// Executions that nobody waits for, over fakes: what the API says of them, one group a status.
import { beforeEach, describe, expect, test } from 'vitest'
import { limits } from '../../shared/tiers.ts'
import { runExecution } from '../../workers/flows/run-execution.ts'
import { eventually } from '../fakes/eventually.ts'
import { executionOf } from '../fakes/memory-event-log.ts'
import { testEdge, type CallOptions, type TestEdge } from '../fakes/test-edge.ts'

const prefer = { prefer: 'respond-async' }
let edge: TestEdge
let key: string
let agentId: string
beforeEach(async () => {
  edge = testEdge()
  ;({ key } = await edge.account('ada'))
  agentId = await edge.deploy(key, { name: 'twice', output: (input) => Number(input) * 2 })
})

const path = () => `/api/agents/${agentId}/executions`
const post = (body: object = { input: 21 }, headers: Record<string, string> = prefer) => edge.call('POST', path(), { key, body, headers })
const get = (id: string, more = '', options: CallOptions = { key }) => edge.call('GET', `/api/executions/${id}${more}`, options)
const cancel = (id: string, as = key) => edge.call('DELETE', `/api/executions/${id}`, { key: as })
/** Of a tier whose runs are left to whoever takes the message. */
const queued = async (): Promise<string> => (await post({ input: 21, tier: 'premium' })).body.id
const take = async () => {
  const [next] = edge.eventLog.messages.splice(0)
  return next && runExecution(edge.services, executionOf(next.message))
}

describe('202', () => {
  test('is the answer before the run, and names where to ask', async () => {
    const answer = await post({ input: 21, tier: 'premium', seed: 4 })
    const { id } = answer.body
    expect(answer.status).toBe(202)
    expect(answer.headers.get('location')).toBe(`/api/executions/${id}`)
    expect(answer.headers.get('preference-applied')).toBe('respond-async')
    expect(answer.body).toEqual({
      id,
      agentId,
      version: 1,
      tier: 'premium',
      seed: 4,
      startTime: '2000-01-01T00:00:00Z',
      status: 'queued',
      logs: { stdout: '', stderr: '', truncated: false },
      artifacts: [],
      usage: { fuel: null, wallMicros: 0, memoryBytesPeak: 0, costMicroUsd: null },
      engine: null,
      scriptMode: 'interpreted',
      finishedAt: null,
      receipt: null,
    })
    expect((await get(id)).body).toEqual(answer.body)
    expect(edge.eventLog.messages).toEqual([{ message: { topic: 'executions', executionId: id, turn: 1 }, delaySeconds: 0 }])
    expect(edge.sandbox.runs).toBe(0)
  })

  test('a short one is run by the Worker that answered, and its message finds nothing to do', async () => {
    const { body } = await post()
    await eventually(async () => (await get(body.id)).body.status, 'completed')
    expect((await get(body.id)).body).toMatchObject({ output: 42, engine: 'fake-1' })
    expect([await take(), edge.sandbox.runs]).toEqual([false, 1])
  })

  test('the same key and body is the same execution, also when the first Worker was lost, or nobody waits any more', async () => {
    const keyed = { ...prefer, 'idempotency-key': 'k' }
    const first = await post({ input: 1, tier: 'premium' }, keyed)
    const again = await post({ input: 1, tier: 'premium' }, keyed)
    expect([again.status, again.body, again.headers.get('location')]).toEqual([202, first.body, `/api/executions/${first.body.id}`])
    expect((await post({ input: 2, tier: 'premium' }, keyed)).body.code).toBe('idempotency-key-reused')
    // The answer was never kept: the claim lapses, and the retry finds the row.
    edge.database.idempotency.answer = async () => {}
    const lost = await post({ input: 3, tier: 'premium' }, { ...prefer, 'idempotency-key': 'l' })
    edge.clock.now += 90_000
    const found = await post({ input: 3, tier: 'premium' }, { ...prefer, 'idempotency-key': 'l' })
    edge.clock.now += 90_000
    const waited = await post({ input: 3, tier: 'premium' }, { 'idempotency-key': 'l' })
    expect([found.status, found.body.id, waited.status, waited.body.id]).toEqual([202, lost.body.id, 202, lost.body.id])
  })

  test('an input of the largest size stays out of the message', async () => {
    agentId = await edge.deploy(key, { name: 'length', output: (input) => String(input).length })
    const input = 'x'.repeat(limits.inputBytesMax - 2)
    const { body } = await post({ input, tier: 'premium' })
    expect(JSON.stringify(edge.eventLog.messages).length).toBeLessThan(500)
    await take()
    expect((await get(body.id)).body).toMatchObject({ status: 'completed', output: input.length })
    expect((await post({ input: `${input}x` })).body.code).toBe('body-too-large')
  })

  test('an event log that is away loses nothing', async () => {
    edge.eventLog.failure = new Error('away')
    const id = await queued()
    expect((await get(id)).body.status).toBe('queued')
  })
})

describe('200', () => {
  test('without the preference, or with others, the caller waits', async () => {
    for (const given of ['', 'wait=5', 'return=minimal']) {
      const answer = await post({ input: 21 }, { prefer: given })
      expect([answer.status, answer.body.output, answer.headers.get('preference-applied')]).toEqual([200, 42, null])
    }
  })

  test('lists show it in every state, and filter by it', async () => {
    const [first, second, third] = [await queued(), await queued(), await queued()]
    await cancel(first)
    edge.eventLog.messages.splice(0, 1)
    const [running] = edge.eventLog.messages.splice(0, 1)
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>()
    const { runAsync } = edge.sandbox
    edge.sandbox.runAsync = async (execution) => {
      await held
      return runAsync(execution)
    }
    const run = running && runExecution(edge.services, executionOf(running.message))
    const list = async (query: string) => (await edge.call('GET', `/api/executions?${query}`, { key })).body.items
    await eventually(async () => (await list('status=running')).length, 1)
    const shown = { agentId, version: 1, fuel: null, costMicroUsd: null }
    expect(await list('status=cancelled')).toEqual([{ id: first, ...shown, status: 'cancelled', finishedAt: expect.any(String) }])
    expect(await list('status=running')).toEqual([{ id: second, ...shown, status: 'running', finishedAt: null }])
    expect(await list('status=queued')).toEqual([{ id: third, ...shown, status: 'queued', finishedAt: null }])
    letGo()
    await run
    expect(await list('status=completed')).toMatchObject([{ id: second, fuel: 100 }])
    expect(await list('')).toHaveLength(3)
  })

  test('the account says how many wait, and of how many', async () => {
    await queued()
    const quotas = async () => (await edge.call('GET', '/api/accounts/me', { key })).body.quotas.executionsWaiting
    expect(await quotas()).toEqual({ used: 1, max: 64 })
    await take()
    expect(await quotas()).toEqual({ used: 0, max: 64 })
  })

  test('one that waits is cancelled, and never begins', async () => {
    const id = await queued()
    const answer = await cancel(id)
    expect([answer.status, answer.body]).toEqual([
      200,
      expect.objectContaining({ id, status: 'cancelled', finishedAt: expect.any(String) }),
    ])
    expect([await take(), edge.sandbox.runs]).toEqual([false, 0])
    expect((await cancel(id)).body).toEqual(answer.body)
    expect((await get(id)).body).toEqual(answer.body)
  })

  test('one that runs is cancelled at once, the host is told to stop, and what it still gives changes nothing', async () => {
    const id = await queued()
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>()
    const { runAsync } = edge.sandbox
    edge.sandbox.runAsync = async (execution) => {
      await held
      return runAsync(execution)
    }
    const [message] = edge.eventLog.messages.splice(0)
    const run = message && runExecution(edge.services, executionOf(message.message))
    await eventually(async () => (await get(id)).body.status, 'running')
    expect((await cancel(id)).body.status).toBe('cancelled')
    await eventually(async () => edge.sandbox.cancelled.has(id), true)
    edge.sandbox.cancelled.clear()
    letGo()
    await run
    // It was too late for the host, and its record comes once more with its batch.
    const record = edge.sandbox.records.get(id)
    if (record) await edge.database.executions.record([record])
    expect((await get(id)).body).toMatchObject({ status: 'cancelled', artifacts: [], receipt: null })
  })

  test('a webhook hears of its end, however it ends, and of no other execution', async () => {
    const { body: hook } = await edge.call('POST', '/api/webhooks', {
      key,
      body: { url: 'https://example.com/h', events: ['execution.finished'] },
    })
    const heard = async () =>
      (await edge.call('GET', `/api/webhooks/${hook.id}/deliveries`, { key })).body.items.map(
        ({ event }: { event: { type: string; data: object } }) => event.data,
      )
    await post({ input: 1 }, {})
    const first = await queued()
    await take()
    const second = await queued()
    await cancel(second)
    const of = { agentId, version: 1 }
    expect(await heard()).toEqual([
      { executionId: second, ...of, status: 'cancelled' },
      { executionId: first, ...of, status: 'completed' },
    ])
  })

  test('whoever follows it is told when it has ended', async () => {
    const id = await queued()
    const followed = get(id, '/events')
    await take()
    const { text } = await followed
    expect(text).toContain('event: finished')
    expect(text).toContain('"status":"completed"')
  })
})

describe('404', () => {
  test('an execution of somebody else, or none', async () => {
    const id = await queued()
    const stranger = (await edge.account('eve')).key
    expect((await cancel(id, stranger)).body.code).toBe('execution-not-found')
    expect((await get(id, '', { key: stranger })).body.code).toBe('execution-not-found')
    expect((await cancel('exe_01000000000000000000000000')).body.code).toBe('execution-not-found')
    expect((await get(id)).body.status).toBe('queued')
    expect(
      (await edge.call('POST', '/api/agents/agt_01000000000000000000000000/executions', { key, body: { input: 1 }, headers: prefer })).body
        .code,
    ).toBe('agent-not-found')
  })

  test('artifacts and receipt of one that was cancelled', async () => {
    const id = await queued()
    await cancel(id)
    const artifact = await get(id, '/artifacts/x')
    expect([artifact.status, artifact.body.code, artifact.body.detail]).toEqual([
      404,
      'artifact-not-found',
      expect.stringContaining('cancelled'),
    ])
    expect((await get(id, '/receipt')).body.code).toBe('receipt-not-found')
  })
})

describe('409', () => {
  test('artifacts and receipt of one that has not ended; it may be asked again', async () => {
    const id = await queued()
    for (const more of ['/artifacts/x', '/receipt']) {
      const { status, body, headers } = await get(id, more)
      expect([status, body.code, body.retryable, headers.get('retry-after')]).toEqual([409, 'execution-unfinished', true, '1'])
      expect(body.detail).toContain(`${id} is queued`)
    }
  })

  test('one that has ended cannot be cancelled, whoever ran it', async () => {
    const id = await queued()
    await take()
    const { body: waited } = await post({ input: 1 }, {})
    for (const ended of [id, waited.id]) {
      const { status, body } = await cancel(ended)
      expect([status, body.code, body.detail]).toEqual([409, 'execution-finished', expect.stringContaining('ended completed')])
      expect((await get(ended)).body.status).toBe('completed')
    }
  })
})

describe('429', () => {
  test(`more than ${limits.executionsWaitingPerAccountMax} that have not ended; one that ends leaves its place`, async () => {
    const ids: string[] = []
    for (let i = 0; i < limits.executionsWaitingPerAccountMax; i++) ids.push(await queued())
    const keyed = { ...prefer, 'idempotency-key': 'one-more' }
    const refused = await post({ input: 1, tier: 'premium' }, keyed)
    expect([refused.status, refused.body.code, refused.body.retryable]).toEqual([429, 'too-many-waiting', true])
    expect(refused.headers.get('retry-after')).toBe('1')
    expect((await post({ input: 1 }, {})).status).toBe(200)
    await cancel(ids[0] ?? '')
    // A refusal that passes is not kept.
    expect((await post({ input: 1, tier: 'premium' }, keyed)).status).toBe(202)
  })
})
