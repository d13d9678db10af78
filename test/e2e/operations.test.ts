// The gate on what is paid for by the operation: requests of the Worker to database, cache and host, and operations on bucket and queue, call
// by call, in an isolate of the test's own (test/budgets/budgets.json). Reads on cold caches are held by cold-reads.test.ts.
import { afterEach, beforeAll, beforeEach, expect, inject, test, vi } from 'vitest'
import { queueEventLog } from '../../workers/adapters/queues.ts'
import { r2ArtifactStore } from '../../workers/adapters/r2.ts'
import { countedBucket, countedQueue } from '../../workers/counted-bindings.ts'
import { createApp } from '../../workers/app.ts'
import { judgeSubmission } from '../../workers/flows/judge-submission.ts'
import { recordOutcomes } from '../../workers/flows/record-outcomes.ts'
import type { Services } from '../../workers/services.ts'
import { holdToBudget } from '../budgets/hold-to-budget.ts'
import { idOf } from '../fakes/id-of.ts'
import { call, deployScript, newAccount, uniqueName } from './caller.ts'
import { edgeInProcess } from './edge-in-process.ts'

const stack = inject('stack')
let key: string
let agentId: string
let executionId: string

beforeAll(async () => {
  key = (await newAccount()).key
  agentId = await deployScript('export default (input, context) => { if (input === "kept") context.artifact("a", "b"); return input }', key)
  const { body } = await call('POST', `/api/agents/${agentId}/executions`, { key, body: { input: 'kept' } })
  executionId = body.id
  await vi.waitFor(async () => expect((await call('GET', '/api/executions', { key })).body.items).toHaveLength(1), {
    timeout: 10_000,
    interval: 200,
  })
})

/** A bucket that has every bundle and no program, and a queue that takes everything. */
function countedServices(services: Services): Services {
  const { counters } = services
  const bucket = {
    head: async () => null,
    get: async () => ({ body: new Response('b').body ?? new ReadableStream<Uint8Array<ArrayBuffer>>() }),
    put: async () => ({}),
    list: async () => ({ objects: [], truncated: false }),
    delete: async () => {},
  }
  const queue = { sendBatch: async () => {}, metrics: async () => ({}) }
  const stands = Date.now()
  return {
    ...services,
    artifacts: r2ArtifactStore(countedBucket(bucket, counters)),
    eventLog: queueEventLog(countedQueue(queue, counters)),
    // A clock that stands, so that nothing is done because time has passed.
    now: () => stands,
  }
}

let services: Services
let later: Promise<unknown>[]
let wire: { neonRequests: number; neonStatements: number; upstashRequests: number; hostRequests: number }

beforeEach(() => {
  services = countedServices(edgeInProcess().services)
  later = []
  wire = { neonRequests: 0, neonStatements: 0, upstashRequests: 0, hostRequests: 0 }
  const passOn = globalThis.fetch
  vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) => {
    const url = input instanceof Request ? input.url : String(input)
    if (url.startsWith(stack.neon.endpoint)) {
      wire.neonRequests++
      const body: unknown = typeof init?.body === 'string' ? JSON.parse(init.body) : undefined
      const isBatch = typeof body === 'object' && body !== null && 'queries' in body && Array.isArray(body.queries)
      wire.neonStatements += isBatch ? (body.queries as unknown[]).length : 1
    } else if (url.startsWith(stack.upstash.url)) wire.upstashRequests++
    else if (url.startsWith(stack.hostUrl)) wire.hostRequests++
    return passOn(input, init)
  })
})
afterEach(() => vi.restoreAllMocks())

function request(method: string, path: string, { body, headers = {} }: { body?: unknown; headers?: Record<string, string> } = {}) {
  const app = createApp(services)
  const sent = body === undefined ? {} : { body: JSON.stringify(body) }
  const context = { waitUntil: (promise: Promise<unknown>) => void later.push(promise), passThroughOnException: () => {}, props: {} }
  const all = { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'cf-connecting-ip': '2001:db8::2', ...headers }
  return app.request(path, { method, headers: all, ...sent }, {}, context)
}

/** Everything that `work` causes, also behind its answer. */
async function operationsOf(work: () => Promise<unknown>) {
  const before = { ...wire, ...bindings() }
  await work()
  await Promise.allSettled(later)
  const after: Record<string, number> = { ...wire, ...bindings() }
  const spent = Object.entries(after).map(([name, value]) => [name, value - (before[name as keyof typeof before] ?? 0)] as const)
  return Object.fromEntries(spent)
}

