// The event log over Kafka, through the REST protocol that kafka-gateway/ speaks. Whoever takes the messages does it natively
// (sandbox-host/kafka-consumer.ts).
import { Kafka } from '@upstash/kafka'

export type KafkaEventLogOptions = {
  url: string
  username: string
  password: string
  /** How long a call waits for Kafka. The client itself tries for 15.5 s, which no request may wait for; what it still does then counts. */
  patienceMs?: number
}

/** What is published: its topic says where to, and all of it is the value. */
type TopicMessage = { topic: string }
export type KafkaEventLog<M extends TopicMessage> = {
  /** Kafka cannot hold a message back: one that is not for now is left out, and the sweep finds what it was about. Throws plain errors. */
  publish: (messages: M[], options?: { delaySeconds: number }) => Promise<void>
  ping: () => Promise<void>
}

/** Of one call: kafka-gateway/requests.ts */
const batchMessagesMax = 500
const patienceMsDefault = 3_000

export function kafkaEventLog<M extends TopicMessage>(options: KafkaEventLogOptions): KafkaEventLog<M> {
  const { patienceMs = patienceMsDefault, ...access } = options
  const kafka = new Kafka(access)

  return {
    async publish(messages, { delaySeconds } = { delaySeconds: 0 }) {
      if (delaySeconds > 0) return
      for (let from = 0; from < messages.length; from += batchMessagesMax) {
        const batch = messages.slice(from, from + batchMessagesMax).map((message) => ({ topic: message.topic, value: message }))
        await within(patienceMs, kafka.producer().produceMany(batch))
      }
    },
    async ping() {
      await within(patienceMs, kafka.admin().topics())
    },
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`Kafka did not answer within ${ms} ms`)), ms)
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
