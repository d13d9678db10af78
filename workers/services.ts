// The composition root: every part that the Worker is made of, from one environment. Built once an isolate; holds no request's state.
import type { AsyncExecutionStore } from '../shared/async-execution-ports.ts'
import type { HostStore } from '../shared/host-ports.ts'
import type { AgentStore, RunnableAgent } from '../shared/agent-ports.ts'
import type {
  AccountStore,
  ArtifactStore,
  BountyStore,
  CaseStore,
  DatabaseGauges,
  ExecutionStore,
  IdempotencyStore,
  JudgementReceiptStore,
  JudgingStore,
  KeyStore,
} from '../shared/ports.ts'
import type { DeadLetterStore } from '../shared/dead-letter-ports.ts'
import type { EventLog } from '../shared/event-log-port.ts'
import type { AddressResolver } from '../shared/webhook-ports.ts'
import type {
  LedgerStore,
  ProgressStore,
  ReceiptKeyStore,
  Sandbox,
  SettlementStore,
  SharedCache,
  SubmissionStore,
} from '../shared/ports.ts'
import type { ProgramClaims, RetentionStore } from '../shared/sweep-ports.ts'
import type { WebhookStore } from '../shared/webhook-ports.ts'
import { rateLimits, type RateLimits } from '../shared/rate-limit.ts'
import { dnsOverHttps } from './adapters/dns-over-https.ts'
import { neonDatabase } from './adapters/neon.ts'
import { neonAccountStore } from './adapters/neon-accounts.ts'
import { neonAgentStore } from './adapters/neon-agents.ts'
import { neonAsyncExecutionStore } from './adapters/neon-async-executions.ts'
import { neonBountyStore } from './adapters/neon-bounties.ts'
import { neonCaseStore } from './adapters/neon-cases.ts'
import { neonDeadLetterStore } from './adapters/neon-dead-letters.ts'
import { neonDueTimes } from './adapters/neon-due-times.ts'
import { neonExecutionStore } from './adapters/neon-executions.ts'
import { neonHostStore } from './adapters/neon-hosts.ts'
import { neonIdempotencyStore } from './adapters/neon-idempotency.ts'
import { neonKeyStore } from './adapters/neon-keys.ts'
import { neonGauges } from './adapters/neon-gauges.ts'
import { neonLedgerStore } from './adapters/neon-ledger.ts'
import { neonJudgingStore } from './adapters/neon-judging.ts'
import { neonJudgementReceiptStore } from './adapters/neon-judgement-receipts.ts'
import { neonProgramClaims } from './adapters/neon-program-claims.ts'
import { neonProgressStore } from './adapters/neon-progress.ts'
import { neonReceiptKeyStore } from './adapters/neon-receipt-keys.ts'
import { neonRetentionStore } from './adapters/neon-retention.ts'
import { neonSettlementStore } from './adapters/neon-settlements.ts'
import { neonSubmissionStore } from './adapters/neon-submissions.ts'
import { neonWebhookStore } from './adapters/neon-webhooks.ts'
import { queueEventLog } from './adapters/queues.ts'
import { kafkaEventLog } from './adapters/upstash-kafka.ts'
import { r2ArtifactStore } from './adapters/r2.ts'
import { sandboxHttp } from './adapters/sandbox-http.ts'
import { stirringDatabase } from './adapters/stirring-database.ts'
import { upstashSharedCache } from './adapters/upstash-redis.ts'
import { upstashUsageCounter } from './adapters/upstash-usage-counter.ts'
import { createKnownKeys, type KnownKeys } from './authenticate.ts'
import { goOnBehindAnswer } from './background.ts'
import { CircuitBreaker } from './circuit-breaker.ts'
import { countedBucket, countedQueue } from './counted-bindings.ts'
import { Counters } from './counters.ts'
import { checkEnv, type Env } from './env.ts'
import { HostDirectory } from './host-directory.ts'
import { consoleLog, type Log } from './log.ts'
import { MemoryCache } from './memory-cache.ts'
import { NonceMemory } from './nonce-memory.ts'
import { placedSandbox, type ConnectedHost } from './placed-sandbox.ts'
import { RateLimiter } from './rate-limiter.ts'
import { ReadCache } from './read-cache.ts'
import { currentScope } from './request-scope.ts'
import { createSessions, type Sessions } from './session.ts'
import { createSecretBox, type SecretBox } from './sealed-secret.ts'
import { createSigner } from './signature.ts'
import { SweepRest } from './sweep-rest.ts'

export type Services = {
  accounts: AccountStore
  keys: KeyStore
  /** Keys that this isolate has looked up. */
  knownKeys: KnownKeys
  idempotency: IdempotencyStore
  limiter: RateLimiter
  rateLimits: RateLimits
  /** Of the pages. */
  sessions: Sessions
  /** Origins of web pages that may call with a key. */
  corsOrigins: readonly string[]
  agents: AgentStore
  bounties: BountyStore
  cases: CaseStore
  submissions: SubmissionStore
  judgings: JudgingStore
  progress: ProgressStore
  eventLog: EventLog
  deadLetters: DeadLetterStore
  ledger: LedgerStore
  settlements: SettlementStore
  executions: ExecutionStore
  asyncExecutions: AsyncExecutionStore
  judgementReceipts: JudgementReceiptStore
  hosts: HostStore
  receiptKeys: ReceiptKeyStore
  /** Ids of receipt keys that this isolate has written. */
  registeredKeys: Set<string>
  webhooks: WebhookStore
  webhookSecrets: SecretBox
  /** On a developer's machine: webhooks may be at addresses that are not public, too. */
  allowsLocalWebhooks: boolean
  addresses: AddressResolver
  gauges: DatabaseGauges
  cache: SharedCache
  reads: ReadCache
  /** Agent versions that this isolate has run. */
  runnable: MemoryCache<{ agent: RunnableAgent; freshUntil: number }>
  artifacts: ArtifactStore
  programClaims: ProgramClaims
  retention: RetentionStore
  /** When the cron has something to do. */
  sweepRest: SweepRest
  /** How long executions and their artifacts are kept behind their end. */
  kept: { artifactsMs: number; executionsMs: number }
  sandbox: Sandbox
  adminKeySha256: string
  sandboxSecret: string
  nonces: NonceMemory
  counters: Counters
  log: Log
  now: () => number
  sleep: (ms: number) => Promise<void>
}

