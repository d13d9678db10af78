// The event log over Kafka, through the REST protocol that kafka-gateway/ speaks. Messages of work are taken natively by the hosts
// (sandbox-host/kafka-consumer.ts), and each is signed: whoever may write to a topic of the cluster is not thereby believed.
import { Kafka } from '@upstash/kafka'
import { announcedSubject } from '../../shared/announcements.ts'
import { announcementTopics, messageBytesMax, subjectOf, workTopics, type HeldMessage } from '../../shared/event-log.ts'
import type { EventLog } from '../../shared/event-log-port.ts'
import { publishMethod } from '../../shared/signing.ts'
import type { Signer } from '../signature.ts'

export type KafkaEventLogOptions = {
  url: string
  username: string
  password: string
  topicPrefix: string
  /** For the audience `event-log`. */
  sign: Signer
  now?: () => number
  /** How long a call waits for Kafka. The client itself tries for 15.5 s, which no request may wait for; what it still does then counts. */
  patienceMs?: number
}

/** Of one call: kafka-gateway/requests.ts takes 500 and a megabyte. */
const batchMessagesMax = 500
const batchBytesMax = 512 * 1024
const patienceMsDefault = 3_000

type Outgoing = { topic: string; key: string; value: string; headers: { key: string; value: string }[] }

export function kafkaEventLog(options: KafkaEventLogOptions): EventLog {
  const { patienceMs = patienceMsDefault, topicPrefix, sign, now = Date.now, ...access } = options
  const kafka = new Kafka(access)
  const topics = [...workTopics, ...announcementTopics].map((name) => topicPrefix + name)

  async function signed(kind: string, key: string, content: object): Promise<Outgoing> {
    const topic = topicPrefix + kind
    const value = JSON.stringify(content)
    const body = new TextEncoder().encode(value)
    const headers = Object.entries(await sign({ audience: 'event-log', method: publishMethod, path: topic, body }))
    // As the gateway counts.
    const bytes = [[key, ''], ...headers].reduce((sum, [name = '', text = '']) => sum + name.length + text.length, body.length)
    if (bytes > messageBytesMax) throw new Error(`a message to ${topic} has ${bytes} bytes; at most ${messageBytesMax} are allowed`)
    return { topic, key, value, headers: headers.map(([header, text]) => ({ key: header, value: text })) }
  }

  async function send(messages: Outgoing[]): Promise<void> {
    for (const batch of batches(messages)) await within(patienceMs, kafka.producer().produceMany(batch))
  }

  return {
    isTakenByHosts: true,
    async publish(messages, { delaySeconds } = { delaySeconds: 0 }) {
      const held = delaySeconds > 0 ? { notBefore: Math.ceil(now() + delaySeconds * 1_000) } : {}
      const outgoing = messages.map((message) => signed(message.topic, subjectOf(message), { message, ...held } satisfies HeldMessage))
      await send(await Promise.all(outgoing))
    },
    async announce(announcements) {
      await send(
        await Promise.all(announcements.map((announcement) => signed(announcement.topic, announcedSubject(announcement), announcement))),
      )
    },
    async ping() {
      const known = await within(patienceMs, kafka.admin().topics())
      const missing = topics.find((topic) => !(topic in known))
      if (missing !== undefined) throw new Error(`topic ${missing} does not exist`)
    },
  }
}

function batches(messages: Outgoing[]): Outgoing[][] {
  const all: Outgoing[][] = []
  let bytes = 0
  for (const message of messages) {
    // At most three bytes a character, and the frame around them.
    const own = message.value.length * 3 + 1_024
    const last = all.at(-1)
    if (last === undefined || last.length >= batchMessagesMax || bytes + own > batchBytesMax) {
      all.push([message])
      bytes = own
    } else {
      last.push(message)
      bytes += own
    }
  }
  return all
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
