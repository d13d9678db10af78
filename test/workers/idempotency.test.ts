// Idempotency-Key from the outside: one effect and one answer, whatever is repeated, raced or lost on the way.
import { beforeEach, describe, expect, test } from 'vitest'
import { claimMs, keptMs } from '../../shared/idempotency.ts'
import { ProblemError } from '../../shared/problem.ts'
import { adminKey, testEdge, type Answer, type TestEdge } from '../fakes/test-edge.ts'

let edge: TestEdge
let key: string
let agentId: string
beforeEach(async () => {
  edge = testEdge()
  key = (await edge.account('ada')).key
  agentId = await edge.deploy(key, { name: 'echo' })
})

const headers = { 'idempotency-key': 'order-1' }
const bounty = { title: 't', rewardCredits: 1, cases: [{ input: 1, expected: 1 }] }
const post = (path: string, body: unknown, more: { key?: string; of?: TestEdge; named?: string } = {}) =>
  (more.of ?? edge).call('POST', path, { key: more.key ?? key, body, headers: { 'idempotency-key': more.named ?? 'order-1' } })
const run = (body: object = { input: 1 }, more = {}) => post(`/api/agents/${agentId}/executions`, body, more)
const bounties = async () => (await edge.call('GET', '/api/bounties', { key })).body.items
const down = new ProblemError('database-unavailable', { detail: 'down' })

/** The effect happens, then the Worker is gone: no answer is kept, the claim stays. */
async function lose(request: () => Promise<Answer>): Promise<Answer> {
  const { answer } = edge.database.idempotency
  edge.database.idempotency.answer = () => Promise.reject(new Error('the Worker is gone'))
  const lost = await request()
  edge.database.idempotency.answer = answer
  return lost
}

test('without the header the store is not asked', async () => {
  edge.database.idempotency.claim = () => Promise.reject(new Error('asked'))
  expect((await edge.call('POST', '/api/bounties', { key, body: bounty })).status).toBe(201)
  expect((await edge.call('GET', '/api/accounts/me', { key, headers })).status).toBe(200)
})

describe('the same key with the same body', () => {
  test('gets the first answer: status, body and Location', async () => {
    const first = await post('/api/bounties', bounty)
    const again = await post('/api/bounties', bounty)
    expect([again.status, again.text, again.headers.get('location')]).toEqual([201, first.text, `/api/bounties/${first.body.id}`])
    expect([first.headers.get('idempotency-replayed'), again.headers.get('idempotency-replayed')]).toEqual([null, 'true'])
    expect(again.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'))
    expect(await bounties()).toHaveLength(1)
  })

  test('runs once', async () => {
    const first = await run()
    expect((await run()).text).toBe(first.text)
    expect(edge.sandbox.runs).toBe(1)
  })

  test('gets the first refusal too, when a retry could not mend it', async () => {
    const taken = { name: 'echo', kind: 'script', source: '// echo' }
    const first = await post('/api/agents', taken)
    expect([first.status, first.body.code]).toEqual([409, 'name-taken'])
    expect((await post('/api/agents', taken)).text).toBe(first.text)
  })

  test('gets no secret a second time', async () => {
    const first = await post('/api/keys', { name: 'ci' })
    const again = await post('/api/keys', { name: 'ci' })
    const { key: secret, ...shown } = first.body
    expect(secret).toMatch(/^ab_/)
    expect([again.status, again.body]).toEqual([201, shown])
    const account = await post('/api/accounts', { name: 'eve' }, { key: adminKey })
    expect(account.body.key).toMatch(/^ab_/)
    expect((await post('/api/accounts', { name: 'eve' }, { key: adminKey })).body.key).toBeUndefined()
  })

  test('is a new request after a day, and not a moment before', async () => {
    const first = await post('/api/bounties', bounty)
    edge.clock.now += keptMs - 1
    expect((await post('/api/bounties', bounty)).body.id).toBe(first.body.id)
    edge.clock.now += 1
    expect((await post('/api/bounties', bounty)).body.id).not.toBe(first.body.id)
  })

  test('is a request of its own for another account', async () => {
    const { key: other } = await edge.account('eve')
    const [mine, theirs] = [await run(), await run({ input: 1 }, { key: other })]
    expect([theirs.status, theirs.body.id === mine.body.id]).toEqual([200, false])
    expect(theirs.headers.get('idempotency-replayed')).toBeNull()
  })
})

describe('the same key with another request is refused', () => {
  const reused = async (answer: Promise<Answer>) => expect((await answer).body.code).toBe('idempotency-key-reused')

  test('another body, another path', async () => {
    expect((await run()).status).toBe(200)
    await reused(run({ input: 2 }))
    await reused(post('/api/bounties', bounty))
    expect(edge.sandbox.runs).toBe(1)
  })

  test('and bad requests take no key', async () => {
    expect((await post('/api/bounties', { ...bounty, rewardCredits: -1 })).status).toBe(400)
    expect((await post('/api/bounties', bounty)).status).toBe(201)
  })
})

describe('at the same time', () => {
  test('ten requests have one effect and one answer', async () => {
    const other = testEdge({ beside: edge })
    const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => post('/api/bounties', bounty, { of: i % 2 ? other : edge })))
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 201))
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect(await bounties()).toHaveLength(1)
  })

  test('a request whose first one takes long is told to come back', async () => {
    let finish = () => {}
    const { run: really } = edge.sandbox
    edge.sandbox.run = async (execution) => {
      await new Promise<void>((resolve) => (finish = resolve))
      return really(execution)
    }
    const first = run()
    await new Promise((resolve) => setTimeout(resolve, 5))
    const second = await run()
    expect([second.status, second.body.code, second.headers.get('retry-after')]).toEqual([409, 'idempotency-in-progress', '1'])
    expect((await run({ input: 2 })).body.code).toBe('idempotency-key-reused')
    finish()
    expect((await run()).text).toBe((await first).text)
  })
})

