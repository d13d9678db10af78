// Offsets by time, and those that groups have committed; partitions without an answer are left out.
import { ListOffsetTimestamps, type Admin } from '@platformatic/kafka'
import type { TopicPartition, TopicPartitionOffset } from './requests.ts'
import type { Topics } from './topics.ts'

export type Offsets = {
  /** Of the first message at that time or later. @throws GatewayError 404 */
  at: (timestamp: string, partitions: TopicPartition[]) => Promise<TopicPartitionOffset[]>
  /** @throws GatewayError 404 */
  committed: (group: string, partitions: TopicPartition[]) => Promise<TopicPartitionOffset[]>
}

export function createOffsets({ admin, topics }: { admin: Admin; topics: Topics }): Offsets {
  const named = { earliest: ListOffsetTimestamps.EARLIEST, latest: ListOffsetTimestamps.LATEST }

  return {
    at: async (timestamp, partitions) => {
      await topics.check(partitions)
      const time = timestamp === 'earliest' || timestamp === 'latest' ? named[timestamp] : BigInt(timestamp)
      const found = await admin.listOffsets({
        topics: byTopic(partitions).map(([name, list]) => ({
          name,
          partitions: list.map((partitionIndex) => ({ partitionIndex, timestamp: time })),
        })),
      })
      const offsets = found.flatMap(({ name, partitions: list }) =>
        list.map(({ partitionIndex, offset }) => ({ topic: name, partition: partitionIndex, offset: Number(offset) })),
      )
      return inOrder(partitions, offsets)
    },
    committed: async (group, partitions) => {
      await topics.check(partitions)
      const wanted = byTopic(partitions).map(([name, partitionIndexes]) => ({ name, partitionIndexes }))
      const groups = await admin.listConsumerGroupOffsets({ groups: [{ groupId: group, topics: wanted }] })
      const offsets = groups.flatMap(({ topics: list }) =>
        list.flatMap(({ name, partitions: rows }) =>
          rows.map(({ partitionIndex, committedOffset }) => ({ topic: name, partition: partitionIndex, offset: Number(committedOffset) })),
        ),
      )
      return inOrder(partitions, offsets)
    },
  }
}

function byTopic(partitions: TopicPartition[]): [name: string, partitions: number[]][] {
  const groups = Map.groupBy(partitions, ({ topic }) => topic)
  return [...groups].map(([name, list]) => [name, [...new Set(list.map(({ partition }) => partition))]])
}

/** As they were asked for; -1 is Kafka's word for none. */
function inOrder(partitions: TopicPartition[], offsets: TopicPartitionOffset[]): TopicPartitionOffset[] {
  const found = new Map(offsets.map((row) => [`${row.topic}:${row.partition}`, row]))
  return partitions.flatMap(({ topic, partition }) => {
    const row = found.get(`${topic}:${partition}`)
    return row !== undefined && row.offset >= 0 ? [row] : []
  })
}
