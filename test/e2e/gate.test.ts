// Keys, limits and idempotency on the real edge, over real Postgres and Valkey.
import { createHmac, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, inject, test, vi } from 'vitest'
import { rateLimits } from '../../shared/rate-limit.ts'
import { formatSignature, signatureHeader, signedText } from '../../shared/signing.ts'
import { upstashUsageCounter } from '../../workers/adapters/upstash-usage-counter.ts'
import { call, deployScript, newAccount, uniqueName, type Answer } from './caller.ts'

const bounty = { title: 't', rewardCredits: 1, cases: [{ input: 1, expected: 1 }] }
const codeOf = ({ status, body }: Answer) => (status < 400 ? 'ok' : String(body.code))

describe('keys', () => {
  test('are made with scopes and an expiry, listed without the secret, and dead at once when deleted', async () => {
    const { key } = await newAccount()
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString()
    const made = await call('POST', '/api/keys', { key, body: { name: 'ci', scopes: ['read'], expiresAt } })
    expect([made.status, made.body.scopes, made.body.expiresAt]).toEqual([201, ['read'], expiresAt])
    expect(codeOf(await call('GET', '/api/accounts/me', { key: made.body.key }))).toBe('ok')
    const refused = await call('POST', '/api/bounties', { key: made.body.key, body: bounty })
    expect([refused.status, refused.body.detail]).toEqual([403, expect.stringContaining('"bounties"')])
    const { body: list } = await call('GET', '/api/keys', { key })
    expect(list.items.map(({ name }: { name: string }) => name)).toEqual(['ci', 'first key'])
    expect(JSON.stringify(list)).not.toContain(made.body.key)
    expect((await call('DELETE', `/api/keys/${made.body.id}`, { key })).status).toBe(204)
    expect(codeOf(await call('GET', '/api/accounts/me', { key: made.body.key }))).toBe('unknown-key')
  })

  test('expire by the clock', async () => {
    const { key } = await newAccount()
    const made = await call('POST', '/api/keys', { key, body: { name: 'short', expiresAt: new Date(Date.now() + 1_000).toISOString() } })
    expect(codeOf(await call('GET', '/api/accounts/me', { key: made.body.key }))).toBe('ok')
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    expect(codeOf(await call('GET', '/api/accounts/me', { key: made.body.key }))).toBe('expired-key')
  })
})

describe('Idempotency-Key', () => {
  const send = (path: string, body: unknown, named: string) => call('POST', path, { body, headers: { 'idempotency-key': named } })

  test('twenty requests at once run once and get one answer', async () => {
    const agentId = await deployScript('export default (x) => x')
    const named = uniqueName('run')
    const path = `/api/agents/${agentId}/executions`
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(path, { input: 1 }, named)))
    expect(answers.map(codeOf)).toEqual(Array.from({ length: 20 }, () => 'ok'))
    expect(new Set(answers.map(({ bytes }) => new TextDecoder().decode(bytes))).size).toBe(1)
    expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(19)
    expect(codeOf(await send(path, { input: 2 }, named))).toBe('idempotency-key-reused')
  })

  test('a long run is one run: whoever repeats it meanwhile is told to come back', async () => {
    const agentId = await deployScript('export default () => { for (;;); }')
    const named = uniqueName('long')
    const path = `/api/agents/${agentId}/executions`
    // Whichever arrives first runs; the other one comes back.
    const untilAnswered = async (): Promise<Answer> => {
      const answer = await send(path, { input: 1, tier: 'standard' }, named)
      if (codeOf(answer) !== 'idempotency-in-progress') return answer
      return untilAnswered()
    }
    const [one, other] = await Promise.all([untilAnswered(), untilAnswered()])
    expect([one.status, one.body]).toEqual([200, other.body])
  })

  test('is one bounty, whatever JSON its answer holds', async () => {
    const named = uniqueName('bounty')
    const body = { ...bounty, title: `é "quoted" \\ ${named}` }
    const [first, again] = [await send('/api/bounties', body, named), await send('/api/bounties', body, named)]
    expect(again.bytes).toEqual(first.bytes)
    expect(again.headers.get('location')).toBe(`/api/bounties/${first.body.id}`)
    expect((await call('GET', again.headers.get('location') ?? '')).status).toBe(200)
  })

  test('keeps no secret', async () => {
    const named = uniqueName('key')
    const { key } = await newAccount()
    const make = () => call('POST', '/api/keys', { key, body: { name: 'ci' }, headers: { 'idempotency-key': named } })
    const [first, again] = [await make(), await make()]
    const { key: secret, ...shown } = first.body
    expect([typeof secret, again.body]).toEqual(['string', shown])
  })
})

