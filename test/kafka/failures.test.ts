// What dies in the middle: a broker under a producer, a caller before its answer, a gateway with its instances.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { startKafka, type LocalKafka } from '../../local/start-kafka.ts'
import { KafkaConsumer } from '../../sandbox-host/kafka-consumer.ts'
import { call, gatewayUnderTest, newTopic, password, username, type GatewayUnderTest } from './gateway-under-test.ts'

const directory = mkdtempSync(join(tmpdir(), 'bounty-kafka-kill-'))
let kafka: LocalKafka
let gateway: GatewayUnderTest
beforeAll(async () => {
  kafka = await startKafka({ home: directory, port: 0 })
  gateway = await gatewayUnderTest(kafka.brokers)
})
afterAll(async () => {
  await gateway?.stop()
  await kafka?.stop()
  rmSync(directory, { recursive: true, force: true })
})

test(
  'a broker that is killed and comes back has every message that was acknowledged, and the consumer goes on',
  { timeout: 90_000 },
  async () => {
    const topic = await newTopic(kafka.brokers, 3)
    const acknowledged: string[] = []
    const over = new AbortController()
    const produce = async (name: string) => {
      for (let count = 0; !over.signal.aborted; count++) {
        const value = `${name}-${count}`
        const { status } = await call(gateway.url, '/produce', { body: { topic, key: name, value } })
        if (status === 200) acknowledged.push(value)
      }
    }
    const taken = new Set<string>()
    const native = new KafkaConsumer({
      brokers: [kafka.brokers],
      group: `${topic}-native`,
      topics: [topic],
      underWayMax: 16,
      handle: async ({ value }) => void taken.add(value.toString()),
      log: pino({ level: 'silent' }),
    })
    native.start()
    const producers = ['a', 'b', 'c', 'd'].map(produce)
    const before = () => acknowledged.length
    await expect.poll(before, { timeout: 20_000 }).toBeGreaterThan(50)
    const pid = kafka.pid()
    expect(pid).toBeTypeOf('number')
    process.kill(pid ?? 0, 'SIGKILL')
    const atKill = acknowledged.length
    // Acknowledgements of the broker's next life.
    await expect.poll(before, { timeout: 60_000 }).toBeGreaterThan(atKill + 50)
    over.abort()
    await Promise.all(producers)
    expect(kafka.pid()).not.toBe(pid)

    const seen = new Set<string>()
    const missing = () => acknowledged.filter((value) => !seen.has(value))
    for (let round = 0; round < 40 && missing().length > 0; round++) {
      const messages = await gateway.kafka
        .consumer()
        .consume({ consumerGroupId: topic, instanceId: 'one', topics: [topic], autoOffsetReset: 'earliest', timeout: 2_000 })
      for (const { value } of messages) seen.add(value)
    }
    expect(missing()).toEqual([])
  },
)

test('a broker that is frozen is an error in time, and not for longer than it is frozen', { timeout: 90_000 }, async () => {
  const topic = await newTopic(kafka.brokers)
  const produce = () => call(gateway.url, '/produce', { body: { topic, value: 'x' } })
  expect((await produce()).status).toBe(200)
  const pid = kafka.pid() ?? 0
  process.kill(pid, 'SIGSTOP')
  try {
    // The signal reaches one thread after the other, and one of them could still answer.
    const threads = () => readdirSync(`/proc/${pid}/task`).map((thread) => readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8'))
    await expect.poll(() => threads().every((stat) => /\) T /.test(stat)), { timeout: 5_000 }).toBe(true)
    const startedAt = performance.now()
    expect((await produce()).status).toBe(503)
    // Three tries of 4 s and what lies between them.
    expect(performance.now() - startedAt).toBeLessThan(20_000)
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  await expect.poll(async () => (await produce()).status, { timeout: 30_000 }).toBe(200)
})

test('messages whose caller went away before its answer are given again', async () => {
  const brokers = inject('brokers')
  const local = await gatewayUnderTest(brokers)
  try {
    const topic = await newTopic(brokers)
    const request = { topics: [topic], timeout: 10_000 }
    const path = `/consume/${topic}/one`
    const headers = { 'Kafka-Auto-Offset-Reset': 'earliest', 'Kafka-Auto-Commit-Interval': '100' }
    await call(local.url, path, { body: { ...request, timeout: 3_000 }, headers })
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
    const waiting = httpRequest(`${local.url}${path}`, { method: 'POST', headers: { ...headers, authorization } })
    waiting.on('error', () => {})
    waiting.end(JSON.stringify(request))
    await new Promise((resolve) => setTimeout(resolve, 500))
    waiting.destroy()
    await local.kafka.producer().produce(topic, 'once')
    const { body } = await call(local.url, path, { body: request, headers })
    expect(body).toMatchObject([{ value: 'once' }])
  } finally {
    await local.stop()
  }
})

test('a gateway that stops commits for its instances and leaves their groups: the next one goes on at once', async () => {
  const brokers = inject('brokers')
  const topic = await newTopic(brokers)
  const request = { consumerGroupId: topic, instanceId: 'one', topics: [topic], autoOffsetReset: 'earliest' as const, timeout: 5_000 }
  const first = await gatewayUnderTest(brokers)
  await first.kafka.producer().produce(topic, 'a')
  expect((await first.kafka.consumer().consume(request)).map(({ value }) => value)).toEqual(['a'])
  await first.stop()
  const second = await gatewayUnderTest(brokers)
  try {
    await second.kafka.producer().produce(topic, 'b')
    const startedAt = performance.now()
    expect((await second.kafka.consumer().consume(request)).map(({ value }) => value)).toEqual(['b'])
    // A group that still waited for the first one would take its session of 10 s.
    expect(performance.now() - startedAt).toBeLessThan(9_000)
  } finally {
    await second.stop()
  }
})

test('the process answers what is under way after SIGTERM, refuses the rest, and ends with code 0', async () => {
  const brokers = inject('brokers')
  const topic = await newTopic(brokers)
  const settings = { GATEWAY_PORT: '0', GATEWAY_USERNAME: username, GATEWAY_PASSWORD: password, KAFKA_BROKERS: brokers }
  const child = spawn('node_modules/node/bin/node', ['kafka-gateway/main.ts'], {
    env: { PATH: process.env['PATH'], ...settings },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  const said: string[] = []
  child.stdout?.on('data', (chunk: Buffer) => said.push(String(chunk)))
  const [ready] = await once(child, 'message')
  const url = `http://127.0.0.1:${ready.port}`
  const waiting = call(url, '/fetch', { body: { topic, partition: 0, offset: 0, timeout: 3_000 } })
  await expect.poll(async () => (await call(url, '/metrics', { method: 'GET' })).body).toMatch(/under_way 2/)
  child.kill('SIGTERM')
  const ended = once(child, 'exit')
  await expect.poll(async () => (await call(url, '/topics', { method: 'GET' })).status).toBe(503)
  expect(await waiting).toMatchObject({ status: 200, body: [] })
  expect(await ended).toEqual([0, null])
  // One object a line, and the password in none of them.
  for (const line of said.join('').trim().split('\n')) expect(JSON.parse(line)).toMatchObject({ process: 'kafka-gateway' })
  expect(said.join('')).not.toContain(password)
})
