// What of the host's environment is about the event log: whether it takes messages from Kafka itself, and how it reaches the brokers.
import { z } from 'zod'
import { topicPrefixForm, topicPrefixRule } from '../shared/event-log.ts'
import type { KafkaAccess } from './kafka-consumer.ts'

export const kafkaVariables = {
  /** `queues`: the Worker takes the messages, and calls. */
  EVENT_LOG: z.enum(['queues', 'kafka']).default('queues'),
  KAFKA_BROKERS: z
    .string()
    .transform((text) => text.split(',').map((broker) => broker.trim()))
    .refine(
      (brokers) => brokers.every((broker) => /^(\[[0-9a-f:]+\]|[\w.-]+):\d{1,5}$/.test(broker)),
      'must be host:port, several with commas between them',
    )
    .optional(),
  KAFKA_TLS: z.enum(['true', 'false']).default('false'),
  KAFKA_SASL_MECHANISM: z.enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']).optional(),
  KAFKA_USERNAME: z.string().min(1).optional(),
  KAFKA_PASSWORD: z.string().min(1).optional(),
  /** Hosts of one group share the messages. */
  KAFKA_GROUP: z
    .string()
    .regex(/^[\w.-]{1,100}$/, 'must be 1 to 100 letters, digits, ".", "_" or "-"')
    .default('sandbox-hosts'),
  KAFKA_TOPIC_PREFIX: z.string().regex(topicPrefixForm, topicPrefixRule).default(''),
}
const environmentSchema = z.object(kafkaVariables)

export type KafkaConfig = KafkaAccess & { group: string; topicPrefix: string }

/** @returns undefined when messages are not taken from Kafka. @throws what `fail` makes of a sentence that names the variable */
export function kafkaConfig(env: z.infer<typeof environmentSchema>, fail: (message: string) => Error): KafkaConfig | undefined {
  if (env.EVENT_LOG !== 'kafka') return undefined
  if (env.KAFKA_BROKERS === undefined) throw fail('KAFKA_BROKERS is not set: it is needed with EVENT_LOG=kafka')
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_USERNAME: username, KAFKA_PASSWORD: password } = env
  const access: KafkaConfig = {
    brokers: env.KAFKA_BROKERS,
    isEncrypted: env.KAFKA_TLS === 'true',
    group: env.KAFKA_GROUP,
    topicPrefix: env.KAFKA_TOPIC_PREFIX,
  }
  if (mechanism === undefined) return access
  if (username === undefined || password === undefined)
    throw fail('KAFKA_SASL_MECHANISM is set: KAFKA_USERNAME and KAFKA_PASSWORD are needed with it')
  return { ...access, sasl: { mechanism, username, password } }
}
