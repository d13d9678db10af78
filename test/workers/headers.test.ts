// What answers say beside their bodies: whether they may be kept, which pages may read them, and which request they belong to.
import { beforeEach, describe, expect, test } from 'vitest'
import { adminKey, testEdge, type TestEdge } from '../fakes/test-edge.ts'

const app = 'https://app.example.com'
const elsewhere = 'https://elsewhere.example'
let edge: TestEdge
let key: string
let agentId: string
beforeEach(async () => {
  edge = testEdge({ corsOrigins: [app] })
  key = (await edge.account('ada')).key
  agentId = await edge.deploy(key, { name: 'echo' })
})

describe('public reads', () => {
  const paths = ['/api/agents', '/api/bounties', '/api/leaderboard', '/api/receipt-keys', '/api/openapi.json']

  test.each(paths)('%s is not sent twice to whoever has it', async (path) => {
    const first = await edge.call('GET', path)
    expect(first.headers.get('cache-control')).toBe('public, no-cache')
    const etag = first.headers.get('etag') ?? ''
    expect(etag).toMatch(/^W\/"[0-9a-f]{32}"$/)
    for (const held of [etag, `"x", ${etag}`, etag.slice(2), '*']) {
      const again = await edge.call('GET', path, { headers: { 'if-none-match': held } })
      expect([again.status, again.text, again.headers.get('etag')]).toEqual([304, '', etag])
    }
    expect((await edge.call('GET', path, { headers: { 'if-none-match': '"x"' } })).status).toBe(200)
    const keyed = await edge.call('GET', path, { key, headers: { 'if-none-match': etag } })
    expect([keyed.status, keyed.headers.get('cache-control')]).toEqual([304, 'private, no-cache'])
  })

  test('have another tag when they say something else', async () => {
    const etag = (await edge.call('GET', '/api/agents')).headers.get('etag') ?? ''
    await edge.deploy(key, { name: 'another' })
    expect((await edge.call('GET', '/api/agents', { headers: { 'if-none-match': etag } })).status).toBe(200)
  })
})

test('everything else is kept by nobody', async () => {
  const { body: outcome } = await edge.call('POST', `/api/agents/${agentId}/executions`, { key, body: { input: 1 } })
  const paths = [
    '/api/health',
    '/api/ready',
    '/api/metrics',
    '/api/accounts/me',
    '/api/keys',
    `/api/executions/${outcome.id}`,
    '/api/nothing',
  ]
  for (const path of paths) expect([path, (await edge.call('GET', path, { key })).headers.get('cache-control')]).toEqual([path, 'no-store'])
})

test('every answer tells browsers to take it for nothing but what it says', async () => {
  const asked = await edge.call('OPTIONS', '/api/agents', {
    headers: { origin: elsewhere, 'access-control-request-method': 'GET' },
  })
  const paths = ['/api/health', '/api/ready', '/api/metrics', '/api/agents', '/api/accounts/me', '/api/nothing', '/api/agents?limit=0']
  for (const { headers } of [asked, ...(await Promise.all(paths.map((path) => edge.call('GET', path, { key }))))]) {
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'")
    expect(headers.get('strict-transport-security')).toMatch(/^max-age=\d{8}/)
    expect(headers.get('x-request-id')).toMatch(/^[\w-]{8,}$/)
  }
})

describe('a web page', () => {
  const from = (origin: string, more = {}) => ({ headers: { origin, ...more } })
  const preflight = (origin: string, path: string, asks: string, headers = 'authorization') =>
    edge.call('OPTIONS', path, from(origin, { 'access-control-request-method': asks, 'access-control-request-headers': headers }))
  const allowed = ({ headers }: { headers: Headers }) => headers.get('access-control-allow-origin')

  test('from anywhere may read what is public, and see the headers that matter', async () => {
    const answer = await edge.call('GET', '/api/agents', from(elsewhere))
    expect([answer.status, allowed(answer)]).toEqual([200, '*'])
    expect(answer.headers.get('access-control-expose-headers')).toMatch(/etag.*ratelimit-remaining.*retry-after/)
    const asked = await preflight(elsewhere, '/api/agents', 'GET', 'if-none-match')
    expect([asked.status, allowed(asked), asked.headers.get('access-control-allow-methods')]).toEqual([204, '*', 'GET, HEAD'])
    expect(asked.headers.get('access-control-allow-headers')).not.toContain('authorization')
  })

  test('from anywhere reads why a public read was refused', async () => {
    expect(allowed(await edge.call('GET', '/api/agents?limit=0', from(elsewhere)))).toBe('*')
  })

  test('from anywhere else than the named origins may not call with a key', async () => {
    for (const [path, method] of [
      ['/api/agents', 'POST'],
      ['/api/accounts/me', 'GET'],
      ['/api/keys', 'DELETE'],
    ] as const) {
      const asked = await preflight(elsewhere, path, method)
      expect([asked.status, allowed(asked), asked.headers.get('access-control-allow-methods')]).toEqual([204, null, null])
    }
    expect(allowed(await edge.call('GET', '/api/accounts/me', { key, headers: { origin: elsewhere } }))).toBeNull()
  })

  test('from a named origin may call with a key', async () => {
    const asked = await preflight(app, `/api/agents/${agentId}/executions`, 'POST')
    expect([asked.status, allowed(asked), asked.headers.get('vary')]).toEqual([204, app, 'Origin'])
    expect(asked.headers.get('access-control-allow-methods')).toContain('POST')
    expect(asked.headers.get('access-control-allow-headers')).toMatch(/authorization.*idempotency-key/)
    const answer = await edge.call('GET', '/api/accounts/me', { key, headers: { origin: app } })
    expect([answer.status, allowed(answer), answer.headers.get('access-control-allow-credentials')]).toEqual([200, app, null])
  })

  test('OPTIONS that is no preflight is a method like any other', async () => {
    expect((await edge.call('OPTIONS', '/api/agents')).status).toBe(405)
  })
})

describe('the id of a request', () => {
  test('is the one that the caller gave, when it is one, in answer, problem and log', async () => {
    const given = { 'x-request-id': 'trace-7' }
    const answer = await edge.call('GET', '/api/nothing', { headers: given })
    expect([answer.headers.get('x-request-id'), answer.body.requestId]).toEqual(['trace-7', 'trace-7'])
    await edge.call('POST', '/api/accounts', { key: adminKey, body: { name: 'eve' }, headers: given })
    expect(edge.log.at(-1)).toMatchObject({ event: 'account opened', fields: { requestId: 'trace-7' } })
    for (const forged of ['a"b', 'x'.repeat(256), 'a b']) {
      expect((await edge.call('GET', '/api/health', { headers: { 'x-request-id': forged } })).headers.get('x-request-id')).not.toBe(forged)
    }
  })

  test('is in every line that is logged while a request is answered', async () => {
    expect(edge.log.length).toBeGreaterThan(1)
    for (const { fields } of edge.log) expect(fields['requestId']).toMatch(/^[\w-]{8,}$/)
  })
})
