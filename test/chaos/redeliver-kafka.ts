// Writes to the topics of work again what it reads there: each message twice more, in the reverse order and late, as it was signed.
import { setTimeout as sleep } from 'node:timers/promises'
import { Kafka } from '@upstash/kafka'
import { workTopics } from '../../shared/event-log.ts'
import { signatureHeader } from '../../shared/signing.ts'
import type { KafkaPlace } from '../../local/kafka-parts.ts'
import { partitions } from '../../local/kafka-topics.ts'

export type Redelivery = {
  /** @returns what ends it */
  redeliver: () => () => void
  /** Messages that were sent again. */
  sentAgain: () => number
}

/** So many of those that were read last. */
const againMax = 50
const pauseMs = 300

export function redeliverFromKafka(gateway: KafkaPlace['gateway']): Redelivery {
  const kafka = new Kafka(gateway)
  const places = workTopics.flatMap((topic) => Array.from({ length: partitions }, (_, partition) => ({ topic, partition, offset: 0 })))
  /** A copy has the signature of what it is a copy of. */
  const signatures = new Set<string>()
  let sent = 0

  async function sendAgain(): Promise<void> {
    const read = await kafka.consumer().fetch({ topicPartitionOffsets: places, timeout: 500 })
    for (const { topic, partition, offset } of read) {
      const place = places.find((known) => known.topic === topic && known.partition === partition)
      if (place) place.offset = Math.max(place.offset, offset + 1)
    }
    const fresh = read.filter(({ headers }) => {
      const signature = headers.find(({ key }) => key === signatureHeader)?.value ?? ''
      const isKnown = signatures.has(signature)
      signatures.add(signature)
      return !isKnown
    })
    const again = fresh.slice(-againMax)
    for (const { topic, key, value, headers } of again.toReversed().concat(again)) {
      await kafka.producer().produce(topic, value, { key, headers })
      sent++
    }
  }

  return {
    redeliver() {
      const over = new AbortController()
      const run = async () => {
        while (!over.signal.aborted) {
          // The broker or its gateway may be away.
          await sendAgain().catch(() => {})
          await sleep(pauseMs, undefined, { ref: false })
        }
      }
      void run()
      return () => over.abort()
    },
    sentAgain: () => sent,
  }
}
