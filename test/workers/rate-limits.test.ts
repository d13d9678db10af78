// Rate limits from the outside, with small ones: whom they count, what they say, and whom they leave alone.
import { beforeEach, describe, expect, test } from 'vitest'
import { networkOf } from '../../workers/gate.ts'
import { adminKey, testEdge, type Answer, type TestEdge } from '../fakes/test-edge.ts'

const windowMs = 60_000
const rateLimits = {
  account: { name: 'account', requests: 5, windowMs },
  address: { name: 'address', requests: 3, windowMs },
}
const address = { 'cf-connecting-ip': '203.0.113.7' }
const garbled = `ab_${'x'.repeat(43)}`
let edge: TestEdge
let key: string
beforeEach(async () => {
  edge = testEdge({ rateLimits })
  key = (await edge.account('ada')).key
})

async function repeat(times: number, call: () => Promise<Answer>): Promise<Answer> {
  let answer = await call()
  for (let i = 1; i < times; i++) answer = await call()
  return answer
}

describe('an account', () => {
  const me = (as = key, of = edge) => of.call('GET', '/api/accounts/me', { key: as })

  test('is told what is left with every answer, and after the last one when to come back', async () => {
    edge.clock.now += 17_000
    const last = await repeat(5, me)
    expect(last.status).toBe(200)
    const told = ['ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'].map((name) => last.headers.get(name))
    expect(told).toEqual(['5', '0', '43'])
    const refused = await me()
    expect([refused.status, refused.body.code, refused.body.retryable]).toEqual([429, 'rate-limited', true])
    expect([refused.headers.get('retry-after'), refused.headers.get('ratelimit-remaining')]).toEqual(['43', '0'])
    expect(refused.body.detail).toContain('5 requests in 60 s')
    edge.clock.now += 43_000
    expect((await me()).headers.get('ratelimit-remaining')).toBe('4')
  })

  test('has one budget for all its keys', async () => {
    const { body: second } = await edge.call('POST', '/api/keys', { key, body: { name: 'second' } })
    await repeat(4, me)
    expect((await me(second.key)).status).toBe(429)
    expect((await me((await edge.account('eve')).key)).status).toBe(200)
  })

  test('is counted for all isolates together', async () => {
    const other = testEdge({ rateLimits, beside: edge })
    await repeat(5, me)
    await me(key, other)
    expect((await me(key, other)).status).toBe(429)
  })

  test('is refused before its body is read, and counted when the request is bad', async () => {
    const bad = await repeat(5, () => edge.call('POST', '/api/agents', { key, raw: '{' }))
    expect([bad.status, bad.headers.get('ratelimit-remaining')]).toEqual([400, '0'])
    expect((await edge.call('POST', '/api/agents', { key, raw: '{' })).status).toBe(429)
  })

  test('whose first key was made without a limit has none, and its requests ask nobody', async () => {
    const { body: demo } = await edge.call('POST', '/api/accounts', { key: adminKey, body: { name: 'demo', rateLimited: false } })
    const last = await repeat(9, () => me(demo.key))
    expect([last.status, last.headers.get('ratelimit-limit'), edge.usage.calls]).toEqual([200, null, 0])
  })

  test('goes on when Redis is down', async () => {
    edge.usage.isDown = true
    expect((await repeat(5, me)).status).toBe(200)
    expect((await me()).status).toBe(429)
  })
})

test('the administrator has no limit', async () => {
  expect((await repeat(9, () => edge.call('DELETE', `/api/keys/key_${'0'.repeat(26)}`, { key: adminKey }))).body.code).toBe('key-not-found')
})

describe('an address', () => {
  const read = (headers: Record<string, string> = address) => edge.call('GET', '/api/agents', { headers })

  test('reads without a key until its limit', async () => {
    expect((await repeat(3, () => read())).status).toBe(200)
    const refused = await read()
    expect([refused.status, refused.body.code, refused.headers.get('ratelimit-limit')]).toEqual([429, 'rate-limited', '3'])
    expect((await read({ 'cf-connecting-ip': '203.0.113.8' })).status).toBe(200)
  })

  test('cannot guess keys beyond it, and the database is not asked', async () => {
    const guess = () => edge.call('GET', '/api/accounts/me', { key: garbled, headers: address })
    expect((await repeat(3, guess)).body.code).toBe('unknown-key')
    edge.database.keys.findGrant = () => Promise.reject(new Error('asked the database'))
    expect((await guess()).body.code).toBe('rate-limited')
  })

  test('that is over its limit does not keep out a key that is known', async () => {
    await edge.call('GET', '/api/accounts/me', { key, headers: address })
    expect((await repeat(4, () => read())).status).toBe(429)
    expect((await edge.call('GET', '/api/accounts/me', { key, headers: address })).status).toBe(200)
  })

  test('that has read all it may can still use a key that this isolate has not seen', async () => {
    expect((await repeat(4, () => read())).status).toBe(429)
    const { key: unseen } = await edge.account('eve')
    const answer = await edge.call('GET', '/api/accounts/me', { key: unseen, headers: address })
    expect([answer.status, answer.headers.get('ratelimit-limit')]).toEqual([200, `${rateLimits.account.requests}`])
  })

  test('is not counted where there is none', async () => {
    const last = await repeat(9, () => read({}))
    expect([last.status, last.headers.get('ratelimit-limit')]).toEqual([200, null])
  })

  test('always gets health and readiness, whatever it carries', async () => {
    await repeat(4, () => read())
    for (const path of ['/api/health', '/api/ready']) {
      const answer = await edge.call('GET', path, { headers: address, key: garbled })
      expect([answer.status, answer.headers.get('ratelimit-limit')]).toEqual([200, null])
    }
  })

  test.each([
    ['203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:DB8:0001:0002::6', '2001:db8:1:2'],
    ['2001:db8::6', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
  ])('%s is of the network %s', (given, network) => {
    expect(networkOf(given)).toBe(network)
  })
})
