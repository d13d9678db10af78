// Everything the gateway is told from outside, read once from the environment and checked: one bad variable is one line that names it.
import { z } from 'zod'

const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be a whole number from ${min} to ${max}`)

const brokers = z
  .string()
  .transform((text) => text.split(',').map((broker) => broker.trim()))
  .refine(
    (list) => list.every((broker) => /^(\[[0-9a-fA-F:]+\]|[\w.-]+):\d{1,5}$/.test(broker)),
    'must be host:port, several with commas between them',
  )

const environmentSchema = z.object({
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  GATEWAY_PORT: whole(0, 65_535).prefault('8790'),
  GATEWAY_BIND: z.string().default('127.0.0.1'),
  GATEWAY_USERNAME: z.string().regex(/^[\w.-]{1,128}$/, 'must be 1 to 128 of letters, digits, _ . -'),
  /** ASCII, because the client encodes nothing else; long, because nobody counts the tries. */
  GATEWAY_PASSWORD: z
    .string()
    .regex(/^[\x21-\x7e]{32,256}$/, 'must be 32 to 256 printable ASCII characters, e.g. of `openssl rand -hex 32`'),
  KAFKA_BROKERS: brokers,
  KAFKA_TLS: z.enum(['true', 'false']).default('false'),
  KAFKA_SASL_MECHANISM: z.enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']).optional(),
  KAFKA_USERNAME: z.string().optional(),
  KAFKA_PASSWORD: z.string().optional(),
  /** Consumer instances that may be alive at once; each holds two connections. */
  INSTANCES_MAX: whole(1, 1_000).prefault('64'),
  /** An instance that nobody asked for so long leaves its group. */
  INSTANCE_IDLE_MS: whole(1_000, 3_600_000).prefault('300000'),
  /** Requests under way at once; one more is refused. */
  REQUESTS_MAX: whole(1, 10_000).prefault('256'),
  /** Time to finish what is under way and to leave the groups, after SIGTERM. */
  DRAIN_GRACE_MS: whole(0, 300_000).prefault('10000'),
})

export type KafkaAccess = {
  brokers: string[]
  isEncrypted: boolean
  sasl?: { mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'; username: string; password: string }
}

export type Config = {
  logLevel: string
  port: number
  bind: string
  username: string
  password: string
  kafka: KafkaAccess
  instancesMax: number
  instanceIdleMs: number
  requestsMax: number
  drainGraceMs: number
}

/** A mistake of whoever starts the gateway; the message is the line to print. */
export class ConfigError extends Error {}

/** @throws ConfigError naming the first bad variable and what it must be, never the value of a password */
export function readConfig(environment: Record<string, string | undefined>): Config {
  // An empty variable is an unset one: that is how shells and platforms clear them.
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''))
  const parsed = environmentSchema.safeParse(set)
  if (!parsed.success) throw new ConfigError(complaint(parsed.error, set))
  const env = parsed.data
  const kafka: KafkaAccess = { brokers: env.KAFKA_BROKERS, isEncrypted: env.KAFKA_TLS === 'true' }
  if (env.KAFKA_SASL_MECHANISM !== undefined) {
    if (env.KAFKA_USERNAME === undefined || env.KAFKA_PASSWORD === undefined) {
      throw new ConfigError('KAFKA_SASL_MECHANISM is set: KAFKA_USERNAME and KAFKA_PASSWORD are needed with it')
    }
    kafka.sasl = { mechanism: env.KAFKA_SASL_MECHANISM, username: env.KAFKA_USERNAME, password: env.KAFKA_PASSWORD }
  }
  return {
    logLevel: env.LOG_LEVEL,
    port: env.GATEWAY_PORT,
    bind: env.GATEWAY_BIND,
    username: env.GATEWAY_USERNAME,
    password: env.GATEWAY_PASSWORD,
    kafka,
    instancesMax: env.INSTANCES_MAX,
    instanceIdleMs: env.INSTANCE_IDLE_MS,
    requestsMax: env.REQUESTS_MAX,
    drainGraceMs: env.DRAIN_GRACE_MS,
  }
}

function complaint(error: z.ZodError, set: Record<string, string | undefined>): string {
  const issue = error.issues[0]
  const name = String(issue?.path[0] ?? 'environment')
  const value = set[name]
  if (value === undefined) return `${name} is not set: it is needed`
  const shown = name.includes('PASSWORD') ? `has ${value.length} characters` : `is ${JSON.stringify(value)}`
  return `${name} ${shown}: ${issue?.message ?? 'is not allowed'}`
}
