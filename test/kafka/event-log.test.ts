// The Worker's driver and the host's consumers, from one to the other through the gateway and a real broker: the contract of the port, what is
// refused on the way, and how a consumer bears its group.
import { build } from 'esbuild'
import { createHash, randomBytes } from 'node:crypto'
import { Miniflare } from 'miniflare'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { createTopics } from '../../local/kafka-topics.ts'
import { createEventConsumers } from '../../sandbox-host/event-consumers.ts'
import { KafkaConsumer, type KafkaConsumerOptions, type TakenMessage } from '../../sandbox-host/kafka-consumer.ts'
import type { EventMessage } from '../../shared/event-log.ts'
import { announcementTopics, workTopics } from '../../shared/event-log.ts'
import { kafkaEventLog, type KafkaEventLogOptions } from '../../workers/adapters/upstash-kafka.ts'
import type { SignatureAudience } from '../../shared/signing.ts'
import { createSigner } from '../../workers/signature.ts'
import { eventLogContract } from '../contracts/event-log.contract.ts'
import { idOf } from '../fakes/id-of.ts'
import { gatewayUnderTest, newTopic, password, username, type GatewayUnderTest } from './gateway-under-test.ts'

const brokers = inject('brokers')
const secret = 'of the tests of the event log, and no other'
const log = pino({ level: process.env['LOG_LEVEL'] ?? 'silent' })
let gateway: GatewayUnderTest
beforeAll(async () => {
  gateway = await gatewayUnderTest(brokers)
})
afterAll(() => gateway.stop())

const consumers: { drain: (ms: number) => Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(consumers.splice(0).map((consumer) => consumer.drain(1_000)))
})

const work = (): EventMessage => ({ topic: 'judgings', submissionId: idOf('submission'), turn: 1 + (randomBytes(1)[0] ?? 0) })
const driver = (topicPrefix: string, options: Partial<KafkaEventLogOptions> = {}) => {
  const sign = createSigner({ secret })
  return kafkaEventLog({ url: gateway.url, username, password, topicPrefix, sign, ...options })
}
/** Topics of its own. */
async function newPrefix(): Promise<string> {
  const prefix = `p-${randomBytes(6).toString('hex')}.`
  await createTopics(brokers, { prefix })
  return prefix
}

type Call = { path: string; body: { message?: unknown; refusal?: string; detail?: string } }

/** Consumers of a host whose Worker is `answer`. */
function host(
  topicPrefix: string,
  { answer = async () => {}, judgingsMax = 8 }: { answer?: (call: Call) => Promise<void>; judgingsMax?: number } = {},
) {
  const calls: Call[] = []
  const own = createEventConsumers({
    kafka: { brokers: [brokers], group: `g-${topicPrefix}`, topicPrefix },
    secret,
    host: 'host-1',
    judgingsMax,
    runClaimed: async (claimed) => void calls.push({ path: '/internal/messages', body: { message: claimed } }),
    runsMax: 8,
    log,
    worker: async (path, body) => {
      const call = { path, body: body as Call['body'] }
      await answer(call)
      calls.push(call)
    },
  })
  consumers.push(own)
  own.start()
  return {
    calls,
    own,
    taken: () => calls.filter(({ path }) => path === '/internal/messages').map(({ body }) => body.message),
    refused: () => calls.filter(({ path }) => path === '/internal/dead-letters').map(({ body }) => body),
  }
}

eventLogContract('Kafka', async () => {
  const prefix = await newPrefix()
  const { taken } = host(prefix)
  return { log: driver(prefix), arrived: async () => taken() }
})

