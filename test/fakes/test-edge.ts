// The edge API in this process over fakes: what a route test needs, with the fakes at hand to look into.
import { createHash } from 'node:crypto'
import { rateLimits as defaultRateLimits, type RateLimits } from '../../shared/rate-limit.ts'
import { createApp } from '../../workers/app.ts'
import { createKnownKeys } from '../../workers/authenticate.ts'
import { CircuitBreaker } from '../../workers/circuit-breaker.ts'
import { Counters } from '../../workers/counters.ts'
import { MemoryCache } from '../../workers/memory-cache.ts'
import { NonceMemory } from '../../workers/nonce-memory.ts'
import { RateLimiter } from '../../workers/rate-limiter.ts'
import { createSessions } from '../../workers/session.ts'
import { createSecretBox } from '../../workers/sealed-secret.ts'
import { ReadCache } from '../../workers/read-cache.ts'
import type { LogFields } from '../../workers/log.ts'
import type { Services } from '../../workers/services.ts'
import { SweepRest } from '../../workers/sweep-rest.ts'
import { eventually } from './eventually.ts'
import { fakeSandbox, type FakeSandbox } from './fake-sandbox.ts'
import { idOf } from './id-of.ts'
import { memoryAddresses, type MemoryAddresses } from './memory-addresses.ts'
import { memoryArtifactStore, type MemoryArtifacts } from './memory-artifacts.ts'
import { memoryDatabase, type MemoryDatabase } from './memory-database.ts'
import { memoryEventLog, type MemoryEventLog } from './memory-event-log.ts'
import { memorySharedCache, type MemorySharedCache } from './memory-shared-cache.ts'
import { memoryUsageCounter, type MemoryUsageCounter } from './memory-usage-counter.ts'

export const adminKey = `ab_${'a'.repeat(43)}`
export const sandboxSecret = 'a secret of more than thirty-two characters'

// Bodies are what the API says they are; each test asserts the fields that it reads.
// oxlint-disable-next-line typescript/no-explicit-any
export type Answer = { status: number; headers: Headers; text: string; body: any }
export type CallOptions = {
  key?: string
  body?: unknown
  raw?: string | Uint8Array<ArrayBuffer> | ReadableStream
  headers?: Record<string, string>
}

export type TestEdgeOptions = {
  rateLimits?: RateLimits
  corsOrigins?: string[]
  allowsLocalWebhooks?: boolean
  sleep?: Services['sleep']
  /** Another isolate of the same Worker: its stores, its clock. */
  beside?: Pick<TestEdge, 'database' | 'eventLog' | 'cache' | 'usage' | 'sandbox' | 'artifacts' | 'clock'>
}

