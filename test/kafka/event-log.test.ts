// The Worker's driver and the host's consumer, from one to the other through the gateway and a real broker.
import { build } from 'esbuild'
import { Miniflare } from 'miniflare'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { KafkaConsumer, type KafkaConsumerOptions, type TakenMessage } from '../../sandbox-host/kafka-consumer.ts'
import { kafkaEventLog } from '../../workers/adapters/upstash-kafka.ts'
import { gatewayUnderTest, newTopic, password, username, type GatewayUnderTest } from './gateway-under-test.ts'

const brokers = inject('brokers')
let gateway: GatewayUnderTest
beforeAll(async () => {
  gateway = await gatewayUnderTest(brokers)
})
afterAll(() => gateway.stop())

const consumers: KafkaConsumer[] = []
afterEach(async () => {
  await Promise.all(consumers.splice(0).map((consumer) => consumer.drain(1_000)))
})

function consume(options: Pick<KafkaConsumerOptions, 'topics' | 'handle'> & Partial<KafkaConsumerOptions>): KafkaConsumer {
  const consumer = new KafkaConsumer({
    brokers: [brokers],
    group: options.topics.join(),
    underWayMax: 8,
    log: pino({ level: process.env['LOG_LEVEL'] ?? 'silent' }),
    ...options,
  })
  consumers.push(consumer)
  consumer.start()
  return consumer
}

const numberOf = ({ value }: TakenMessage) => Number(JSON.parse(value).n)
const publish = (topic: string, numbers: number[]) =>
  kafkaEventLog<{ topic: string; n: number }>({ url: gateway.url, username, password }).publish(numbers.map((n) => ({ topic, n })))
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)
const committed = async (topic: string, partition = 0) => {
  const places = await gateway.kafka
    .consumer()
    .committed({ consumerGroupId: topic, instanceId: 'any', topicPartitions: [{ topic, partition }] })
  return places[0]?.offset
}

describe('the driver', () => {
  test('publishes more than one call takes, each message once, and leaves out what is not for now', async () => {
    const topic = await newTopic(brokers, 2)
    const log = kafkaEventLog<{ topic: string; n: number }>({ url: gateway.url, username, password })
    await log.publish([{ topic, n: -1 }], { delaySeconds: 1 })
    await log.publish([])
    await publish(topic, upTo(1_001))
    const ends = await gateway.kafka.admin().topicPartitionOffsets({
      timestamp: 'latest',
      topicPartitions: [0, 1].map((partition) => ({ topic, partition })),
    })
    expect(ends.reduce((sum, { offset }) => sum + offset, 0)).toBe(1_001)
    await log.ping()
  })

  test('does not wait as long as its client tries', async () => {
    const log = kafkaEventLog({ url: 'http://127.0.0.1:1', username, password, patienceMs: 200 })
    await expect(log.publish([{ topic: 't' }])).rejects.toThrow('Kafka did not answer within 200 ms')
    await expect(log.ping()).rejects.toThrow('Kafka did not answer within 200 ms')
  })

  test('runs in workerd', async () => {
    const topic = await newTopic(brokers)
    const contents = `import { kafkaEventLog } from './workers/adapters/upstash-kafka.ts'
      export default { async fetch(request, env) {
        const log = kafkaEventLog(env.ACCESS)
        await log.publish([await request.json()])
        await log.ping()
        return new Response('published')
      } }`
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: process.cwd(), loader: 'ts' },
      bundle: true,
      write: false,
      format: 'esm',
      conditions: ['workerd', 'worker'],
    })
    const worker = new Miniflare({
      modules: true,
      script: outputFiles[0]?.text ?? '',
      compatibilityDate: '2026-01-01',
      bindings: { ACCESS: { url: gateway.url, username, password } },
    })
    try {
      const response = await worker.dispatchFetch('http://worker/', { method: 'POST', body: JSON.stringify({ topic, n: 7 }) })
      expect(await response.text()).toBe('published')
    } finally {
      await worker.dispose()
    }
    expect(await gateway.kafka.consumer().fetch({ topic, partition: 0, offset: 0 })).toMatchObject([
      { value: `{"topic":"${topic}","n":7}` },
    ])
  })
})

