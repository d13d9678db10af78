// Writes messages and says where each one is. An answer means that all replicas in sync have them; an error means that they may be there
// or not, all or some: whoever tries again may write a message twice.
import { murmur2, ProduceAcks, type Producer } from '@platformatic/kafka'
import { GatewayError } from './gateway-error.ts'
import type { MessageToProduce } from './requests.ts'
import type { Topics } from './topics.ts'

export type Produced = { topic: string; partition: number; offset: number; timestamp: number }
type Placed = { index: number; message: MessageToProduce; partition: number; timestamp: number }
export type Produce = (messages: MessageToProduce[]) => Promise<Produced[]>

export function createProduce({ producer, topics, now }: { producer: Producer; topics: Topics; now: () => number }): Produce {
  /** Of messages without a key, which go round the partitions. */
  let turn = 0

  async function place({ topic, key, partition }: MessageToProduce): Promise<number> {
    const { partitionsCount } = await topics.find(topic)
    if (partition !== undefined) {
      // The client would take it modulo the number of partitions.
      if (partition < partitionsCount) return partition
      throw new GatewayError(404, `topic ${topic} has no partition ${partition}; its last is ${partitionsCount - 1}`)
    }
    if (key !== undefined) return partitionOf(Buffer.from(key), partitionsCount)
    turn = (turn + 1) % Number.MAX_SAFE_INTEGER
    return turn % partitionsCount
  }

  /**
   * One partition's messages, which are written together or not at all; a request for several would be repeated whole when one fails. Not
   * idempotent: the client forgets its sequence numbers when any request fails, and Kafka takes a number that comes again for a message that
   * it has. A message that is there twice is allowed, one that is acknowledged and not there is not.
   */
  async function send(batch: Placed[]): Promise<{ index: number; produced: Produced }[]> {
    const { offsets: [written] = [] } = await producer.send({
      acks: ProduceAcks.ALL,
      idempotent: false,
      repeatOnStaleMetadata: true,
      messages: batch.map(({ message: { topic, key, value, headers = [] }, partition, timestamp }) => ({
        topic,
        partition,
        value: Buffer.from(value),
        ...(key === undefined ? {} : { key: Buffer.from(key) }),
        // Buffers as keys of the map are never equal, so that a header may come twice.
        headers: new Map(headers.map((header) => [Buffer.from(header.key), Buffer.from(header.value)])),
        timestamp: BigInt(timestamp),
      })),
    })
    if (written === undefined) throw new Error('Kafka did not say where the messages are')
    const first = Number(written.offset)
    return batch.map(({ index, message: { topic }, partition, timestamp }, position) => ({
      index,
      produced: { topic, partition, offset: first + position, timestamp },
    }))
  }

  return async (messages) => {
    const at = now()
    const placed: Placed[] = []
    for (const [index, message] of messages.entries()) {
      placed.push({ index, message, partition: await place(message), timestamp: message.timestamp ?? at })
    }
    const batches = Map.groupBy(placed, ({ message, partition }) => `${message.topic}:${partition}`)
    // All have ended before anything is said, so that a caller who tries again writes behind what there is.
    const sent = await Promise.allSettled([...batches.values()].map(send))
    const answers: Produced[] = []
    for (const result of sent) {
      if (result.status === 'rejected') throw result.reason
      for (const { index, produced } of result.value) answers[index] = produced
    }
    return answers
  }
}

/** As Java's clients do it, so that a key has one partition whoever writes it. */
export function partitionOf(key: Buffer, partitionsCount: number): number {
  return (murmur2(key) & 0x7f_ff_ff_ff) % partitionsCount
}
