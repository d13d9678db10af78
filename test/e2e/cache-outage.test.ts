// Without Redis, or with one that hangs, everything goes on, only slower: what waits for it waits for a bounded time, and not every request
// does. Bounds of time are far above what is seen: other tests share the cores.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { serveOnFreePort, type TestServer } from '../fakes/serve-on-free-port.ts'
import { call, fund, newAccount, uniqueName } from './caller.ts'
import { edgeInProcess, type EdgeInProcess } from './edge-in-process.ts'

const bounty = () => ({ title: uniqueName('outage'), rewardCredits: 1, cases: [{ input: 1, expected: 1 }] })
let account: { id: string; key: string }
beforeAll(async () => {
  account = await newAccount()
  await fund(account.id, 1_000)
})

/** Reads that no cache has, writes, and a write that is read at once, each within its bound. */
async function goesOn(edge: Pick<EdgeInProcess, 'call'>): Promise<void> {
  const { key } = account
  const within = async (work: () => Promise<{ status: number }>, status: number) => {
    const from = performance.now()
    expect((await work()).status).toBe(status)
    expect(performance.now() - from).toBeLessThan(5_000)
  }
  for (let limit = 1; limit <= 30; limit++) await within(() => edge.call('GET', `/api/agents?limit=${limit}`), 200)
  await within(() => edge.call('GET', '/api/bounties', { key }), 200)
  await within(() => edge.call('GET', '/api/accounts/me', { key }), 200)
  for (let i = 0; i < 3; i++) {
    const body = bounty()
    await within(() => edge.call('POST', '/api/bounties', { key, body }), 201)
    const { body: list } = await edge.call('GET', '/api/bounties')
    expect(list.items.map(({ title }: { title: string }) => title)).toContain(body.title)
  }
}

describe('on the edge itself, while Redis is held', () => {
  const redis = () => Number(JSON.parse(readFileSync(join(inject('stack').localDir, 'processes.json'), 'utf8')).redis)
  afterEach(() => process.kill(redis(), 'SIGCONT'))
  const edge: Pick<EdgeInProcess, 'call'> = {
    call: (method, path, { key, body } = {}) => call(method, path, { key: key ?? null, body }),
  }

  test('reads, writes and limits go on; afterwards Redis is used again', async () => {
    process.kill(redis(), 'SIGSTOP')
    await goesOn(edge)
    const [first, second] = [await call('GET', '/api/accounts/me', account), await call('GET', '/api/accounts/me', account)]
    const left = ({ headers }: typeof first) => Number(headers.get('ratelimit-remaining'))
    expect(left(second)).toBeLessThan(left(first))
    const ready = await call('GET', '/api/ready', { key: null })
    expect([ready.status, ready.body.checks.cache.ok]).toEqual([503, false])

    process.kill(redis(), 'SIGCONT')
    const title = uniqueName('after')
    await call('POST', '/api/bounties', { key: account.key, body: { ...bounty(), title } })
    await vi.waitFor(
      async () => {
        // Another isolate, which has nothing but Redis and the database.
        const { body } = await edgeInProcess().call('GET', '/api/bounties')
        expect(body.items.map((found: { title: string }) => found.title)).toContain(title)
        expect((await call('GET', '/api/ready', { key: null })).status).toBe(200)
      },
      { timeout: 30_000, interval: 500 },
    )
  })
})

describe('in a process of our own', () => {
  let upstash: TestServer
  let asked: number
  afterEach(() => upstash.stop())

  /** Upstash as `answer` has it. */
  async function start(answer: 'hangs' | 'refuses'): Promise<EdgeInProcess> {
    asked = 0
    const server = createServer((request, response) => {
      // Reports of rate limits are scripts: nobody waits for them, and they go on as they are.
      request.on('data', (chunk) => (asked += /^\["(evalsha|eval|script)/i.test(String(chunk)) ? 0 : 1))
      if (answer === 'refuses') response.writeHead(503).end('{"error":"refused"}')
    })
    upstash = await serveOnFreePort(server)
    return edgeInProcess({ upstash: { url: upstash.url, token: 'x' } })
  }

  test.each(['hangs', 'refuses'] as const)('an Upstash that %s is asked by a few requests only', async (answer) => {
    const edge = await start(answer)
    const from = performance.now()
    await goesOn(edge)
    // Three, and then one in five seconds.
    expect(asked).toBeLessThanOrEqual(3 + Math.ceil((performance.now() - from) / 5_000))
  })

  test('limits are kept without it', async () => {
    await start('hangs')
    const rateLimits = {
      address: { name: 'address', requests: 5, windowMs: 3_600_000 },
      account: { name: 'account', requests: 5, windowMs: 3_600_000 },
    }
    const edge = edgeInProcess({ upstash: { url: upstash.url, token: 'x' }, rateLimits })
    const statuses: number[] = []
    for (let i = 0; i < 6; i++) statuses.push((await edge.call('GET', '/api/agents')).status)
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429])
  })
})