describe('rate limits', () => {
  const { account: limit, address } = rateLimits

  test(`an account makes ${limit.requests} requests a minute, and is told how many are left; the demo key has no limit`, async () => {
    const { key, id } = await newAccount()
    const me = () => call('GET', '/api/accounts/me', { key })
    // All of it in one window: not over the turn of a minute.
    const left = limit.windowMs - (Date.now() % limit.windowMs)
    if (left < 20_000) await new Promise((resolve) => setTimeout(resolve, left + 100))
    for (let sent = 1; sent < limit.requests; sent += 50) {
      await Promise.all(Array.from({ length: Math.min(50, limit.requests - sent) }, me))
    }
    const last = await me()
    expect([last.status, last.headers.get('ratelimit-limit'), last.headers.get('ratelimit-remaining')]).toEqual([
      200,
      `${limit.requests}`,
      '0',
    ])
    const refused = await me()
    expect([refused.status, refused.body.code]).toEqual([429, 'rate-limited'])
    const wait = Number(refused.headers.get('retry-after'))
    expect(wait).toBeGreaterThanOrEqual(1)
    expect(wait).toBeLessThanOrEqual(60)
    const demo = await call('GET', '/api/accounts/me')
    expect([demo.status, demo.headers.get('ratelimit-limit')]).toEqual([200, null])

    // What the isolate counted reaches Valkey, for all the others, within this window.
    const counter = upstashUsageCounter(inject('stack').upstash)
    await vi.waitFor(async () => expect(await counter.add(id, { amount: 0, limit })).toBe(limit.requests), {
      timeout: 10_000,
      interval: 200,
    })
  })

  test('the shared counter adds up what isolates report, one subject and one window at a time', async () => {
    const [one, two] = [upstashUsageCounter(inject('stack').upstash), upstashUsageCounter(inject('stack').upstash)]
    const subject = uniqueName('subject')
    const small = { name: 'small', requests: 10, windowMs: 3_000 }
    await new Promise((resolve) => setTimeout(resolve, small.windowMs - (Date.now() % small.windowMs) + 50))
    expect(await one.add(subject, { amount: 4, limit: small })).toBe(4)
    expect(await two.add(subject, { amount: 5, limit: small })).toBe(9)
    expect(await one.add(subject, { amount: 5, limit: small })).toBe(10)
    expect(await one.add(uniqueName('other'), { amount: 1, limit: small })).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, small.windowMs))
    expect(await two.add(subject, { amount: 1, limit: small })).toBe(1)
  })

  test(`an address without a key makes ${address.requests} requests a minute`, async () => {
    const headers = { 'cf-connecting-ip': `2001:db8:${randomBytes(2).toString('hex')}::1` }
    const left = address.windowMs - (Date.now() % address.windowMs)
    if (left < 15_000) await new Promise((resolve) => setTimeout(resolve, left + 100))
    const read = () => call('GET', '/api/agents', { key: null, headers })
    const statuses = await Promise.all(Array.from({ length: address.requests }, async () => (await read()).status))
    expect(new Set(statuses)).toEqual(new Set([200]))
    expect((await read()).status).toBe(429)
    expect((await call('GET', '/api/health', { key: null, headers })).status).toBe(200)
  }, 90_000)
})

describe('what Postgres must never see', () => {
  const cursor = (...parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString('base64url')
  const place = ['leaderboard', 1, 1, 1, 'acc_01000000000000000000000000', 1]

  test.each([
    [`/api/agents?cursor=${cursor('agents', 'a\0b')}`],
    [`/api/agents?cursor=${cursor('agents', '\ud800')}`],
    [`/api/leaderboard?cursor=${cursor(...place.with(1, 1.5))}`],
    [`/api/leaderboard?cursor=${cursor(...place.with(2, 2 ** 31))}`],
    [`/api/leaderboard?cursor=${cursor(...place.with(3, 1e300))}`],
  ])('%s is no cursor', async (path) => {
    const answer = await call('GET', path)
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid-cursor'])
  })

  test('the ends of what a cursor may hold are compared', async () => {
    for (const largest of [0, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
      const path = `/api/leaderboard?cursor=${cursor(
        ...place
          .with(1, largest)
          .with(2, 2 ** 31 - 1)
          .with(3, largest),
      )}`
      expect((await call('GET', path)).status).toBe(200)
    }
    const { body } = await call('POST', '/api/bounties', { body: bounty })
    const list = `leaderboard:${body.id}`
    for (const instant of ['0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z']) {
      const path = `/api/leaderboard?bounty=${body.id}&cursor=${cursor(list, 2 ** 31 - 1, 2 ** 31 - 1, Number.MAX_SAFE_INTEGER, instant, 'x', 1)}`
      expect((await call('GET', path)).status).toBe(200)
    }
  })

  test.each([['a\0b'], ['half \ud800 of a pair']])('%j is no title', async (title) => {
    const answer = await call('POST', '/api/bounties', { body: { ...bounty, title } })
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid-request'])
  })
})

test('outcomes that were signed once are refused the second time', async () => {
  const secret: string = JSON.parse(readFileSync(join(inject('stack').localDir, 'secrets.json'), 'utf8')).sandboxSecret
  const [path, raw] = ['/internal/outcomes', JSON.stringify({ host: 'nobody', records: [{ id: uniqueName('nonsense') }] })]
  const head = { audience: 'worker' as const, method: 'POST', path, at: Date.now(), nonce: randomBytes(16).toString('hex') }
  const signature = createHmac('sha256', secret).update(signedText(head)).update(raw).digest('hex')
  const headers = { [signatureHeader]: formatSignature({ ...head, signature }) }
  expect(codeOf(await call('POST', path, { key: null, raw, headers }))).toBe('ok')
  expect(codeOf(await call('POST', path, { key: null, raw, headers }))).toBe('replayed-signature')
})

test('a web page from anywhere reads what is public, and gets it once', async () => {
  const headers = { origin: 'https://elsewhere.example' }
  const first = await call('GET', '/api/bounties', { key: null, headers })
  expect([first.status, first.headers.get('access-control-allow-origin')]).toEqual([200, '*'])
  const again = await call('GET', '/api/openapi.json', { key: null, headers })
  const held = { ...headers, 'if-none-match': again.headers.get('etag') ?? '' }
  expect((await call('GET', '/api/openapi.json', { key: null, headers: held })).status).toBe(304)
})
