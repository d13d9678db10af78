// Reads records from given offsets on, without a group: what `fetch` answers with, and what the instances of groups read their partitions
// with. Each read has a reader to itself, because a fetch session is one conversation; readers are used again, so that there are as many as
// there were reads at once.
import { FetchIsolationLevels, type Consumer } from '@platformatic/kafka'
import { GatewayError } from './gateway-error.ts'
import type { Topics } from './topics.ts'

export type Position = { topic: string; partition: number; offset: bigint }
export type ReadRecord = Position & {
  leaderEpoch: number
  timestamp: bigint
  key: Buffer | null
  value: Buffer | null
  headers: [Buffer | null, Buffer | null][]
}
/** `next`: where to go on, for every partition that brought anything; behind records of transactions, too, which nobody sees. */
export type ReadResult = { records: ReadRecord[]; next: (Position & { leaderEpoch: number })[] }

/** Of one read, before JSON: an answer stays below some megabytes whatever waits in the partitions. */
const readBytesMax = 1024 * 1024
export const readRecordsMax = 1_000
/** Control records mark the ends of transactions: https://kafka.apache.org/documentation/#controlbatch */
const isControl = 1 << 5

export type RecordReaderOptions = { createReader: () => Consumer; topics: Topics }

export class RecordReader {
  readonly #options: RecordReaderOptions
  readonly #free: Consumer[] = []

  constructor(options: RecordReaderOptions) {
    this.#options = options
  }

  /** Waits at most so long for a first record. @throws GatewayError 404; Kafka's OFFSET_OUT_OF_RANGE */
  async read(positions: Position[], waitMs: number): Promise<ReadResult> {
    const byLeader = new Map<number, Position[]>()
    const ids = new Map<string, string>()
    for (const position of positions) {
      const topic = await this.#options.topics.find(position.topic)
      const leader = topic.leaders[position.partition]
      if (leader === undefined) throw new GatewayError(404, `topic ${position.topic} has no partition ${position.partition}`)
      ids.set(topic.id, position.topic)
      byLeader.set(leader, [...(byLeader.get(leader) ?? []), position])
    }
    const idOf = new Map([...ids].map(([id, name]) => [name, id]))
    const reader = this.#free.pop() ?? this.#options.createReader()
    for (const name of idOf.keys()) reader.topics.track(name)
    try {
      const responses = await Promise.all(
        [...byLeader].map(([node, wanted]) =>
          reader.fetch({
            node,
            maxWaitTime: waitMs,
            minBytes: 1,
            maxBytes: readBytesMax,
            isolationLevel: FetchIsolationLevels.READ_COMMITTED,
            topics: [...Map.groupBy(wanted, ({ topic }) => topic)].map(([topic, partitions]) => ({
              topicId: idOf.get(topic) ?? '',
              partitions: partitions.map(({ partition, offset }) => ({
                partition,
                fetchOffset: offset,
                currentLeaderEpoch: -1,
                lastFetchedEpoch: -1,
                partitionMaxBytes: readBytesMax,
              })),
            })),
          }),
        ),
      )
      return cut(
        responses.map((response) => recordsOf(response, ids)),
        positions,
      )
    } finally {
      for (const name of idOf.keys()) reader.topics.untrack(name)
      this.#free.push(reader)
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#free.splice(0).map((reader) => reader.close(true)))
  }
}

type FetchResponse = Awaited<ReturnType<Consumer['fetch']>>
type Batch = { topic: string; partition: number; records: ReadRecord[]; next: bigint; leaderEpoch: number }

function recordsOf(response: FetchResponse, names: ReadonlyMap<string, string>): Batch[] {
  return response.responses.flatMap(({ topicId, partitions }) =>
    partitions.flatMap(({ partitionIndex: partition, records }) =>
      (records ?? []).map((batch) => ({
        topic: names.get(topicId) ?? '',
        partition,
        next: batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n,
        leaderEpoch: batch.partitionLeaderEpoch,
        records:
          (batch.attributes & isControl) !== 0
            ? []
            : batch.records.map(({ key, value, headers, offsetDelta, timestampDelta }) => ({
                topic: names.get(topicId) ?? '',
                partition,
                offset: batch.firstOffset + BigInt(offsetDelta),
                leaderEpoch: batch.partitionLeaderEpoch,
                timestamp: batch.firstTimestamp + timestampDelta,
                key,
                value,
                headers,
              })),
      })),
    ),
  )
}

/** Leaves out what lies before the offset that was asked for (Kafka gives whole batches) and what is beyond the bound. */
function cut(responses: Batch[][], positions: Position[]): ReadResult {
  const wanted = new Map(positions.map(({ topic, partition, offset }) => [`${topic}:${partition}`, offset]))
  const records: ReadRecord[] = []
  const next = new Map<string, ReadResult['next'][number]>()
  for (const { topic, partition, records: batch, next: behind, leaderEpoch } of responses.flat()) {
    const key = `${topic}:${partition}`
    const from = wanted.get(key)
    // A session may still bring partitions of the question before.
    if (from === undefined || behind <= from) continue
    const fresh = batch.filter(({ offset }) => offset >= from)
    const taken = fresh.slice(0, readRecordsMax - records.length)
    records.push(...taken)
    const isWhole = taken.length === fresh.length
    const offset = isWhole ? behind : (taken.at(-1)?.offset ?? from - 1n) + 1n
    if (offset > from) next.set(key, { topic, partition, offset, leaderEpoch })
    // Later batches of this partition would leave a gap.
    if (!isWhole) wanted.delete(key)
  }
  return { records, next: [...next.values()] }
}
