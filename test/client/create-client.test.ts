// The client against the edge in this process: types by use, problems as errors, what is tried again, and that it needs nothing but the web.
import { runInNewContext } from 'node:vm'
import { build } from 'esbuild'
import { beforeEach, describe, expect, test } from 'vitest'
import { ApiProblem, isProblem, NoAnswer } from '../../client/api-problem.ts'
import { createClient, type ClientOptions } from '../../client/create-client.ts'
import { idOf } from '../fakes/id-of.ts'
import { testEdge } from '../fakes/test-edge.ts'

type Sent = { url: string; method: string; headers: Headers }

const edge = testEdge()
const { key } = await edge.account('caller')
const agentId = await edge.deploy(key, { name: 'echo' })
let sent: Sent[]
/** What the next requests get instead of the edge's answer. */
let instead: (Response | Error)[]
beforeEach(() => {
  sent = []
  instead = []
})

const client = (options: Partial<ClientOptions> = {}) =>
  createClient({
    url: 'https://api.test',
    key,
    fetch: async (url, init) => {
      sent.push({ url, method: init.method ?? '', headers: new Headers(init.headers) })
      const answer = instead.shift()
      if (answer instanceof Error) throw answer
      return answer ?? edge.fetch(new Request(url, init))
    },
    ...options,
  })

const problem = (status: number, fields: object, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(fields), { status, headers: { 'content-type': 'application/problem+json', ...headers } })
const busy = (headers: Record<string, string> = {}) => problem(429, { code: 'overloaded', detail: 'full', retryable: true }, headers)

describe('a call', () => {
  test('puts parameters, query and body where they belong, and gives the parsed answer', async () => {
    const ran = await client().call('POST /api/agents/{id}/executions', {
      params: { id: agentId },
      body: { input: { n: 1 }, tier: 'basic' },
    })
    expect(ran).toMatchObject({ status: 'completed', output: { n: 1 } })
    const page = await client().call('GET /api/agents', { query: { limit: 1 } })
    expect(page.items.map(({ id }) => id)).toEqual([agentId])
    expect(sent.map(({ method, url }) => `${method} ${url}`)).toEqual([
      `POST https://api.test/api/agents/${agentId}/executions`,
      'GET https://api.test/api/agents?limit=1',
    ])
    expect(sent[0]?.headers.get('authorization')).toBe(`Bearer ${key}`)
    expect(sent[1]?.headers.has('content-type')).toBe(false)
  })

  test('an answer without a body is undefined', async () => {
    const made = await client().call('POST /api/keys', { body: { name: 'short-lived' } })
    expect(await client().call('DELETE /api/keys/{id}', { params: { id: made.id } })).toBeUndefined()
  })

  test('every item of a list, page by page', async () => {
    const { key: lister } = await edge.account('lister')
    for (let i = 0; i < 4; i++) await client({ key: lister }).call('POST /api/keys', { body: { name: `key ${i}` } })
    sent = []
    const names: string[] = []
    for await (const { name } of client({ key: lister }).each('GET /api/keys', { query: { limit: 2 } })) names.push(name)
    expect(names).toHaveLength(5)
    expect(new Set(names).size).toBe(5)
    expect(sent).toHaveLength(3)
  })

  test('bytes and ranges are read raw; names keep their slashes', async () => {
    const ran = await client().call('POST /api/agents/{id}/executions', { params: { id: agentId }, body: { input: 1 } })
    const response = await client().raw('GET /api/executions/{id}/artifacts/{name}', {
      params: { id: ran.id, name: 'dir/héllo.txt' },
      headers: { range: 'bytes=0-3' },
    })
    expect([response.status, await response.text()]).toEqual([206, 'made'])
    await expect(client().raw('GET /api/executions/{id}/artifacts/{name}', { params: { id: ran.id, name: '../receipt' } })).rejects.toThrow(
      'params.name is "../receipt"',
    )
  })
})

describe('a failure', () => {
  test('a problem is an error with its fields', async () => {
    const error: unknown = await client()
      .call('GET /api/bounties/{id}', { params: { id: idOf('bounty') } })
      .catch((e: unknown) => e)
    expect(error).toBeInstanceOf(ApiProblem)
    expect(error).toMatchObject({ status: 404, code: 'bounty-not-found', retryable: false, call: 'GET /api/bounties/{id}' })
    expect(error).toMatchObject({ requestId: expect.any(String), detail: expect.stringContaining('bty_') })
    expect(isProblem(error, 'bounty-not-found')).toBe(true)
    expect(isProblem(error, 'agent-not-found', 'internal')).toBe(false)
  })

  test('issues name the fields', async () => {
    const error: unknown = await client()
      .call('POST /api/bounties', { body: { title: '', rewardCredits: -1, cases: [] } })
      .catch((e: unknown) => e)
    expect(error).toMatchObject({ issues: expect.arrayContaining([{ field: 'rewardCredits', message: expect.any(String) }]) })
  })

  test.each([
    [502, '<h1>Bad gateway</h1>', true],
    [404, '[]', false],
    [500, '{"code": 7, "issues": [1, {"field": "a"}]}', false],
  ])('a %i that is no problem is one without a code: %s', async (status, text, retryable) => {
    instead = [new Response(text, { status })]
    const error: unknown = await client({ retriesMax: 0 })
      .call('GET /api/health')
      .catch((e: unknown) => e)
    expect(error).toMatchObject({ status, retryable, message: `GET /api/health answered ${status}` })
    expect(error).toHaveProperty('code', undefined)
  })

  test('a 200 that is no JSON is a problem too', async () => {
    instead = [new Response('<h1>hello</h1>')]
    await expect(client().call('GET /api/health')).rejects.toThrow('answered 200: the answer is no JSON')
  })

  test('nothing that listens', async () => {
    instead = [new TypeError('refused')]
    await expect(client({ retriesMax: 0 }).call('GET /api/health')).rejects.toThrow(NoAnswer)
  })

  test('time is up', async () => {
    const late: ClientOptions['fetch'] = (_, { signal }) =>
      new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error)))
    const error: unknown = await client({ fetch: late, secondsMax: 0.02, retriesMax: 0 })
      .call('GET /api/health')
      .catch((e: unknown) => e)
    expect(error).toMatchObject({ isTimeout: true, message: 'https://api.test did not answer GET /api/health within 0.02 s' })
  })

  test('whoever gives up gets their own reason, and no further try', async () => {
    instead = [busy({ 'retry-after': '9' })]
    const giveUp = new AbortController()
    const calling = client().call('GET /api/health', { signal: giveUp.signal })
    setTimeout(() => giveUp.abort(new Error('changed my mind')), 10)
    await expect(calling).rejects.toThrow('changed my mind')
    expect(sent).toHaveLength(1)
  })
})

