// Everything the host is told from outside, read once from the environment and checked: one bad variable is one line that names it.
import { availableParallelism, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { instanceSchema } from '../shared/host.ts'
import { scriptModeDefault } from '../shared/script-mode.ts'
import { compilerUses, type CompilerUse } from './new-version-mode.ts'
import { limits, tierNames, tiers } from '../shared/tiers.ts'
import type { TierName } from '../shared/tiers.ts'
import type { AdmissionLimits } from './admission-limits.ts'
import { kafkaConfig, kafkaVariables, type KafkaConfig } from './kafka-config.ts'
import { receiptSeedForm } from './receipt-key.ts'

const MiB = 1024 * 1024

/** Memory of the machine, or of the container where one limits it. */
const machineBytes = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY)

const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be a whole number from ${min} to ${max}`)
const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).transform((url) => url.replace(/\/+$/, ''))
const filled = z.string().min(1, 'must not be empty')

const environmentSchema = z.object({
  NODE_ENV: z.string().default('development'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  HOST_PORT: whole(0, 65_535).prefault('8789'),
  HOST_BIND: filled.default('127.0.0.1'),
  /** Readable part of the host's name; a random part that belongs to DATA_DIR is appended. */
  HOST_ID: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,47}$/, 'must be 1 to 48 of a-z 0-9 - and begin with a letter or digit')
    .default('host'),
  /** What the proxy in front of the hosts calls this machine; on Fly.io FLY_MACHINE_ID says so. Without either, the host's own name. */
  INSTANCE_ID: instanceSchema.optional(),
  FLY_MACHINE_ID: instanceSchema.optional(),
  DATA_DIR: filled,
  SANDBOX_SECRET: z.string().min(32, 'must have at least 32 characters'),
  WORKER_URL: httpUrl,
  /** Seed of the key that signs receipts; without it DATA_DIR keeps one. */
  RECEIPT_KEY: z.string().regex(receiptSeedForm, 'must be 64 lower-case hex digits, e.g. of `openssl rand -hex 32`').optional(),
  /** URL up to and including the bucket. */
  R2_ENDPOINT: httpUrl,
  R2_ACCESS_KEY_ID: filled,
  R2_SECRET_ACCESS_KEY: filled,
  ENGINE: z.enum(['auto', 'wasmtime', 'quickjs']).default('auto'),
  ENGINE_PATH: filled.default(fileURLToPath(new URL('engine/agent-engine.node', import.meta.url))),
  /** Which new versions of scripts are compiled: all, those whose author asks for it, or none. What is compiled already runs compiled either way: its fuel is that of its mode. */
  SCRIPT_COMPILER: z.enum(compilerUses).default(scriptModeDefault === 'compiled' ? 'on' : 'asked'),
  /** Of so many executions of compiled scripts one is run again interpreted when nothing else wants to run, and compared; 0: none. */
  SCRIPT_CANARY_ONE_IN: whole(0, 1_000_000_000).prefault('1000'),
  /** Threads that run guests; fewer than SLOTS, so that one account cannot hold all of those. One a core unless it is set. */
  THREADS: whole(1, 256).optional(),
  /** Instances that may be alive at once. As many as fit unless it is set. */
  SLOTS: whole(2, 4_096).optional(),
  /** Memory that the tiers of all begun runs may add up to. Half of the machine's unless it is set. */
  MEMORY_BYTES_BUDGET: whole(tiers.basic.memoryBytesMax, Number.MAX_SAFE_INTEGER).optional(),
  /** Runs that one account may have begun while others want to run; at most SLOTS. Two a thread unless it is set. */
  ACCOUNT_RUNNING_MAX: whole(1, 4_096).optional(),
  /** Runs that may wait for a slot; one more is refused. */
  QUEUE_MAX: whole(1, 100_000).prefault('1024'),
  /** Runs of one account that may wait; at most QUEUE_MAX. Half of it unless it is set. */
  ACCOUNT_QUEUE_MAX: whole(1, 100_000).optional(),
  /** Inputs that may wait, in bytes. */
  QUEUE_BYTES_MAX: whole(limits.checkerInputBytesMax, Number.MAX_SAFE_INTEGER).prefault(
    String(Math.floor(Math.min(machineBytes / 32, 64 * MiB))),
  ),
  /** An execution that has not begun by then is refused. The Worker waits for 10 s beyond the run itself (workers/adapters/sandbox-http.ts). */
  QUEUE_WAIT_MS_MAX: whole(1, 9_000).prefault('5000'),
  /** Judgements that may run at once; one more is refused. */
  JUDGEMENTS_MAX: whole(1, 1_000).prefault('16'),
  /** Instances that wait for each hot program (the platform's published size), and of all programs together. */
  WARM_PER_PROGRAM: whole(0, 1_000).prefault('10'),
  WARM_TOTAL: whole(0, 4_096).prefault(String(slotsThatFit())),
  /** How long an instance waits before it is replaced; the platform's published time. */
  WARM_LIFETIME_MS: whole(1_000, 3_600_000).prefault('60000'),
  /** Compiled programs that DATA_DIR keeps; 0 keeps none. */
  CODE_BYTES_MAX: whole(0, Number.MAX_SAFE_INTEGER).prefault(String(256 * MiB)),
  /** Memory of a process that compiles a program. */
  COMPILER_BYTES_MAX: whole(64 * MiB, Number.MAX_SAFE_INTEGER).prefault(String(Math.floor(Math.min(machineBytes / 2, 512 * MiB)))),
  /** Memory for loaded programs that are not in use. */
  PROGRAM_BYTES_BUDGET: whole(MiB, Number.MAX_SAFE_INTEGER).prefault(String(Math.floor(Math.min(machineBytes / 8, 512 * MiB)))),
  /** How long a loaded program stays that nobody uses; loading it again takes a millisecond. */
  PROGRAM_IDLE_MS: whole(1_000, 86_400_000).prefault('120000'),
  /** Journal that is not handed over yet, to the Worker and, where it holds artifacts, to the bucket; beyond it new executions are refused. */
  JOURNAL_BYTES_MAX: whole(8 * MiB, Number.MAX_SAFE_INTEGER).prefault(String(256 * MiB)),
  /**
   * Free on the volume of DATA_DIR; with less new executions are refused. Holds what may be under way: results that wait for the disk
   * (64 MiB, journal.ts), two segments that a start writes anew.
   */
  DISK_FREE_BYTES_MIN: whole(0, Number.MAX_SAFE_INTEGER).prefault(String(96 * MiB)),
  /** Largest memory of a tier that is offered. */
  TIER_BYTES_MAX: whole(1, Number.MAX_SAFE_INTEGER).prefault(String(Math.floor(machineBytes / 2))),
  ...kafkaVariables,
  /** Time to finish what runs and to hand over what is finished, after SIGTERM. */
  DRAIN_GRACE_MS: whole(0, 300_000).prefault('20000'),
})

/** Instances of the smallest tier that half of the memory holds, between two and 64. */
function slotsThatFit(): number {
  const fit = Math.floor(machineBytes / 2 / tiers.basic.memoryBytesMax)
  return Math.max(2, Math.min(fit, 64))
}

export type Config = {
  nodeEnvironment: string
  logLevel: string
  port: number
  bind: string
  hostName: string
  instance: string | undefined
  dataDirectory: string
  secret: string
  workerUrl: string
  receiptKey: string | undefined
  bucket: { url: string; accessKeyId: string; secretAccessKey: string }
  engine: {
    choice: 'auto' | 'wasmtime' | 'quickjs'
    path: string
    threads: number
    slots: number
    /** A backstop: admission begins no more runs than there are slots. */
    queueMax: number
    memoryBytesMax: number
    warm: { perProgram: number; total: number; lifetimeMs: number }
  }
  scripts: { compiler: CompilerUse; canaryOneIn: number }
  admission: AdmissionLimits
  queueWaitMsMax: number
  tiers: TierName[]
  judgementsMax: number
  compilerBytesMax: number
  codeBytesMax: number
  programBytesBudget: number
  programIdleMs: number
  journalBytesMax: number
  diskFreeBytesMin: number
  drainGraceMs: number
  /** Where messages are taken from; undefined when the Worker takes them. */
  kafka: KafkaConfig | undefined
}

/** A mistake of whoever starts the host; the message is the line to print. */
export class ConfigError extends Error {}

/** @throws ConfigError naming the first bad variable, what it must be, and never its value when it is a secret */
export function readConfig(environment: Record<string, string | undefined>): Config {
  // An empty variable is an unset one: that is how shells and platforms clear them.
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''))
  const parsed = environmentSchema.safeParse(set)
  if (!parsed.success) throw new ConfigError(complaint(parsed.error, set))
  const env = parsed.data
  const offered = tierNames.filter((name) => tiers[name].memoryBytesMax <= env.TIER_BYTES_MAX)
  if (offered.length === 0) {
    throw new ConfigError(
      `TIER_BYTES_MAX is ${env.TIER_BYTES_MAX}: must be at least ${tiers.basic.memoryBytesMax}, the smallest tier's memory`,
    )
  }
  const largest = Math.max(...offered.map((name) => tiers[name].memoryBytesMax))
  const slots = env.SLOTS ?? Math.max(slotsThatFit(), (env.THREADS ?? 0) + 1)
  const threads = env.THREADS ?? Math.min(availableParallelism(), slots - 1)
  const memoryBytesBudget = env.MEMORY_BYTES_BUDGET ?? Math.max(Math.floor(machineBytes / 2), largest)
  const accountRunningMax = env.ACCOUNT_RUNNING_MAX ?? Math.min(threads * 2, slots)
  const accountQueueMax = env.ACCOUNT_QUEUE_MAX ?? Math.ceil(env.QUEUE_MAX / 2)
  require(slots > threads, `SLOTS is ${slots}: must be more than THREADS, which is ${threads}`)
  require(accountRunningMax <= slots, `ACCOUNT_RUNNING_MAX is ${accountRunningMax}: must be at most SLOTS, which is ${slots}`)
  require(accountQueueMax <= env.QUEUE_MAX, `ACCOUNT_QUEUE_MAX is ${accountQueueMax}: must be at most QUEUE_MAX, which is ${env.QUEUE_MAX}`)
  require(memoryBytesBudget >=
    largest, `MEMORY_BYTES_BUDGET is ${memoryBytesBudget}: must be at least ${largest}, the largest tier up to TIER_BYTES_MAX`)
  return {
    nodeEnvironment: env.NODE_ENV,
    logLevel: env.LOG_LEVEL,
    port: env.HOST_PORT,
    bind: env.HOST_BIND,
    hostName: env.HOST_ID,
    instance: env.INSTANCE_ID ?? env.FLY_MACHINE_ID,
    dataDirectory: env.DATA_DIR,
    secret: env.SANDBOX_SECRET,
    workerUrl: env.WORKER_URL,
    receiptKey: env.RECEIPT_KEY,
    bucket: { url: env.R2_ENDPOINT, accessKeyId: env.R2_ACCESS_KEY_ID, secretAccessKey: env.R2_SECRET_ACCESS_KEY },
    engine: {
      choice: env.ENGINE,
      path: env.ENGINE_PATH,
      threads,
      slots,
      queueMax: slots,
      memoryBytesMax: largest,
      warm: { perProgram: env.WARM_PER_PROGRAM, total: env.WARM_TOTAL, lifetimeMs: env.WARM_LIFETIME_MS },
    },
    scripts: { compiler: env.SCRIPT_COMPILER, canaryOneIn: env.SCRIPT_CANARY_ONE_IN },
    admission: {
      memoryBytesBudget,
      threads,
      runningMax: slots,
      accountRunningMax,
      queueMax: env.QUEUE_MAX,
      accountQueueMax,
      queueBytesMax: env.QUEUE_BYTES_MAX,
    },
    queueWaitMsMax: env.QUEUE_WAIT_MS_MAX,
    tiers: offered,
    judgementsMax: env.JUDGEMENTS_MAX,
    compilerBytesMax: env.COMPILER_BYTES_MAX,
    codeBytesMax: env.CODE_BYTES_MAX,
    programBytesBudget: env.PROGRAM_BYTES_BUDGET,
    programIdleMs: env.PROGRAM_IDLE_MS,
    journalBytesMax: env.JOURNAL_BYTES_MAX,
    diskFreeBytesMin: env.DISK_FREE_BYTES_MIN,
    drainGraceMs: env.DRAIN_GRACE_MS,
    kafka: kafkaConfig(env, (message) => new ConfigError(message)),
  }
}

function require(condition: boolean, message: string): void {
  if (!condition) throw new ConfigError(message)
}

function complaint(error: z.ZodError, set: Record<string, string | undefined>): string {
  const issue = error.issues[0]
  const name = String(issue?.path[0] ?? 'environment')
  const value = set[name]
  if (value === undefined) return `${name} is not set: it is needed`
  const shown = /SECRET|KEY|PASSWORD/.test(name) ? `has ${value.length} characters` : `is ${JSON.stringify(value)}`
  return `${name} ${shown}: ${issue?.message ?? 'is not allowed'}`
}
