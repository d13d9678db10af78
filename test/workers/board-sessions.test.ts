// Who is signed in to the pages: how a session begins, what it opens, and when it ends.
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { rateLimits } from '../../shared/rate-limit.ts'
import { createSessions, sessionSeconds } from '../../workers/session.ts'
import { adminKey, sandboxSecret, testEdge, type Answer, type TestEdge } from '../fakes/test-edge.ts'

const own = { origin: 'http://localhost', 'sec-fetch-site': 'same-origin' }
let edge: TestEdge
let owner: { id: string; key: string }
let submissionId: string

beforeEach(async () => {
  edge = testEdge()
  owner = await edge.account('ada')
  const agentId = await edge.deploy(owner.key, { name: 'echo' })
  const bounty = { title: 't', rewardCredits: 1, mode: 'best', cases: [{ input: 1, expected: 1 }] }
  const { body } = await edge.call('POST', '/api/bounties', { key: owner.key, body: bounty })
  submissionId = (await edge.call('POST', `/api/bounties/${body.id}/submissions`, { key: owner.key, body: { agentId } })).body.id
})

function send(path: string, fields: Record<string, string>, headers: Record<string, string> = own): Promise<Answer> {
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  return edge.call('POST', path, { raw: new URLSearchParams(fields).toString(), headers: { ...form, ...headers } })
}
const signIn = (key: string, headers = own) => send('/account/sign-in', { key }, headers)
const cookieOf = ({ headers }: Answer) => (headers.get('set-cookie') ?? '').split(';', 1)[0] ?? ''
const see = (path: string, cookie: string) => edge.call('GET', path, { headers: { cookie, 'cf-connecting-ip': '192.0.2.1' } })