export function testEdge({
  rateLimits = defaultRateLimits,
  corsOrigins = [],
  allowsLocalWebhooks = false,
  sleep = aMoment,
  beside,
}: TestEdgeOptions = {}): TestEdge {
  const clock = beside?.clock ?? { now: Date.parse('2026-11-23T12:00:00Z') }
  const { database, eventLog, cache, sandbox, artifacts } = beside ?? {
    database: memoryDatabase(),
    eventLog: memoryEventLog(),
    cache: memorySharedCache(),
    sandbox: fakeSandbox(),
    artifacts: memoryArtifactStore(() => clock.now),
  }
  const counters = new Counters()
  const now = () => clock.now
  const usage = beside?.usage ?? memoryUsageCounter(now)
  const addresses = memoryAddresses()
  const log: { level: string; event: string; fields: LogFields }[] = []
  const services: Services = {
    ...database,
    eventLog,
    knownKeys: createKnownKeys(now),
    limiter: new RateLimiter({ counter: usage, counters, now, sleep: async () => {} }),
    rateLimits,
    corsOrigins,
    sessions: createSessions({ secret: sandboxSecret, now }),
    allowsLocalWebhooks,
    webhookSecrets: createSecretBox({ secret: 'of the tests, and of them alone', purpose: 'webhook secrets' }),
    addresses,
    sleep,
    cache,
    sandbox,
    artifacts,
    counters,
    now,
    gauges: { ping: async () => {}, counts: async () => ({ accounts: 1 }) },
    reads: new ReadCache({ shared: cache, counters, now }),
    registeredKeys: new Set(),
    runnable: new MemoryCache({ entriesMax: 100, lifetimeMs: 600_000, now }),
    sweepRest: new SweepRest({ shared: cache, breaker: new CircuitBreaker(now), due: database.dueTimes, now, sleep }),
    kept: { artifactsMs: 30 * 86_400_000, executionsMs: 90 * 86_400_000 },
    adminKeySha256: createHash('sha256').update(adminKey).digest('hex'),
    sandboxSecret,
    nonces: new NonceMemory(),
    log: {
      info: (event, fields) => log.push({ level: 'info', event, fields }),
      error: (event, fields) => log.push({ level: 'error', event, fields }),
    },
  }
  const app = createApp(services)

  async function call(method: string, path: string, { key, body, raw, headers = {} }: CallOptions = {}): Promise<Answer> {
    const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body))
    const response = await app.request(path, {
      method,
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      // A stream can only be sent while the answer may come already.
      ...(sent === undefined ? {} : { body: sent, duplex: 'half' }),
    })
    const text = await response.text()
    const isJson = /json/.test(response.headers.get('content-type') ?? '')
    return { status: response.status, headers: response.headers, text, body: isJson && text !== '' ? JSON.parse(text) : undefined }
  }

  /** With a million credits. */
  async function account(name: string): Promise<{ id: string; key: string }> {
    const { body } = await call('POST', '/api/accounts', { key: adminKey, body: { name } })
    const mint = { id: idOf('transfer'), accountId: body.id, credits: 1_000_000, reason: null, at: new Date(now()).toISOString() }
    await database.ledger.mint(mint)
    return { id: body.id, key: body.key }
  }

  /** Deploys a script whose source the fake sandbox runs as `program`. */
  async function deploy(key: string, { name, output = (input: unknown) => input }: { name: string; output?: (input: unknown) => unknown }) {
    const source = `// ${name}`
    sandbox.programs.set(source, (input) => ({
      output: output(input),
      artifacts: { 'dir/héllo.txt': `made from ${JSON.stringify(input)}` },
    }))
    const { body } = await call('POST', '/api/agents', { key, body: { name, kind: 'script', source } })
    return String(body.id)
  }

  /** The answer to a submission, with how it stands when it has been judged. */
  async function submit(key: string, bountyId: string, body: object): Promise<Answer> {
    const answer = await call('POST', `/api/bounties/${bountyId}/submissions`, { key, body })
    if (answer.status !== 202) return answer
    const read = () => call('GET', `/api/submissions/${answer.body.id}`, { key })
    await eventually(async () => (await read()).body.finishedAt !== null, true)
    return { ...answer, body: (await read()).body }
  }

  /** Every method and path that the app answers. */
  const routes = app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`)

  const parts = { services, clock, log, cache, usage, sandbox, artifacts, database, eventLog, addresses }
  return { fetch: app.fetch, call, account, deploy, submit, routes, ...parts }
}

const aMoment = () => new Promise<void>((resolve) => setTimeout(resolve, 1))

export type TestEdge = {
  call: (method: string, path: string, options?: CallOptions) => Promise<Answer>
  account: (name: string) => Promise<{ id: string; key: string }>
  deploy: (key: string, options: { name: string; output?: (input: unknown) => unknown }) => Promise<string>
  submit: (key: string, bountyId: string, body: object) => Promise<Answer>
  routes: string[]
  fetch: ReturnType<typeof createApp>['fetch']
  services: Services
  clock: { now: number }
  log: { level: string; event: string; fields: LogFields }[]
  cache: MemorySharedCache
  usage: MemoryUsageCounter
  sandbox: FakeSandbox
  artifacts: MemoryArtifacts
  database: MemoryDatabase
  eventLog: MemoryEventLog
  addresses: MemoryAddresses
}
