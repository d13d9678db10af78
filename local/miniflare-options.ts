// What `wrangler.toml` says, as miniflare's options. A section that is not translated here is an error, so that nothing which exists in
// production is silently missing on this machine.
import { z } from 'zod'

const binding = z.string().regex(/^[A-Za-z_$][\w$]*$/)
const name = z.string().min(1)

const producerSchema = z.strictObject({ binding, queue: name, delivery_delay: z.number().int().nonnegative().optional() })
const consumerSchema = z.strictObject({
  queue: name,
  max_batch_size: z.number().int().positive().optional(),
  max_batch_timeout: z.number().nonnegative().optional(),
  max_retries: z.number().int().nonnegative().optional(),
  retry_delay: z.number().int().nonnegative().optional(),
  dead_letter_queue: name.optional(),
  /** miniflare runs one consumer. */
  max_concurrency: z.number().int().positive().nullable().optional(),
})
const rateLimitSchema = z.strictObject({
  name: binding,
  namespace_id: z.string(),
  /** Seconds: 10 or 60, as Cloudflare allows. */
  simple: z.strictObject({ limit: z.number().int().positive(), period: z.union([z.literal(10), z.literal(60)]) }),
})

/** Of no effect on what the Worker is bound to: how Cloudflare deploys, routes and observes it. */
const withoutEffect = [
  '$schema',
  'account_id',
  'workers_dev',
  'preview_urls',
  'route',
  'routes',
  'minify',
  'keep_names',
  'logpush',
  'placement',
]
const alsoWithoutEffect = [
  'observability',
  'limits',
  'upload_source_maps',
  'send_metrics',
  'dev',
  'find_additional_modules',
  'no_bundle',
  'secrets',
]

const wranglerSchema = z.strictObject({
  name,
  main: name,
  compatibility_date: z.iso.date(),
  compatibility_flags: z.array(z.string()).default([]),
  vars: z.record(binding, z.json()).default({}),
  r2_buckets: z
    .array(z.strictObject({ binding, bucket_name: name, preview_bucket_name: name.optional(), jurisdiction: z.string().optional() }))
    .default([]),
  queues: z.strictObject({ producers: z.array(producerSchema).default([]), consumers: z.array(consumerSchema).default([]) }).prefault({}),
  ratelimits: z.array(rateLimitSchema).default([]),
  triggers: z.strictObject({ crons: z.array(z.string()).default([]) }).prefault({}),
  ...Object.fromEntries([...withoutEffect, ...alsoWithoutEffect].map((section) => [section, z.unknown().optional()])),
})

export type LocalWorker = {
  /** The Worker's entry, relative to `wrangler.toml`. */
  main: string
  /** Miniflare fires nothing on a schedule; `edge.ts` does, more often than it says here. */
  crons: string[]
  /** Bucket names in the order of the file. */
  buckets: string[]
  options: {
    name: string
    compatibilityDate: string
    compatibilityFlags: string[]
    bindings: Record<string, z.infer<ReturnType<typeof z.json>>>
    r2Buckets: Record<string, { id: string; s3Credentials: S3Credentials }>
    queueProducers: Record<string, { queueName: string; deliveryDelay?: number }>
    queueConsumers: Record<string, QueueConsumer>
    ratelimits: Record<string, { simple: { limit: number; period: 10 | 60 } }>
  }
}
type S3Credentials = { accessKeyId: string; secretAccessKey: string }
type QueueConsumer = { maxBatchSize?: number; maxBatchTimeout?: number; maxRetries?: number; retryDelay?: number; deadLetterQueue?: string }

export type LocalWorkerSettings = {
  /** Secrets and addresses of this machine; they win over `[vars]`. */
  bindings: Record<string, string>
  s3Credentials: S3Credentials
}

/** @param wrangler `wrangler.toml`, parsed; throws naming the first section or field that cannot be translated */
export function miniflareOptions(wrangler: unknown, { bindings, s3Credentials }: LocalWorkerSettings): LocalWorker {
  const parsed = wranglerSchema.safeParse(wrangler)
  if (!parsed.success) {
    throw new Error(`wrangler.toml has what local/miniflare-options.ts does not translate:\n${z.prettifyError(parsed.error)}`)
  }
  const config = parsed.data
  return {
    main: config.main,
    crons: config.triggers.crons,
    buckets: config.r2_buckets.map((bucket) => bucket.bucket_name),
    options: {
      name: config.name,
      compatibilityDate: config.compatibility_date,
      compatibilityFlags: config.compatibility_flags,
      bindings: { ...config.vars, ...bindings },
      r2Buckets: Object.fromEntries(config.r2_buckets.map((bucket) => [bucket.binding, { id: bucket.bucket_name, s3Credentials }])),
      queueProducers: Object.fromEntries(
        config.queues.producers.map((producer) => [
          producer.binding,
          { queueName: producer.queue, ...defined({ deliveryDelay: producer.delivery_delay }) },
        ]),
      ),
      queueConsumers: Object.fromEntries(
        config.queues.consumers.map((consumer) => [
          consumer.queue,
          defined({
            maxBatchSize: consumer.max_batch_size,
            maxBatchTimeout: consumer.max_batch_timeout,
            maxRetries: consumer.max_retries,
            retryDelay: consumer.retry_delay,
            deadLetterQueue: consumer.dead_letter_queue,
          }),
        ]),
      ),
      ratelimits: Object.fromEntries(config.ratelimits.map((limit) => [limit.name, { simple: limit.simple }])),
    },
  }
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

function defined<T extends Record<string, unknown>>(fields: T): Defined<T> {
  // The entries that are left are those of T without the undefined ones, which is what Defined says.
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>
}
