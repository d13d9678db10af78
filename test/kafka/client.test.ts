// Every call of the unmodified `@upstash/kafka` against the gateway and a real broker.
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { gatewayUnderTest, newTopic, type GatewayUnderTest } from './gateway-under-test.ts'

const brokers = inject('brokers')
let gateway: GatewayUnderTest
beforeAll(async () => {
  gateway = await gatewayUnderTest(brokers)
})
afterAll(() => gateway.stop())

const names = (messages: { value: string }[]) => messages.map(({ value }) => value)

/** Consumes until so many are there: the first answers of a new group are empty. */
async function consumeAll(request: Parameters<ReturnType<GatewayUnderTest['kafka']['consumer']>['consume']>[0], count: number) {
  const consumer = gateway.kafka.consumer()
  const found: Awaited<ReturnType<typeof consumer.consume>> = []
  for (let round = 0; round < 20 && found.length < count; round++) found.push(...(await consumer.consume({ timeout: 2_000, ...request })))
  return found
}

describe('producer', () => {
  test('produce answers where the message is, and fetch finds it there whole', async () => {
    const topic = await newTopic(brokers, 3)
    const headers = [
      { key: 'trace', value: '1' },
      { key: 'trace', value: '2' },
    ]
    const produced = await gateway.kafka
      .producer()
      .produce(topic, { a: 'ä' }, { key: 'k', partition: 2, timestamp: 1_700_000_000_123, headers })
    expect(produced).toEqual({ topic, partition: 2, offset: 0, timestamp: 1_700_000_000_123 })
    expect(await gateway.kafka.consumer().fetch({ topic, partition: 2, offset: 0 })).toEqual([
      { topic, partition: 2, offset: 0, timestamp: 1_700_000_000_123, key: 'k', value: '{"a":"ä"}', headers },
    ])
  })

  test('produceMany answers in the order of the messages, over topics and partitions', async () => {
    const [one, other] = [await newTopic(brokers, 3), await newTopic(brokers, 1)]
    const requests = Array.from({ length: 60 }, (_, index) => ({
      topic: index % 4 === 0 ? other : one,
      value: `v${index}`,
      ...(index % 3 === 0 ? { key: `k${index % 5}` } : {}),
    }))
    const produced = await gateway.kafka.producer().produceMany(requests)
    expect(produced.map(({ topic }) => topic)).toEqual(requests.map(({ topic }) => topic))
    // Each message lies exactly where the answer says.
    const stored = (
      await Promise.all([0, 1, 2].map((partition) => gateway.kafka.consumer().fetch({ topic: one, partition, offset: 0 })))
    ).flat()
    stored.push(...(await gateway.kafka.consumer().fetch({ topic: other, partition: 0, offset: 0 })))
    const valueAt = new Map(stored.map(({ topic, partition, offset, value }) => [`${topic}:${partition}:${offset}`, value]))
    expect(stored).toHaveLength(60)
    expect(produced.map(({ topic, partition, offset }) => valueAt.get(`${topic}:${partition}:${offset}`))).toEqual(
      requests.map(({ value }) => value),
    )
  })

  test('messages of one key lie in one partition in the order in which they were acknowledged', async () => {
    const topic = await newTopic(brokers, 3)
    const producer = gateway.kafka.producer()
    for (let round = 0; round < 10; round++) {
      await Promise.all(['red', 'green', 'blue'].map((key) => producer.produce(topic, `${key}${round}`, { key })))
    }
    const stored = (await Promise.all([0, 1, 2].map((partition) => gateway.kafka.consumer().fetch({ topic, partition, offset: 0 })))).flat()
    for (const key of ['red', 'green', 'blue']) {
      const own = stored.filter((message) => message.key === key)
      expect(new Set(own.map(({ partition }) => partition)).size).toBe(1)
      expect(names(own)).toEqual(Array.from({ length: 10 }, (_, round) => `${key}${round}`))
    }
  })
})

