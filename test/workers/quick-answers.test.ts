// A read that this isolate has just answered is answered again in front of everything else; from the outside it must be the same read.
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { testEdge, type TestEdge } from '../fakes/test-edge.ts'

const limit = 20
const rateLimits = {
  account: { name: 'account', requests: 1_000, windowMs: 60_000 },
  address: { name: 'address', requests: limit, windowMs: 60_000 },
}
let edge: TestEdge
let key: string
let agentId: string
/** Whether the last request was answered without going the whole way. */
let isQuick: boolean
beforeEach(async () => {
  edge = testEdge({ rateLimits, corsOrigins: ['https://app.example.com'] })
  key = (await edge.account('ada')).key
  agentId = await edge.deploy(key, { name: 'echo' })
  const peek = edge.services.reads.peek.bind(edge.services.reads)
  vi.spyOn(edge.services.reads, 'peek').mockImplementation((read) => {
    const found = peek(read)
    isQuick = found !== undefined
    return found
  })
})

async function get(path: string, headers: Record<string, string> = {}) {
  isQuick = false
  return edge.call('GET', path, { headers })
}

test.each(['/api/agents', '/api/agents?limit=1', '/api/bounties', '/api/leaderboard', '/api/agents/{id}'])(
  '%s says the same',
  async (path) => {
    const url = path.replace('{id}', agentId)
    const given = { 'cf-connecting-ip': '203.0.113.7', 'x-request-id': 'told' }
    const first = await get(url, given)
    expect([first.status, isQuick]).toEqual([200, false])
    const again = await get(url, given)
    expect(isQuick).toBe(true)
    expect(again.text).toBe(first.text)
    const told = (headers: Headers) => Object.fromEntries(headers)
    const left = Number(first.headers.get('ratelimit-remaining'))
    expect(told(again.headers)).toEqual({ ...told(first.headers), 'ratelimit-remaining': String(left - 1) })
  },
)

test('health says the same, and counts against nobody', async () => {
  const first = await get('/api/health', { 'x-request-id': 'told' })
  for (let i = 0; i <= limit; i++) {
    const again = await get('/api/health', { 'x-request-id': 'told', 'cf-connecting-ip': '203.0.113.7' })
    expect([again.status, again.text, Object.fromEntries(again.headers)]).toEqual([200, first.text, Object.fromEntries(first.headers)])
  }
})

test('an id is made for every answer', async () => {
  const ids = []
  for (let i = 0; i < 3; i++) ids.push((await get('/api/agents')).headers.get('x-request-id'))
  expect(new Set(ids).size).toBe(3)
  expect((await get('/api/agents', { 'x-request-id': 'not one!' })).headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
  expect(isQuick).toBe(true)
})

test('every address has its limit, to the request', async () => {
  const from = { 'cf-connecting-ip': '203.0.113.7' }
  const statuses = []
  for (let i = 0; i <= limit; i++) statuses.push((await get('/api/agents', from)).status)
  expect(statuses).toEqual([...Array.from({ length: limit }, () => 200), 429])
  expect((await get('/api/agents', from)).body.code).toBe('rate-limited')
  expect((await get('/api/agents', { 'cf-connecting-ip': '203.0.113.8' })).status).toBe(200)
  // What was counted in front reaches the counter that all isolates share.
  const other = testEdge({ rateLimits, beside: edge })
  await other.call('GET', '/api/agents', { headers: from })
  expect((await other.call('GET', '/api/agents', { headers: from })).status).toBe(429)
})

describe('goes the whole way', () => {
  beforeEach(() => get('/api/agents'))

  test('what was written since', async () => {
    // Ids of one instant are in no order.
    edge.clock.now += 1
    await edge.deploy(key, { name: 'another' })
    const { body } = await get('/api/agents')
    expect(isQuick).toBe(false)
    expect(body.items.map(({ name }: { name: string }) => name)).toEqual(['another', 'echo'])
  })

  test('what is two seconds old', async () => {
    edge.clock.now += 2_001
    await get('/api/agents')
    expect(isQuick).toBe(false)
  })

  test.each([
    ['with a key', 200, () => ({ authorization: `Bearer ${key}` }), 'private, no-cache'],
    ['with a key that is none', 401, () => ({ authorization: 'Bearer none' }), 'no-store'],
    ['with a tag that it holds', 304, () => ({ 'if-none-match': '*' }), 'public, no-cache'],
    ['of a web page', 200, () => ({ origin: 'https://app.example.com' }), 'public, no-cache'],
  ])('a request %s', async (_, status, headers, kept) => {
    const answer = await get('/api/agents', headers())
    expect([answer.status, isQuick, answer.headers.get('cache-control')]).toEqual([status, false, kept])
  })

  test('another question', async () => {
    expect((await get('/api/agents?limit=0')).status).toBe(400)
    expect((await get('/api/agents?limit=0')).status).toBe(400)
    expect((await edge.call('HEAD', '/api/agents')).text).toBe('')
    expect((await edge.call('DELETE', '/api/agents')).status).toBe(405)
  })

  test('a list that is not kept, each time', async () => {
    for (let i = 0; i < 2; i++) {
      expect((await get('/api/agents?q=echo')).body.items).toHaveLength(1)
      expect(isQuick).toBe(false)
    }
  })
})
