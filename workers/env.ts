// What the deployment gives the Worker: bindings and variables of wrangler.toml, and secrets. Checked once; one bad value is one line that
// names it and never quotes a secret.
import { z } from 'zod'
import { topicPrefixForm, topicPrefixRule } from '../shared/event-log.ts'
import type { QueueBinding } from './adapters/queues.ts'
import type { R2Binding, S3Access } from './adapters/r2.ts'

const days = z
  .string()
  .regex(/^\d{1,5}$/, 'must be a whole number of days from 1 to 36500')
  .transform(Number)
  .refine((value) => value >= 1 && value <= 36_500, 'must be a whole number of days from 1 to 36500')

const textSchema = z.object({
  DATABASE_URL: z.string().regex(/^postgres(ql)?:\/\//, 'must be a postgres:// URL'),
  /** Set on a developer's machine only: where the protocol of Neon's driver is spoken instead. */
  NEON_HTTP_ENDPOINT: z.url().optional(),
  UPSTASH_REDIS_REST_URL: z.url(),
  UPSTASH_REDIS_REST_TOKEN: z.string().min(1, 'must not be empty'),
  /** Origins of web pages that may call with a key, with commas between them. */
  CORS_ORIGINS: z
    .string()
    .default('')
    .transform((text) =>
      text
        .split(',')
        .map((origin) => origin.trim())
        .filter(Boolean),
    )
    .pipe(z.array(z.string().regex(/^https?:\/\/[^/\s]+$/, 'must be origins such as https://app.example.com, with commas between them'))),
  /** Secrets of webhooks are encrypted under it. With another one, those that there are sign no more. */
  WEBHOOK_ENCRYPTION_KEY: z.string().min(32, 'must have at least 32 characters'),
  /** DNS over HTTPS in JSON: tells whether a webhook's name stands for public addresses. */
  DNS_URL: z.url().default('https://cloudflare-dns.com/dns-query'),
  /** Set on a developer's machine only: webhooks may be at any address that can be called from there. */
  ALLOW_LOCAL_WEBHOOKS: z.literal('yes', 'must be "yes", or absent').optional(),
  SANDBOX_URL: z.url(),
  SANDBOX_SECRET: z.string().min(32, 'must have at least 32 characters'),
  /** Which driver carries messages. */
  EVENT_LOG: z.enum(['queues', 'kafka']).default('queues'),
  /** With EVENT_LOG=kafka: where kafka-gateway/ is, and its GATEWAY_USERNAME and GATEWAY_PASSWORD. */
  UPSTASH_KAFKA_REST_URL: z.url().optional(),
  UPSTASH_KAFKA_REST_USERNAME: z.string().min(1).optional(),
  UPSTASH_KAFKA_REST_PASSWORD: z.string().min(1).optional(),
  /** Begins the name of each topic, where others use the same cluster. */
  KAFKA_TOPIC_PREFIX: z.string().regex(topicPrefixForm, topicPrefixRule).default(''),
  /** Behind their end. Artifacts are kept no longer than the executions that made them. */
  ARTIFACTS_KEPT_DAYS: days.prefault('30'),
  EXECUTIONS_KEPT_DAYS: days.prefault('90'),
  /** The bucket over the S3 protocol, URL up to and including it, with a key that may read objects: signs URLs. All three or none. */
  R2_ENDPOINT: z.url().optional(),
  R2_ACCESS_KEY_ID: z.string().optional(),
  R2_SECRET_ACCESS_KEY: z.string().optional(),
  ADMIN_KEY_SHA256: z.string().regex(/^[0-9a-f]{64}$/, 'must be the SHA-256 of the key as 64 lower-case hex digits'),
})

/** As the platform gives it. */
type Bindings = { ARTIFACTS: R2Binding; EVENT_QUEUE: QueueBinding }
export type Env = z.input<typeof textSchema> & Bindings
/** `kafka` is there with EVENT_LOG=kafka; `presigner` where the bucket's key is set. */
export type CheckedEnv = z.infer<typeof textSchema> & Bindings & { kafka: KafkaAccess | undefined; presigner: S3Access | undefined }
export type KafkaAccess = { url: string; username: string; password: string; topicPrefix: string }

/** @throws Error naming the variable */
export function checkEnv(env: Env): CheckedEnv {
  // An empty variable is an unset one.
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => (value as unknown) !== ''))
  const result = textSchema.safeParse(set)
  if (!result.success) {
    const issue = result.error.issues[0]
    throw new Error(`${String(issue?.path[0])} ${issue?.message ?? 'is not allowed'}`)
  }
  const { ARTIFACTS_KEPT_DAYS, EXECUTIONS_KEPT_DAYS, R2_ENDPOINT, R2_ACCESS_KEY_ID, R2_SECRET_ACCESS_KEY } = result.data
  if (ARTIFACTS_KEPT_DAYS > EXECUTIONS_KEPT_DAYS)
    throw new Error(`ARTIFACTS_KEPT_DAYS must be at most EXECUTIONS_KEPT_DAYS, which is ${EXECUTIONS_KEPT_DAYS}`)
  const access = [R2_ENDPOINT, R2_ACCESS_KEY_ID, R2_SECRET_ACCESS_KEY]
  const [url, accessKeyId, secretAccessKey] = access
  if (access.some((value) => value !== undefined) && access.includes(undefined))
    throw new Error('R2_ENDPOINT, R2_ACCESS_KEY_ID and R2_SECRET_ACCESS_KEY must be set together, or none of them')
  const presigner = url && accessKeyId && secretAccessKey ? { url, accessKeyId, secretAccessKey } : undefined
  return { ...result.data, presigner, kafka: kafkaOf(result.data), ARTIFACTS: env.ARTIFACTS, EVENT_QUEUE: env.EVENT_QUEUE }
}

function kafkaOf(env: z.infer<typeof textSchema>): KafkaAccess | undefined {
  if (env.EVENT_LOG !== 'kafka') return undefined
  const need = (name: 'UPSTASH_KAFKA_REST_URL' | 'UPSTASH_KAFKA_REST_USERNAME' | 'UPSTASH_KAFKA_REST_PASSWORD') => {
    const value = env[name]
    if (value === undefined) throw new Error(`${name} is not set: it is needed with EVENT_LOG=kafka`)
    return value
  }
  return {
    url: need('UPSTASH_KAFKA_REST_URL'),
    username: need('UPSTASH_KAFKA_REST_USERNAME'),
    password: need('UPSTASH_KAFKA_REST_PASSWORD'),
    topicPrefix: env.KAFKA_TOPIC_PREFIX,
  }
}