describe('signing in', () => {
  test('sets a cookie that no script reads and no other site sends, and leads to the account', async () => {
    const answer = await signIn(owner.key)
    expect([answer.status, answer.headers.get('location'), answer.headers.get('cache-control')]).toEqual([303, '/account', 'no-store'])
    const cookie = answer.headers.get('set-cookie')
    expect(cookie).toMatch(new RegExp(`^bounty-session=[\\w-]+; Max-Age=${sessionSeconds}; Path=/; HttpOnly; SameSite=Strict$`))
    expect(cookie).not.toContain(owner.key)
    expect((await see('/account', cookieOf(answer))).text).toContain('<bdi>ada</bdi>')
    expect((await see(`/submissions/${submissionId}`, cookieOf(answer))).status).toBe(200)
    expect((await see(`/submissions/${submissionId}/events`, cookieOf(answer))).text).toContain('event: finished')
    expect((await see(`/submissions/${submissionId}/receipt`, cookieOf(answer))).text).toContain(`{"submissionId":"${submissionId}"`)
  })

  test('over https the cookie is secure, and of this host alone', async () => {
    const request = {
      method: 'POST',
      body: `key=${owner.key}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'https://bounty.example' },
    }
    const answer = await edge.fetch(new Request('https://bounty.example/account/sign-in', request))
    expect(answer.headers.get('set-cookie')).toMatch(/^__Host-bounty-session=.*; Path=\/; HttpOnly; Secure; SameSite=Strict$/)
  })

  test.each<[string, Record<string, string>]>([
    ['another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['another subdomain', { origin: 'http://other.localhost', 'sec-fetch-site': 'same-site' }],
    ['a page without an origin', { origin: 'null', 'sec-fetch-site': 'same-origin' }],
    ['nowhere', {}],
  ])('from %s is refused, and so is signing out', async (_from, headers) => {
    for (const path of ['/account/sign-in', '/account/sign-out']) {
      const answer = await send(path, { key: owner.key }, headers)
      expect([answer.status, answer.headers.get('set-cookie')]).toEqual([403, null])
    }
  })

  test.each([
    ['a key that nobody has', `ab_${'x'.repeat(43)}`, 401],
    ['what is no key', 'open sesame', 401],
    ['the key of the administrator', adminKey, 403],
  ])('with %s says so in the form and begins nothing', async (_with, key, status) => {
    const answer = await signIn(key)
    expect([answer.status, answer.headers.get('set-cookie')]).toEqual([status, null])
    expect(answer.text).toContain('role="alert"')
    expect(answer.text).not.toContain(key)
  })

  test('needs a key with the scope read', async () => {
    const { body } = await edge.call('POST', '/api/keys', { key: owner.key, body: { name: 'runner', scopes: ['run'] } })
    const answer = await signIn(body.key)
    expect([answer.status, answer.headers.get('set-cookie')]).toEqual([403, null])
  })

  test.each<[string, string, Record<string, string>, number]>([
    ['no key', '', {}, 400],
    ['an unknown field', 'key=a&next=/x', {}, 400],
    ['two keys', 'key=a&key=b', {}, 400],
    ['a form that is too large', `key=${'a'.repeat(1_024)}`, {}, 413],
    ['JSON', '{"key":"a"}', { 'content-type': 'application/json' }, 415],
  ])('refuses %s', async (_what, raw, headers, status) => {
    const form = { 'content-type': 'application/x-www-form-urlencoded', ...own, ...headers }
    expect((await edge.call('POST', '/account/sign-in', { raw, headers: form })).status).toBe(status)
  })

  test('is counted with the look-ups of keys of the address', async () => {
    const { requests } = rateLimits.address
    const headers = { ...own, 'cf-connecting-ip': '192.0.2.7' }
    const guess = (n: number) => signIn(`ab_${String(n).padStart(43, '0')}`, headers)
    for (let n = 0; n < requests - 1; n++) await guess(n)
    expect((await guess(requests)).status).toBe(401)
    const refused = await guess(requests + 1)
    expect([refused.status, Number(refused.headers.get('retry-after'))]).toEqual([429, expect.any(Number)])
    expect(refused.text).toContain('Too many requests')
    const key = `ab_${'y'.repeat(43)}`
    expect((await edge.call('GET', '/api/keys', { key, headers: { 'cf-connecting-ip': '192.0.2.7' } })).status).toBe(429)
  })
})

describe('a session', () => {
  let cookie: string
  beforeEach(async () => {
    cookie = cookieOf(await signIn(owner.key))
  })
  const status = async (with_ = cookie) => (await see(`/submissions/${submissionId}`, with_)).status

  test('ends after twelve hours', async () => {
    edge.clock.now += (sessionSeconds - 1) * 1_000
    expect(await status()).toBe(200)
    edge.clock.now += 1_000
    expect(await status()).toBe(401)
  })

  test('ends with its key: at once here, within a minute in another isolate', async () => {
    const made = (await edge.call('POST', '/api/keys', { key: owner.key, body: { name: 'k' } })).body
    const short = cookieOf(await signIn(made.key))
    const other = testEdge({ beside: edge })
    const there = async () => (await other.call('GET', `/submissions/${submissionId}`, { headers: { cookie: short } })).status
    expect([await status(short), await there()]).toEqual([200, 200])
    await edge.call('DELETE', `/api/keys/${made.id}`, { key: owner.key })
    expect(await status(short)).toBe(401)
    edge.clock.now += 60_000
    expect(await there()).toBe(401)
    const account = await see('/account', short)
    expect([account.status, account.headers.get('set-cookie')]).toEqual([200, expect.stringContaining('Max-Age=0')])
    expect(account.text).toContain('Sign in')
  })

  test('ends when its key expires', async () => {
    const expiresAt = new Date(edge.clock.now + 5_000).toISOString()
    const made = (await edge.call('POST', '/api/keys', { key: owner.key, body: { name: 'k', expiresAt } })).body
    const short = cookieOf(await signIn(made.key))
    expect(await status(short)).toBe(200)
    edge.clock.now += 5_000
    expect(await status(short)).toBe(401)
  })

  test('is counted against its account', async () => {
    const limits = { ...rateLimits, account: { ...rateLimits.account, requests: 3 } }
    const tight = testEdge({ rateLimits: limits, beside: edge })
    edge.clock.now += limits.account.windowMs
    const read = () => tight.call('GET', '/account', { headers: { cookie } })
    for (let i = 0; i < 3; i++) expect((await read()).status).toBe(200)
    const refused = await read()
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, expect.any(String)])
  })

  test('of a stranger finds no submission of others', async () => {
    const stranger = cookieOf(await signIn((await edge.account('eve')).key))
    expect(await status(stranger)).toBe(404)
    for (const part of ['receipt', 'events']) expect((await see(`/submissions/${submissionId}/${part}`, stranger)).status).toBe(404)
  })

  test('opens no call of the API', async () => {
    for (const path of ['/api/accounts/me', '/api/keys', `/api/submissions/${submissionId}/events`]) {
      const answer = await see(path, cookie)
      expect([answer.status, answer.body.code]).toEqual([401, 'missing-key'])
    }
    const post = await edge.call('POST', '/api/keys', { body: { name: 'k' }, headers: { cookie, ...own } })
    expect(post.status).toBe(401)
  })

  test('that was changed, or made with another secret, is none', async () => {
    const value = cookie.slice('bounty-session='.length)
    for (let i = 0; i < value.length; i += 7) {
      const changed = `${value.slice(0, i)}${value[i] === 'A' ? 'B' : 'A'}${value.slice(i + 1)}`
      expect(await status(`bounty-session=${changed}`)).toBe(401)
    }
    const forger = createSessions({ secret: `${sandboxSecret}!`, now: () => edge.clock.now })
    const sha256 = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(owner.key))).toString('hex')
    expect(await status(`bounty-session=${await forger.seal(sha256)}`)).toBe(401)
    for (const nonsense of ['', 'x', 'A'.repeat(86), 'A'.repeat(10_000)]) expect(await status(`bounty-session=${nonsense}`)).toBe(401)
  })

  test('is signed out by its form', async () => {
    const answer = await edge.call('POST', '/account/sign-out', {
      raw: '',
      headers: { ...own, cookie, 'content-type': 'application/x-www-form-urlencoded' },
    })
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/'])
    expect(answer.headers.get('set-cookie')).toMatch(/^bounty-session=; Max-Age=0; Path=\//)
  })
})

describe('the seal of a session', () => {
  let sessions: ReturnType<typeof createSessions>
  const hash = 'c0ffee'.repeat(10) + 'abcd'
  beforeAll(() => {
    sessions = createSessions({ secret: 's', now: () => 0 })
  })

  test('opens to what was sealed, and shows none of it', async () => {
    const [one, two] = [await sessions.seal(hash), await sessions.seal(hash)]
    expect([await sessions.open(one), await sessions.open(two)]).toEqual([hash, hash])
    expect(one).not.toBe(two)
    expect(Buffer.from(one, 'base64url').toString('hex')).not.toContain(hash.slice(0, 12))
  })
})