describe('a request that was lost', () => {
  const requests: [string, string, () => unknown][] = [
    ['an execution', '/executions', () => ({ input: 1 })],
    ['a version', '/versions', () => ({ source: '// second' })],
  ]
  test.each(requests)('%s is found by its retry, once the claim has lapsed', async (_, path, body) => {
    edge.sandbox.programs.set('// second', () => ({ output: 2 }))
    const again = () => post(`/api/agents/${agentId}${path}`, body())
    const lost = await lose(again)
    expect((await again()).body.code).toBe('idempotency-in-progress')
    edge.clock.now += claimMs
    const found = await again()
    expect([found.status, found.body]).toEqual([lost.status, lost.body])
    expect((await again()).headers.get('idempotency-replayed')).toBe('true')
    expect(edge.sandbox.runs).toBeLessThanOrEqual(1)
    expect((await edge.call('GET', `/api/agents/${agentId}`)).body.version).toBe(path === '/versions' ? 2 : 1)
  })

  test('leaves one version behind, also when another one was added meanwhile', async () => {
    for (const source of ['// second', '// third']) edge.sandbox.programs.set(source, () => ({ output: 2 }))
    const again = () => post(`/api/agents/${agentId}/versions`, { source: '// second' })
    const lost = await lose(again)
    expect((await post(`/api/agents/${agentId}/versions`, { source: '// third' }, { named: 'other' })).body.version).toBe(3)
    edge.clock.now += claimMs
    const found = await again()
    expect([found.status, found.body.version, found.body.sha256]).toEqual([lost.status, 2, lost.body.sha256])
    expect((await edge.call('GET', `/api/agents/${agentId}`)).body.version).toBe(3)
  })

  test('has added cases, or had them judged by again, also when the bounty has closed before its retry', async () => {
    const best = { ...bounty, mode: 'best' }
    const bountyId = (await edge.call('POST', '/api/bounties', { key, body: best })).body.id
    await edge.call('POST', `/api/bounties/${bountyId}/submissions`, { key, body: { agentId } })
    const add = () => post(`/api/bounties/${bountyId}/cases`, { cases: [{ input: 2, expected: 3 }] }, { named: 'add' })
    const rejudge = () => post(`/api/bounties/${bountyId}/rejudge`, undefined, { named: 'rejudge' })
    const [added, again] = [await lose(add), await lose(rejudge)]
    expect([added.status, again.status, again.body.submissions]).toEqual([201, 202, 1])
    expect((await edge.call('POST', `/api/bounties/${bountyId}/cancel`, { key })).status).toBe(200)
    edge.clock.now += claimMs
    for (const [lost, found] of [
      [added, await add()],
      [again, await rejudge()],
    ] as const)
      expect([found.status, found.body]).toEqual([lost.status, lost.body])
    expect((await post(`/api/bounties/${bountyId}/rejudge`, undefined, { named: 'late' })).body.code).toBe('bounty-closed')
  })

  test('leaves one bounty, one agent, one submission, one key behind', async () => {
    const bountyId = (await edge.call('POST', '/api/bounties', { key, body: bounty })).body.id
    const all: [string, unknown][] = [
      ['/api/bounties', bounty],
      ['/api/agents', { name: 'new', kind: 'script', source: '// echo' }],
      [`/api/bounties/${bountyId}/submissions`, { agentId }],
      ['/api/keys', { name: 'ci' }],
    ]
    for (const [path, body] of all) {
      const lost = await lose(() => post(path, body, { named: path }))
      edge.clock.now += claimMs
      const found = await post(path, body, { named: path })
      expect([found.status, found.body.id, found.headers.get('location')]).toEqual([
        lost.status,
        lost.body.id,
        lost.headers.get('location'),
      ])
    }
    const open = () => post('/api/accounts', { name: 'eve' }, { key: adminKey })
    const lost = await lose(open)
    edge.clock.now += claimMs
    const { key: _secret, ...opened } = lost.body
    expect((await open()).body).toEqual(opened)
    expect(await bounties()).toHaveLength(2)
    expect((await edge.call('GET', '/api/keys', { key })).body.items).toHaveLength(2)
    expect(edge.sandbox.judged).toEqual([1])
  })
})