describe('another try', () => {
  test('a read that failed on the way, or was turned away', async () => {
    instead = [new TypeError('reset'), busy()]
    expect(await client().call('GET /api/health')).toEqual({ status: 'ok' })
    expect(sent).toHaveLength(3)
  })

  test('a POST is the same one: one Idempotency-Key, one effect', async () => {
    const lost: ClientOptions['fetch'] = async (url, init) => {
      sent.push({ url, method: init.method ?? '', headers: new Headers(init.headers) })
      const answer = await edge.fetch(new Request(url, init))
      if (sent.length === 1) throw new TypeError('reset on the way back')
      return answer
    }
    const before = await client().call('GET /api/accounts/me')
    sent = []
    await client({ fetch: lost }).call('POST /api/bounties', {
      body: { title: 'once', rewardCredits: 10, cases: [{ input: 1, expected: 1 }] },
    })
    const keys = sent.map(({ headers }) => headers.get('idempotency-key'))
    expect(keys).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), keys[0]])
    expect((await client().call('GET /api/accounts/me')).balanceCredits).toBe(before.balanceCredits - 10)
  })

  test('keys differ from call to call, and can be given', async () => {
    const body = { input: 1 }
    for (const more of [{}, {}, { idempotencyKey: 'mine' }]) {
      await client().call('POST /api/agents/{id}/executions', { params: { id: agentId }, body, ...more })
    }
    const keys = sent.map(({ headers }) => headers.get('idempotency-key'))
    expect(new Set(keys).size).toBe(3)
    expect(keys[2]).toBe('mine')
  })

  test('a DELETE, and what is no better later, are not repeated', async () => {
    instead = [busy()]
    await expect(client().call('DELETE /api/keys/{id}', { params: { id: idOf('apiKey') } })).rejects.toThrow('429')
    instead = [problem(422, { code: 'invalid-program', detail: 'x', retryable: false })]
    await expect(client().call('POST /api/agents', { body: { name: 'a', kind: 'script', source: 'x' } })).rejects.toThrow('422: x')
    expect(sent).toHaveLength(2)
  })

  test('Retry-After is waited for, in seconds or as an instant', async () => {
    for (const after of ['1', new Date(Date.now() + 2_000).toUTCString()]) {
      instead = [busy({ 'retry-after': after })]
      const begun = performance.now()
      await client().call('GET /api/health')
      expect(performance.now() - begun).toBeGreaterThan(450)
    }
  })

  test('and not when it is too long', async () => {
    instead = [busy({ 'retry-after': '21' })]
    const error: unknown = await client()
      .call('GET /api/health')
      .catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'overloaded', retryAfterSeconds: 21 })
    expect(sent).toHaveLength(1)
  })

  test('ends after as many as are allowed', async () => {
    instead = [busy(), busy(), busy()]
    await expect(client({ retriesMax: 1 }).call('GET /api/health')).rejects.toThrow('full')
    expect(sent).toHaveLength(2)
  })
})

test('it runs where there is only the web', async () => {
  const entry = `${import.meta.dirname}/../../client/create-client.ts`
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'iife',
    globalName: 'built',
  })
  const web = { AbortController, AbortSignal, URL, Response, setTimeout, clearTimeout, crypto, TypeError, answered: undefined as unknown }
  const fetch = async () => new Response('{"status":"ok"}')
  runInNewContext(
    `${outputFiles[0]?.text ?? ''}\nanswered = built.createClient({ url: 'https://api.test' }).call('GET /api/health')`,
    Object.assign(web, { fetch }),
  )
  expect(await web.answered).toMatchObject({ status: 'ok' })
})

// Held by the type checker alone.
void (() => {
  // @ts-expect-error there is no such call
  void client().call('GET /api/nothing')
  // @ts-expect-error the parameters are missing
  void client().call('GET /api/bounties/{id}')
  // @ts-expect-error a tier that there is not
  void client().call('POST /api/agents/{id}/executions', { params: { id: agentId }, body: { input: 1, tier: 'gold' } })
  // @ts-expect-error bytes are no JSON
  void client().call('GET /api/executions/{id}/artifacts/{name}', { params: { id: agentId, name: 'a' } })
  // @ts-expect-error no list
  client().each('GET /api/health')
})
