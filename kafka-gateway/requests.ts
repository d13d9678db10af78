// Every request as its caller may write it; unknown fields are refused. The shapes are those of `@upstash/kafka`.
import { z } from 'zod'
import { GatewayError } from './gateway-error.ts'

/** Of one message: key, value and headers together. Kafka itself would take 1 MiB. */
export const messageBytesMax = 64 * 1024
/** Of a request. Kafka takes batches of 1 MiB, and what a message costs there is less than its JSON here. */
export const bodyBytesMax = 1024 * 1024
export const batchMax = 500
const partitionsMax = 500
const topicsMax = 64
const headersMax = 64
export const waitMsMax = 30_000

/** https://kafka.apache.org/documentation/#topicconfigs: a name; those with __ are Kafka's own. */
const topic = z
  .string()
  .regex(/^[\w.-]{1,249}$/, 'must be 1 to 249 of letters, digits, . _ -')
  .refine((name) => !name.startsWith('__') && name !== '.' && name !== '..', "must not be one of Kafka's own")
const partition = z.int().min(0).max(2_147_483_647)
const offset = z.int().min(0)
const name = z.string().regex(/^[\w.-]{1,128}$/, 'must be 1 to 128 of letters, digits, . _ -')
const wait = z.int().min(0).max(waitMsMax)

const messageSchema = z.strictObject({
  topic,
  value: z.string(),
  key: z.string().optional(),
  partition: partition.optional(),
  /** Milliseconds since 1970. */
  timestamp: z.int().min(0).optional(),
  headers: z
    .array(z.strictObject({ key: z.string().min(1), value: z.string() }))
    .max(headersMax)
    .optional(),
})
export type MessageToProduce = z.infer<typeof messageSchema>

const listOf = <T extends z.ZodType>(one: T, max: number) => z.union([one.transform((value) => [value]), z.array(one).min(1).max(max)])

/** One message or several. */
export const produceSchema = listOf(messageSchema, batchMax)

const topicPartition = z.strictObject({ topic, partition })
export type TopicPartition = z.infer<typeof topicPartition>
export const topicPartitionsSchema = listOf(topicPartition, partitionsMax)

const topicPartitionOffset = z.strictObject({ topic, partition, offset })
export type TopicPartitionOffset = z.infer<typeof topicPartitionOffset>
export const commitSchema = listOf(topicPartitionOffset, partitionsMax)

export const fetchSchema = z
  .strictObject({
    topic: topic.optional(),
    partition: partition.optional(),
    offset: offset.optional(),
    topicPartitionOffsets: z.array(topicPartitionOffset).max(partitionsMax).optional(),
    timeout: wait.optional(),
  })
  .transform((request, context) => {
    const { topicPartitionOffsets = [], timeout, ...one } = request
    const single = topicPartitionOffset.safeParse(one)
    const isSingle = Object.values(one).some((value) => value !== undefined)
    if (isSingle && !single.success) context.addIssue({ code: 'custom', message: 'topic, partition and offset go together' })
    const from = single.success ? [single.data, ...topicPartitionOffsets] : topicPartitionOffsets
    if (from.length === 0) context.addIssue({ code: 'custom', message: 'must name a topic, partition and offset' })
    return { from, waitMs: timeout ?? 1_000 }
  })

export const consumeSchema = z
  .strictObject({ topic: topic.optional(), topics: z.array(topic).min(1).max(topicsMax).optional(), timeout: wait.optional() })
  .refine((request) => (request.topic === undefined) !== (request.topics === undefined), 'must have either topic or topics')
  .transform(({ topic: one, topics, timeout }) => ({
    topics: [...new Set(topics ?? (one === undefined ? [] : [one]))],
    waitMs: timeout ?? 1_000,
  }))

export const resets = ['earliest', 'latest', 'none'] as const
/** Headers of a consume request; the client's documented defaults. */
export const consumeSettingsSchema = z.object({
  'kafka-enable-auto-commit': z.enum(['true', 'false']).default('true'),
  'kafka-auto-commit-interval': z
    .string()
    .regex(/^\d{1,7}$/, 'must be a whole number of milliseconds')
    .transform(Number)
    .refine((ms) => ms >= 100 && ms <= 3_600_000, 'must be from 100 to 3600000')
    .prefault('5000'),
  'kafka-auto-offset-reset': z.enum(resets).default('latest'),
})

export const instanceSchema = z.strictObject({ group: name, instance: name })
export const timestampSchema = z.strictObject({
  timestamp: z.union([
    z.enum(['earliest', 'latest']),
    z.string().regex(/^\d{1,15}$/, 'must be earliest, latest or milliseconds since 1970'),
  ]),
})

/** @throws GatewayError 400 with the field and what is wrong with it */
export function parse<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const { field, message } = firstComplaint(parsed.error.issues)
  throw new GatewayError(400, `${field}: ${message}`)
}

/** Of a union the branch that came furthest: a list is not told that it is no object. */
function firstComplaint(issues: z.core.$ZodIssue[], path: PropertyKey[] = []): { field: string; message: string } {
  const issue = issues[0]
  if (issue === undefined) return { field: 'body', message: 'is not allowed' }
  const here = [...path, ...issue.path]
  if (issue.code === 'invalid_union') {
    const depth = (branch: z.core.$ZodIssue[]) => Math.max(...branch.map((inner) => inner.path.length), 0)
    const [best] = issue.errors.filter((branch) => branch.length > 0).toSorted((a, b) => depth(b) - depth(a))
    if (best !== undefined) return firstComplaint(best, here)
  }
  return { field: here.map(String).join('.') || 'body', message: issue.message }
}

/** @throws GatewayError 400 */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw new GatewayError(400, `the body of ${body.length} bytes is not JSON`, { cause })
  }
}

/** @throws GatewayError 413 */
export function checkSizes(messages: MessageToProduce[]): void {
  for (const { topic: to, key = '', value, headers = [] } of messages) {
    const parts = [key, value, ...headers.flatMap((header) => [header.key, header.value])]
    const bytes = parts.reduce((sum, part) => sum + Buffer.byteLength(part), 0)
    if (bytes > messageBytesMax) {
      throw new GatewayError(413, `a message to ${to} has ${bytes} bytes in key, value and headers; at most ${messageBytesMax} are allowed`)
    }
  }
}