/** About 300 bytes each. */
const runnableEntriesMax = 10_000
/** The platform's published figure for agents; flows/run-agent.ts asks for a newer version more often. */
const runnableLifetimeMs = 600_000

/** To hosts; each is a handful of functions, and making them costs a request 10 µs. */
const portsMax = 1_000

const dayMs = 86_400_000

export function createServices(raw: Env): Services {
  const env = checkEnv(raw)
  const database = neonDatabase({ url: env.DATABASE_URL, endpoint: env.NEON_HTTP_ENDPOINT })
  const counters = new Counters()
  const upstash = { url: env.UPSTASH_REDIS_REST_URL, token: env.UPSTASH_REDIS_REST_TOKEN }
  const cache = upstashSharedCache(upstash)
  const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
  const due = neonDueTimes(database)
  const breaker = new CircuitBreaker(Date.now)
  const sweepRest = new SweepRest({ shared: cache, breaker, due, now: Date.now, sleep, later: goOnBehindAnswer })
  // Of those stores whose rows a sweep may have to look for. Outside of requests there is nothing new.
  const swept = stirringDatabase(database, () => currentScope() && sweepRest.stir())
  const executions = neonExecutionStore(database)
  const hosts = neonHostStore(database)
  const directory = new HostDirectory({ store: hosts, now: Date.now, later: goOnBehindAnswer })
  const sign = createSigner({ secret: env.SANDBOX_SECRET })
  const ports = new MemoryCache<Sandbox>({ entriesMax: portsMax, lifetimeMs: Number.POSITIVE_INFINITY })
  const connect = ({ id, instance }: ConnectedHost) => {
    const name = `${id} ${instance}`
    const known = ports.get(name)
    if (known) return known
    const made = sandboxHttp({ url: env.SANDBOX_URL, host: { id, instance }, sign, onLoad: (load) => directory.told(id, load) })
    ports.set(name, made)
    return made
  }
  return {
    accounts: neonAccountStore(database),
    keys: neonKeyStore(database),
    knownKeys: createKnownKeys(Date.now),
    idempotency: neonIdempotencyStore(database),
    limiter: new RateLimiter({ counter: upstashUsageCounter(upstash), counters }),
    rateLimits,
    // The host knows SANDBOX_SECRET and must not be able to make a session; it does not know the way into the database.
    sessions: createSessions({ secret: `${env.SANDBOX_SECRET} ${env.DATABASE_URL}`, now: Date.now }),
    corsOrigins: env.CORS_ORIGINS,
    agents: neonAgentStore(database),
    bounties: neonBountyStore(swept),
    cases: neonCaseStore(swept),
    submissions: neonSubmissionStore(swept),
    judgings: neonJudgingStore(swept),
    progress: neonProgressStore(database),
    eventLog: env.kafka ? kafkaEventLog({ ...env.kafka, sign }) : queueEventLog(countedQueue(env.EVENT_QUEUE, counters)),
    deadLetters: neonDeadLetterStore(swept),
    ledger: neonLedgerStore(database),
    settlements: neonSettlementStore(swept),
    executions,
    hosts,
    asyncExecutions: neonAsyncExecutionStore(swept),
    judgementReceipts: neonJudgementReceiptStore(database),
    receiptKeys: neonReceiptKeyStore(database),
    registeredKeys: new Set(),
    webhooks: neonWebhookStore(swept),
    webhookSecrets: createSecretBox({ secret: env.WEBHOOK_ENCRYPTION_KEY, purpose: 'webhook secrets' }),
    allowsLocalWebhooks: env.ALLOW_LOCAL_WEBHOOKS === 'yes',
    addresses: dnsOverHttps({ url: env.DNS_URL }),
    gauges: neonGauges(database),
    cache,
    reads: new ReadCache({ shared: cache, breaker, counters, later: goOnBehindAnswer }),
    runnable: new MemoryCache({ entriesMax: runnableEntriesMax, lifetimeMs: runnableLifetimeMs }),
    artifacts: r2ArtifactStore(countedBucket(env.ARTIFACTS, counters), env.presigner),
    programClaims: neonProgramClaims(database),
    retention: neonRetentionStore(database),
    sweepRest,
    kept: { artifactsMs: env.ARTIFACTS_KEPT_DAYS * dayMs, executionsMs: env.EXECUTIONS_KEPT_DAYS * dayMs },
    sandbox: placedSandbox({ directory, connect, executions, later: goOnBehindAnswer }),
    adminKeySha256: env.ADMIN_KEY_SHA256,
    sandboxSecret: env.SANDBOX_SECRET,
    nonces: new NonceMemory(),
    counters,
    log: consoleLog(),
    now: Date.now,
    sleep,
  }
}
