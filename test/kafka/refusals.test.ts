// What the gateway refuses, by status, with a real broker behind it; and that the client tells its user so.
import { request as httpRequest } from 'node:http'
import { Kafka, UpstashError } from '@upstash/kafka'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { messageBytesMax } from '../../kafka-gateway/requests.ts'
import { call, gatewayUnderTest, newTopic, password, username, type GatewayUnderTest } from './gateway-under-test.ts'

const brokers = inject('brokers')
let gateway: GatewayUnderTest
let topic: string
beforeAll(async () => {
  gateway = await gatewayUnderTest(brokers, { INSTANCES_MAX: '2', INSTANCE_IDLE_MS: '2000' })
  topic = await newTopic(brokers, 2)
})
afterAll(() => gateway.stop())

const refusal = (status: number, error: unknown = expect.any(String)) => ({ status, body: { result: 'Error', status, error } })

describe('401', () => {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`
  const calls: [string, string][] = [
    ['GET', '/topics'],
    ['GET', '/consumers'],
    ['GET', '/metrics'],
    ...['/produce', '/fetch', '/consume/g/i', '/commit/g/i', '/committed/g/i', '/offsets/latest', '/delete-consumer/g/i'].map(
      (path): [string, string] => ['POST', path],
    ),
  ]

  test.each(calls)('%s %s without a password', async (method, path) => {
    const answer = await call(gateway.url, path, { method, headers: { authorization: '' } })
    expect(answer).toMatchObject(refusal(401))
    expect(answer.headers.get('www-authenticate')).toMatch(/^Basic /)
  })

  test.each([
    ['another password', basic(`${username}:another-password-of-32-characters-x`)],
    ['another user', basic(`other:${password}`)],
    ['an empty password', basic(`${username}:`)],
    ['a bearer token', `Bearer ${password}`],
    ['no base64', `Basic ${username}:${password}`],
  ])('%s', async (_, authorization) => {
    expect(await call(gateway.url, '/topics', { method: 'GET', headers: { authorization } })).toMatchObject(refusal(401))
  })

  test('comes before the body is looked at', async () => {
    expect(await call(gateway.url, '/produce', { body: '{', headers: { authorization: '' } })).toMatchObject(refusal(401))
  })

  test('is an UpstashError to whoever uses the client', { timeout: 40_000 }, async () => {
    const stranger = new Kafka({ url: gateway.url, username, password: 'wrong' })
    const error = await stranger
      .admin()
      .topics()
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(UpstashError)
    expect(error).toMatchObject({ status: 401, error: 'username or password is wrong or missing' })
  })
})

describe('413', () => {
  test('a message just within the limit is written, one byte more is not', async () => {
    const value = 'x'.repeat(messageBytesMax - 3)
    expect(await call(gateway.url, '/produce', { body: { topic, key: 'key', value } })).toMatchObject({ status: 200 })
    expect(await call(gateway.url, '/produce', { body: { topic, key: 'key+', value } })).toMatchObject(refusal(413))
    const headers = [{ key: 'hhh', value: 'v' }]
    expect(await call(gateway.url, '/produce', { body: { topic, headers, value } })).toMatchObject(refusal(413))
  })

  test('bytes count, not letters', async () => {
    expect(await call(gateway.url, '/produce', { body: { topic, value: 'ä'.repeat(messageBytesMax / 2 + 1) } })).toMatchObject(refusal(413))
  })

  test('a batch that fills the body is written, a larger body is not read', async () => {
    const batch = (count: number) => Array.from({ length: count }, () => ({ topic, partition: 0, value: 'x'.repeat(65_000) }))
    expect(await call(gateway.url, '/produce', { body: batch(16) })).toMatchObject({ status: 200 })
    expect(await call(gateway.url, '/produce', { body: batch(17) })).toMatchObject(refusal(413))
  })
})

describe('411', () => {
  test('a body of unknown length', async () => {
    const status = await new Promise((resolve, reject) => {
      const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
      const headers = { authorization, 'transfer-encoding': 'chunked' }
      const sent = httpRequest(`${gateway.url}/produce`, { method: 'POST', headers }, (response) => resolve(response.statusCode))
      sent.on('error', reject)
      sent.write('{')
    })
    expect(status).toBe(411)
  })
})

describe('404', () => {
  test.each([
    ['produce', '/produce', { topic: 'nobody-made-it', value: 'x' }],
    ['produce of a batch', '/produce', [{ topic: 'nobody-made-it', value: 'x' }]],
    ['fetch', '/fetch', { topic: 'nobody-made-it', partition: 0, offset: 0 }],
    ['consume', '/consume/g/i', { topic: 'nobody-made-it' }],
    ['committed', '/committed/g/i', [{ topic: 'nobody-made-it', partition: 0 }]],
    ['offsets', '/offsets/latest', [{ topic: 'nobody-made-it', partition: 0 }]],
  ])('%s: a topic that does not exist', async (_, path, body) => {
    expect(await call(gateway.url, path, { body })).toMatchObject(refusal(404, 'topic nobody-made-it does not exist'))
  })

  test.each([
    ['produce', '/produce', (partition: number) => ({ topic, partition, value: 'x' })],
    ['fetch', '/fetch', (partition: number) => ({ topic, partition, offset: 0, timeout: 0 })],
    ['committed', '/committed/g/i', (partition: number) => ({ topic, partition })],
    ['offsets', '/offsets/latest', (partition: number) => [{ topic, partition }]],
  ])('%s: a partition that does not exist, beside the last one', async (_, path, body) => {
    expect(await call(gateway.url, path, { body: body(1) })).toMatchObject({ status: 200 })
    expect(await call(gateway.url, path, { body: body(2) })).toMatchObject(refusal(404))
  })

  test('commit and delete of an instance that nobody made', async () => {
    for (const path of ['/commit/nobody/i', '/delete-consumer/nobody/i']) expect(await call(gateway.url, path)).toMatchObject(refusal(404))
  })

  test('other paths and methods', async () => {
    for (const [method, path] of [
      ['POST', '/topics'],
      ['GET', '/produce'],
      ['POST', '/consume/g'],
      ['GET', '/'],
    ] as const) {
      expect(await call(gateway.url, path, { method })).toMatchObject(refusal(404))
    }
  })
})

describe('400', () => {
  test('an offset that the partition does not have', async () => {
    expect(await call(gateway.url, '/fetch', { body: { topic, partition: 1, offset: 1_000_000 } })).toMatchObject(
      refusal(400, 'offset is outside what the partition holds'),
    )
  })

  test('a query', async () => {
    expect(await call(gateway.url, '/topics?limit=1', { method: 'GET' })).toMatchObject(
      refusal(400, 'query parameter "limit" is not known'),
    )
  })

  test.each(['', '{', 'null', '"x"', '[]', '\u0000', '{"topic":"t"}'])('a body that is %j', async (body) => {
    expect(await call(gateway.url, '/produce', { body })).toMatchObject(refusal(400))
  })
})

describe('instances', () => {
  const consume = (instance: string, settings: Record<string, string> = {}) =>
    call(gateway.url, `/consume/${topic}/${instance}`, { body: { topic, timeout: 100 }, headers: settings })

  test('429 beyond their number, until one that is idle has left', async () => {
    expect((await consume('one')).status).toBe(200)
    expect((await consume('two')).status).toBe(200)
    expect(await consume('three')).toMatchObject(refusal(429))
    await expect.poll(async () => (await consume('three')).status, { timeout: 15_000, interval: 300 }).toBe(200)
    const { body } = await call(gateway.url, '/consumers', { method: 'GET' })
    expect(JSON.stringify(body)).toContain('three')
  })

  test('409 for a partition that the instance does not have, and without a commit where the caller wants one', async () => {
    await expect.poll(async () => (await call(gateway.url, '/consumers', { method: 'GET' })).body, { timeout: 15_000 }).toEqual([])
    const group = `${topic}-none`
    const none = () =>
      call(gateway.url, `/consume/${group}/one`, { body: { topic, timeout: 3_000 }, headers: { 'Kafka-Auto-Offset-Reset': 'none' } })
    expect(await none()).toMatchObject(refusal(409))
    const other = await newTopic(brokers)
    expect(await call(gateway.url, `/commit/${group}/one`, { body: { topic: other, partition: 0, offset: 1 } })).toMatchObject(refusal(409))
    expect(await call(gateway.url, `/delete-consumer/${group}/one`)).toMatchObject({
      status: 200,
      body: { result: 'Success', status: 200 },
    })
  })
})

test('health needs no password, ready tells of the broker, metrics count by call and status', async () => {
  const open = { method: 'GET', headers: { authorization: '' } }
  expect(await call(gateway.url, '/health', open)).toMatchObject({ status: 200, body: { status: 'ok' } })
  expect(await call(gateway.url, '/ready', open)).toMatchObject({ status: 200, body: { status: 'ready' } })
  const { body } = await call(gateway.url, '/metrics', { method: 'GET' })
  expect(body).toMatch(/gateway_requests_total\{call="produce",status="200"\} \d+/)
  const away = await gatewayUnderTest('127.0.0.1:1')
  try {
    expect(await call(away.url, '/ready', open)).toMatchObject({ status: 503, body: { status: 'unavailable' } })
    expect(await call(away.url, '/topics', { method: 'GET' })).toMatchObject(refusal(503))
  } finally {
    await away.stop()
  }
})