describe('the consumer', () => {
  test('commits behind what is handled, and no further', async () => {
    const topic = await newTopic(brokers)
    const slow = Promise.withResolvers<void>()
    const handled: number[] = []
    consume({
      topics: [topic],
      handle: async (message) => {
        if (numberOf(message) === 3) await slow.promise
        handled.push(numberOf(message))
      },
    })
    await publish(topic, upTo(8))
    await expect.poll(() => handled.length, { timeout: 20_000 }).toBe(7)
    await expect.poll(() => committed(topic), { timeout: 10_000 }).toBe(3)
    slow.resolve()
    await expect.poll(() => committed(topic), { timeout: 10_000 }).toBe(8)
  })

  test('what was not handled when its consumer left is handled by the next; what was is not', async () => {
    const topic = await newTopic(brokers)
    const first = consume({ topics: [topic], handle: async (message) => (numberOf(message) < 4 ? undefined : new Promise(() => {})) })
    await publish(topic, upTo(8))
    await expect.poll(() => committed(topic), { timeout: 20_000 }).toBe(4)
    await first.drain(100)
    const handled: number[] = []
    consume({ topics: [topic], handle: async (message) => void handled.push(numberOf(message)) })
    await expect.poll(() => handled.toSorted((a, b) => a - b), { timeout: 20_000 }).toEqual([4, 5, 6, 7])
  })

  test('a message whose handling failed is handled again', async () => {
    const topic = await newTopic(brokers)
    let tries = 0
    consume({
      topics: [topic],
      handle: async () => {
        tries++
        if (tries < 3) throw new Error('not yet')
      },
    })
    await publish(topic, [0])
    await expect.poll(() => committed(topic), { timeout: 20_000 }).toBe(1)
    expect(tries).toBe(3)
  })

  test('handles no more at once than it may, nothing while it is paused, and drains what is under way', async () => {
    const topic = await newTopic(brokers)
    let [underWay, most, handled] = [0, 0, 0]
    const consumer = consume({
      topics: [topic],
      underWayMax: 3,
      handle: async () => {
        most = Math.max(most, ++underWay)
        await new Promise((resolve) => setTimeout(resolve, 50))
        underWay--
        handled++
      },
    })
    await publish(topic, upTo(30))
    await expect.poll(() => handled, { timeout: 20_000 }).toBeGreaterThan(5)
    consumer.pause()
    await expect.poll(() => underWay, { timeout: 5_000 }).toBe(0)
    const paused = handled
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(handled).toBe(paused)
    consumer.resume()
    await expect.poll(() => handled, { timeout: 10_000 }).toBeGreaterThan(paused + 2)
    await consumer.drain(5_000)
    expect([underWay, most]).toEqual([0, 3])
    expect(await committed(topic)).toBe(handled)
  })

  test('two consumers share the partitions and lose nothing when one leaves', async () => {
    const topic = await newTopic(brokers, 4)
    const seen = [new Set<number>(), new Set<number>()]
    const [first] = seen.map((own) => consume({ topics: [topic], handle: async (message) => void own.add(numberOf(message)) }))
    for (let round = 0; seen.some((own) => own.size === 0) && round < 60; round++) {
      await publish(
        topic,
        upTo(8).map((n) => n + round * 8),
      )
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
    expect(seen.every((own) => own.size > 0)).toBe(true)
    await first?.drain(2_000)
    await publish(topic, [100_000, 100_001, 100_002, 100_003])
    await expect.poll(() => [100_000, 100_001, 100_002, 100_003].every((n) => seen[1]?.has(n)), { timeout: 30_000 }).toBe(true)
  })
})