describe('consumer', () => {
  test('fetch takes several places, in parallel and in one request, and waits for what is not there yet', async () => {
    const topic = await newTopic(brokers, 2)
    await gateway.kafka.producer().produceMany([0, 0, 1, 1].map((partition, index) => ({ topic, partition, value: `v${index}` })))
    const topicPartitionOffsets = [
      { topic, partition: 0, offset: 1 },
      { topic, partition: 1, offset: 0 },
    ]
    expect(names(await gateway.kafka.consumer().fetch({ topicPartitionOffsets })).toSorted()).toEqual(['v1', 'v2', 'v3'])
    expect(names(await gateway.kafka.consumer().fetch({ topicPartitionOffsets }, { parallel: false })).toSorted()).toEqual([
      'v1',
      'v2',
      'v3',
    ])
    const waiting = gateway.kafka.consumer().fetch({ topic, partition: 0, offset: 2, timeout: 5_000 })
    await gateway.kafka.producer().produce(topic, 'late', { partition: 0 })
    expect(names(await waiting)).toEqual(['late'])
  })

  test('what one instance committed, another goes on from; what it did not commit comes again', async () => {
    const topic = await newTopic(brokers)
    await gateway.kafka.producer().produceMany(['a', 'b', 'c', 'd'].map((value) => ({ topic, value })))
    const consumer = gateway.kafka.consumer()
    const first = { consumerGroupId: topic, instanceId: 'one' }
    const request = { topics: [topic], autoCommit: false, autoOffsetReset: 'earliest' as const }
    expect(names(await consumeAll({ ...first, ...request }, 4))).toEqual(['a', 'b', 'c', 'd'])
    expect(await consumer.committed({ ...first, topicPartitions: [{ topic, partition: 0 }] })).toEqual([])
    await consumer.commit({ ...first, offset: { topic, partition: 0, offset: 2 } })
    expect(await consumer.committed({ ...first, topicPartitions: [{ topic, partition: 0 }] })).toEqual([{ topic, partition: 0, offset: 2 }])
    await gateway.kafka.admin().removeConsumerInstance(topic, 'one')

    const second = { consumerGroupId: topic, instanceId: 'two' }
    expect(names(await consumeAll({ ...second, ...request }, 2))).toEqual(['c', 'd'])
    // Without an offset: all that it was given.
    await consumer.commit(second)
    expect(await gateway.kafka.admin().committedOffsets({ ...second, topicPartition: { topic, partition: 0 } })).toEqual([
      { topic, partition: 0, offset: 4 },
    ])
  })

  test('auto-commit commits what was delivered, after its interval', async () => {
    const topic = await newTopic(brokers)
    await gateway.kafka.producer().produce(topic, 'a')
    const request = {
      consumerGroupId: topic,
      instanceId: 'one',
      topics: [topic],
      autoOffsetReset: 'earliest' as const,
      autoCommitInterval: 200,
    }
    expect(names(await consumeAll(request, 1))).toEqual(['a'])
    await expect
      .poll(() => gateway.kafka.consumer().committed({ ...request, topicPartitions: [{ topic, partition: 0 }] }), { timeout: 10_000 })
      .toEqual([{ topic, partition: 0, offset: 1 }])
  })

  test('a group without a commit begins at the end unless it is told otherwise', async () => {
    const topic = await newTopic(brokers)
    await gateway.kafka.producer().produce(topic, 'before')
    const latest = { consumerGroupId: `${topic}-latest`, instanceId: 'one', topics: [topic], timeout: 3_000 }
    expect(await gateway.kafka.consumer().consume(latest)).toEqual([])
    await gateway.kafka.producer().produce(topic, 'after')
    expect(names(await consumeAll(latest, 1))).toEqual(['after'])
  })

  test('two instances share the partitions, each message goes to one, and who is left takes all', async () => {
    const topic = await newTopic(brokers, 4)
    const request = { consumerGroupId: topic, topics: [topic], autoOffsetReset: 'earliest' as const, autoCommit: false, timeout: 500 }
    const consumer = gateway.kafka.consumer()
    const shares = async () => {
      await Promise.all(['one', 'two'].map((instanceId) => consumer.consume({ ...request, instanceId })))
      const group = (await gateway.kafka.admin().consumers()).find(({ name }) => name === topic)
      return group?.instances.map((instance) => instance.topics.flatMap(({ partitions }) => partitions).length).toSorted()
    }
    await expect.poll(shares, { timeout: 30_000 }).toEqual([2, 2])
    await gateway.kafka
      .producer()
      .produceMany(Array.from({ length: 40 }, (_, index) => ({ topic, partition: index % 4, value: `v${index}` })))
    const [one = [], two = []] = await Promise.all(['one', 'two'].map((instanceId) => consumeAll({ ...request, instanceId }, 20)))
    expect([one.length, two.length]).toEqual([20, 20])
    expect(new Set([...one, ...two].map(({ value }) => value)).size).toBe(40)
    await Promise.all(['one', 'two'].map((instanceId) => consumer.commit({ consumerGroupId: topic, instanceId })))

    await gateway.kafka.admin().removeConsumerInstance(topic, 'two')
    await gateway.kafka
      .producer()
      .produceMany(Array.from({ length: 8 }, (_, index) => ({ topic, partition: index % 4, value: `w${index}` })))
    const rest = await consumeAll({ ...request, instanceId: 'one' }, 8)
    expect(names(rest).toSorted()).toEqual(Array.from({ length: 8 }, (_, index) => `w${index}`))
  })
})

describe('admin', () => {
  test('topics lists names with their partitions, and none of Kafka itself', async () => {
    const topic = await newTopic(brokers, 3)
    const topics = await gateway.kafka.admin().topics()
    expect(topics[topic]).toBe(3)
    expect(Object.keys(topics).filter((name) => name.startsWith('__'))).toEqual([])
  })

  test('offsets by time: earliest, latest, and the first at that time or later', async () => {
    const topic = await newTopic(brokers)
    const producer = gateway.kafka.producer()
    for (const timestamp of [1_000, 2_000, 3_000]) await producer.produce(topic, 'x', { timestamp })
    const at = (timestamp: number | 'earliest' | 'latest') =>
      gateway.kafka.admin().topicPartitionOffsets({ timestamp, topicPartition: { topic, partition: 0 } })
    expect(await at('earliest')).toEqual([{ topic, partition: 0, offset: 0 }])
    expect(await at('latest')).toEqual([{ topic, partition: 0, offset: 3 }])
    expect(await at(1_500)).toEqual([{ topic, partition: 0, offset: 1 }])
    expect(await at(9_000)).toEqual([])
  })
})