test('credits that were minted, and a bounty that was closed, are found by a retry and not moved again', async () => {
  const { id, key: author } = await edge.account('eve')
  const balance = async () => (await edge.call('GET', '/api/accounts/me', { key: author })).body.balanceCredits
  const theirs = await edge.deploy(author, { name: 'theirs' })
  const newBounty = async () =>
    (await edge.call('POST', '/api/bounties', { key, body: { ...bounty, mode: 'best', rewardCredits: 7 } })).body.id
  const [awarded, cancelled] = [await newBounty(), await newBounty()]
  const submitted = await edge.submit(author, awarded, { agentId: theirs })
  const before = await balance()
  const calls: [string, unknown, string][] = [
    [`/api/accounts/${id}/credits`, { credits: 5 }, adminKey],
    [`/api/bounties/${awarded}/award`, { submissionId: submitted.body.id }, key],
    [`/api/bounties/${cancelled}/cancel`, undefined, key],
  ]
  for (const [path, body, by] of calls) {
    const request = () => post(path, body, { key: by, named: path })
    const first = await lose(request)
    expect(first.status).toBeLessThan(300)
    edge.clock.now += claimMs
    const again = await request()
    expect([again.status, again.body]).toEqual([first.status, first.body])
  }
  expect(await balance()).toBe(before + 5 + 7)
})

describe('what a retry may mend', () => {
  test('is not kept: the next request tries again, at once, with the same id', async () => {
    edge.sandbox.failure = new ProblemError('sandbox-unavailable', { detail: 'down' })
    const ids: string[] = []
    const { run: really } = edge.sandbox
    edge.sandbox.run = (execution) => {
      ids.push(execution.id)
      return really(execution)
    }
    expect((await run()).status).toBe(503)
    edge.sandbox.failure = undefined
    expect((await run()).status).toBe(200)
    expect([ids.length, new Set(ids).size]).toEqual([2, 1])
  })

  test('may have had its effect: it is found, and not made again', async () => {
    const { create } = edge.database.bounties
    edge.database.bounties.create = async (made) => {
      await create(made)
      throw down
    }
    expect((await post('/api/bounties', bounty)).status).toBe(503)
    edge.database.bounties.create = create
    const again = await post('/api/bounties', bounty)
    expect([again.status, (await bounties()).map(({ id }: { id: string }) => id)]).toEqual([201, [again.body.id]])
  })

  test('a database that is down refuses the request rather than forget the key', async () => {
    edge.database.idempotency.claim = () => Promise.reject(down)
    expect((await run()).status).toBe(503)
    expect(edge.sandbox.runs).toBe(0)
  })
})

test.each([
  ['', 'nothing'],
  ['a b', 'a space'],
  ['x'.repeat(256), '256 characters'],
  ['ключ', 'other letters'],
])('%s is no key: %s', async (named) => {
  // A header carries bytes; undici takes those below 256.
  const latin = Buffer.from(named).toString('latin1')
  const answer = await post('/api/bounties', bounty, { named: latin })
  expect([answer.status, answer.body.issues?.[0]?.field]).toEqual([400, 'Idempotency-Key'])
})

test('a key of 255 characters is one', async () => {
  expect((await post('/api/bounties', bounty, { named: '~'.repeat(255) })).status).toBe(201)
})