describe('the driver', () => {
  test('publishes more than one call takes, each message once, those of one subject in one partition', async () => {
    const prefix = await newPrefix()
    const submissionId = idOf('submission')
    const sent = Array.from({ length: 1_001 }, (_, i) => (i % 2 ? work() : { ...work(), submissionId, turn: i + 1 }))
    await driver(prefix).publish(sent)
    const topicPartitions = Array.from({ length: 12 }, (_, partition) => ({ topic: `${prefix}judgings`, partition }))
    const ends = await gateway.kafka.admin().topicPartitionOffsets({ timestamp: 'latest', topicPartitions })
    expect(ends.reduce((sum, { offset }) => sum + offset, 0)).toBe(1_001)
    expect(ends.filter(({ offset }) => offset >= 501)).toHaveLength(1)
  })

  test('announces each thing on its topic', async () => {
    const prefix = await newPrefix()
    const event = { type: 'webhook.ping', timestamp: '2026-11-23T12:00:00.000Z', data: { webhookId: idOf('webhook') } } as const
    await driver(prefix).announce?.([{ topic: 'notifications', event }])
    const topicPartitionOffsets = Array.from({ length: 12 }, (_, partition) => ({ topic: `${prefix}notifications`, partition, offset: 0 }))
    const found = await gateway.kafka.consumer().fetch({ topicPartitionOffsets, timeout: 5_000 })
    expect(found.map(({ key, value }) => [key, JSON.parse(value)])).toEqual([[event.data.webhookId, { topic: 'notifications', event }]])
  })

  test('does not wait as long as its client tries', async () => {
    const away = driver('', { url: 'http://127.0.0.1:1', patienceMs: 200 })
    await expect(away.publish([work()])).rejects.toThrow('Kafka did not answer within 200 ms')
    await expect(away.ping()).rejects.toThrow('Kafka did not answer within 200 ms')
  })

  test('says which topic is missing', async () => {
    await expect(driver('nobody-made-').ping()).rejects.toThrow('topic nobody-made-judgings does not exist')
    expect([...workTopics, ...announcementTopics]).toHaveLength(5)
  })

  test('runs in workerd', async () => {
    const prefix = await newPrefix()
    const contents = `import { kafkaEventLog } from './workers/adapters/upstash-kafka.ts'
      import { createSigner } from './workers/signature.ts'
      export default { async fetch(request, env) {
        const log = kafkaEventLog({ ...env.ACCESS, sign: createSigner({ secret: env.SECRET, audience: 'event-log' }) })
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
      bindings: { ACCESS: { url: gateway.url, username, password, topicPrefix: prefix }, SECRET: secret },
    })
    const sent = work()
    try {
      const response = await worker.dispatchFetch('http://worker/', { method: 'POST', body: JSON.stringify(sent) })
      expect(await response.text()).toBe('published')
    } finally {
      await worker.dispose()
    }
    const { taken } = host(prefix)
    await expect.poll(taken, { timeout: 20_000 }).toEqual([sent])
  })
})

describe('a host puts aside what it cannot take, says why, and goes on', () => {
  test.each<[string, string, (topic: string) => Promise<{ value: string; headers?: { key: string; value: string }[] }>]>([
    ['without a signature', 'forged', async () => ({ value: JSON.stringify({ message: work() }) })],
    ['signed by somebody else', 'forged', (topic) => signed(topic, { message: work() }, { secret: 'x'.repeat(32) })],
    ['signed for another topic', 'forged', (topic) => signed(`${topic}s`, { message: work() })],
    ['signed as a request to the host', 'forged', (topic) => signed(topic, { message: work() }, { audience: 'host host-1' })],
    ['signed more than an hour ago', 'stale', (topic) => signed(topic, { message: work() }, { now: () => Date.now() - 3_601_000 })],
    ['signed in the future', 'stale', (topic) => signed(topic, { message: work() }, { now: () => Date.now() + 90_000 })],
    ['no JSON', 'malformed', (topic) => signed(topic, 'judge this \0')],
    ['of a form of the future', 'malformed', (topic) => signed(topic, { message: { ...work(), haste: 1 } })],
  ])('%s', async (_name, refusal, make) => {
    const prefix = await newPrefix()
    const topic = `${prefix}judgings`
    const { value, headers = [] } = await make(topic)
    await gateway.kafka.producer().produce(topic, value, { headers, partition: 3 })
    const sent = work()
    await driver(prefix).publish([sent])
    const { taken, refused } = host(prefix)
    await expect.poll(taken, { timeout: 20_000 }).toEqual([sent])
    await expect.poll(refused, { timeout: 20_000 }).toMatchObject([{ host: 'host-1', topic, partition: 3, offset: 0, refusal }])
    expect(refused()[0]).toMatchObject({
      bytes: Buffer.byteLength(value),
      sha256: createHash('sha256').update(value).digest('hex'),
      text: value.replaceAll('\0', '\uFFFD'),
    })
    // And it is committed: nobody meets it again.
    await expect
      .poll(
        async () => {
          const group = { consumerGroupId: `g-${prefix}-judgings`, instanceId: 'any' }
          return (await gateway.kafka.consumer().committed({ ...group, topicPartitions: [{ topic, partition: 3 }] }))[0]?.offset
        },
        { timeout: 10_000 },
      )
      .toBeGreaterThan(0)
  })

  async function signed(
    topic: string,
    content: unknown,
    { audience = 'event-log', ...options }: Partial<Parameters<typeof createSigner>[0]> & { audience?: SignatureAudience } = {},
  ) {
    const value = typeof content === 'string' ? content : JSON.stringify(content)
    const sign = createSigner({ secret, ...options })
    const headers = Object.entries(await sign({ audience, method: 'PUBLISH', path: topic, body: new TextEncoder().encode(value) }))
    return { value, headers: headers.map(([key, text]) => ({ key, value: text })) }
  }

  test('a Worker that is away is asked again, and what is held or waits for a place is left to others when the host drains', async () => {
    const prefix = await newPrefix()
    const [first, second, held] = [work(), work(), work()]
    await driver(prefix).publish([first])
    let failures = 0
    const one = host(prefix, {
      judgingsMax: 1,
      answer: async () => {
        if (failures++ < 2) throw new Error('away')
        await new Promise((resolve) => setTimeout(resolve, 500))
      },
    })
    await expect.poll(() => failures, { timeout: 20_000 }).toBe(3)
    await driver(prefix).publish([second])
    await driver(prefix).publish([held], { delaySeconds: 30 })
    await one.own.drain(2_000)
    expect(one.taken()).toEqual([first])
    const other = host(prefix)
    await expect.poll(other.taken, { timeout: 20_000 }).toEqual([second])
  })
})

function consume(options: Pick<KafkaConsumerOptions, 'topics' | 'handle'> & Partial<KafkaConsumerOptions>): KafkaConsumer {
  const consumer = new KafkaConsumer({ brokers: [brokers], group: options.topics.join(), underWayMax: 8, log, ...options })
  consumers.push(consumer)
  consumer.start()
  return consumer
}

const numberOf = ({ value }: TakenMessage) => Number(JSON.parse(value.toString()).n)
const publish = async (topic: string, numbers: number[]) => {
  await gateway.kafka.producer().produceMany(numbers.map((n) => ({ topic, value: { n } })))
}
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)
const committed = async (topic: string, partition = 0) => {
  const places = await gateway.kafka
    .consumer()
    .committed({ consumerGroupId: topic, instanceId: 'any', topicPartitions: [{ topic, partition }] })
  return places[0]?.offset
}

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

  test('is drained at any moment of its beginning without a word', async () => {
    const topic = await newTopic(brokers)
    const drained = Array.from({ length: 24 }, async (_, i) => {
      const consumer = new KafkaConsumer({
        brokers: [brokers],
        group: `${topic}-${i}`,
        topics: [topic],
        handle: async () => {},
        underWayMax: 1,
        log,
      })
      consumer.start()
      await new Promise((resolve) => setTimeout(resolve, i * 100))
      await consumer.drain(3_000)
    })
    // What the client throws from elsewhere fails the run.
    await Promise.all(drained)
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