function bindings() {
  const text = services.counters.text()
  const count = (series: string) => Number(text.match(new RegExp(`^bounty_isolate_${series} (\\d+)$`, 'm'))?.[1] ?? 0)
  return {
    bucketReads: count('bucket_operations_total\\{operation="read"\\}'),
    bucketWrites: count('bucket_operations_total\\{operation="write"\\}'),
    queueMessages: count('queue_operations_total\\{operation="write"\\}'),
  }
}

const execute = (headers?: Record<string, string>) => async () => {
  const answer = await request('POST', `/api/agents/${agentId}/executions`, { body: { input: 1 }, ...(headers ? { headers } : {}) })
  expect(answer.status).toBe(200)
  return answer
}
const read = (path: () => string) => async () => expect((await request('GET', path())).status).toBe(200)

/** In an isolate that knows the key and the agent. */
const warm: [name: string, work: () => Promise<unknown>][] = [
  ['an execution', execute()],
  ['an execution with an Idempotency-Key', () => execute({ 'idempotency-key': uniqueName('once') })()],
  ['reading an execution', read(() => `/api/executions/${executionId}`)],
  ['reading an artifact', async () => (await request('GET', `/api/executions/${executionId}/artifacts/a`)).text()],
  ['listing executions', read(() => '/api/executions')],
  ['reading the account', read(() => '/api/accounts/me')],
  ['reading its usage', read(() => '/api/accounts/me/usage')],
  [
    'handing over a hundred outcomes',
    async () => {
      const { body: record } = await call('GET', `/api/executions/${executionId}`, { key })
      const { id: accountId } = (await call('GET', '/api/accounts/me', { key })).body
      const { sha256 } = (await call('GET', `/api/agents/${agentId}`, { key })).body
      const records = Array.from({ length: 100 }, () => ({
        ...record,
        id: idOf('execution'),
        accountId,
        program: { kind: 'script', sha256 },
        output: '1',
        artifacts: [],
      }))
      expect(await recordOutcomes(services, { host: 'budget', records })).toEqual({ acknowledged: 100, rejected: [] })
    },
  ],
]

test('an execution in an isolate that knows nothing', async () => {
  holdToBudget('operations', 'an execution, cold', await operationsOf(execute()))
})

test.each(warm)('%s', async (name, work) => {
  await execute()()
  await Promise.allSettled(later)
  holdToBudget('operations', name, await operationsOf(work))
})

test('a submission of a hundred cases, and judging them', async () => {
  const owner = (await newAccount()).key
  const cases = Array.from({ length: 100 }, (_, n) => ({ input: { n }, expected: { n }, hidden: n % 2 === 0 }))
  const { body: bounty } = await call('POST', '/api/bounties', {
    key: owner,
    body: { title: 'echo', rewardCredits: 0, mode: 'best', cases },
  })
  await execute()()
  await Promise.allSettled(later)
  let submissionId = ''
  // Nothing is judged behind this answer: the test takes the turns itself.
  const waits = vi.spyOn(services.judgings, 'take').mockResolvedValue(undefined)
  const submitting = await operationsOf(async () => {
    const answer = await request('POST', `/api/bounties/${bounty.id}/submissions`, { body: { agentId } })
    expect(answer.status).toBe(202)
    submissionId = ((await answer.json()) as { id: string }).id
  })
  holdToBudget('operations', 'a submission', submitting)
  waits.mockRestore()
  const judging = await operationsOf(async () => {
    for (let turn = 1; turn < 10; turn += 2) if (await judgeSubmission(services, { submissionId, turn })) return
    throw new Error('the judging came to no end')
  })
  holdToBudget('operations', 'judging a hundred cases', judging)
})

test('an asynchronous execution', async () => {
  await execute()()
  await Promise.allSettled(later)
  // Its first turn is taken behind the answer, by the Worker that took the request.
  const asynchronous = async () => {
    const headers = { prefer: 'respond-async' }
    expect((await request('POST', `/api/agents/${agentId}/executions`, { body: { input: 1 }, headers })).status).toBe(202)
  }
  holdToBudget('operations', 'an asynchronous execution', await operationsOf(asynchronous))
})

test('bytes of the answer to an execution', async () => {
  const answer = await execute()()
  const headers = [...answer.headers].reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0)
  // What differs from run to run in length, and what the host signs, is told from the rest.
  const { usage: _usage, receipt, ...rest } = (await answer.json()) as { usage: unknown; receipt: unknown }
  const bytes = { headerBytes: headers, bodyBytes: JSON.stringify(rest).length, receiptBytes: JSON.stringify(receipt).length }
  holdToBudget('bytes', 'an execution, answered', bytes, { within: 0.01 })
})
