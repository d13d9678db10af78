// Credits through the API over fakes, one group a status.
import { beforeEach, describe, expect, test } from 'vitest'
import { mintCreditsMax } from '../../shared/ledger.ts'
import { ProblemError } from '../../shared/problem.ts'
import { sweepBounties } from '../../workers/flows/sweep-bounties.ts'
import { adminKey, testEdge, type TestEdge } from '../fakes/test-edge.ts'

let edge: TestEdge
let owner: { id: string; key: string }
let author: { id: string; key: string }
beforeEach(async () => {
  edge = testEdge()
  owner = await edge.account('ada')
  author = await edge.account('eve')
})

const inSeconds = (seconds: number) => new Date(edge.clock.now + seconds * 1_000).toISOString()
const post = (path: string, key: string, body?: object) => edge.call('POST', `/api${path}`, { key, body })

async function bounty(more: object = {}): Promise<string> {
  const cases = [2, 3].map((input) => ({ input, expected: input * input }))
  const answer = await post('/bounties', owner.key, { title: 't', rewardCredits: 400, cases, ...more })
  expect(answer.status).toBe(201)
  return answer.body.id
}

async function submit(bountyId: string, { by = author, output = (input: unknown) => Number(input) ** 2 } = {}) {
  const agentId = await edge.deploy(by.key, { name: `a${edge.clock.now++}`, output })
  return edge.submit(by.key, bountyId, { agentId })
}
const half = (input: unknown) => (input === 2 ? 4 : 0)

async function balances() {
  const all = await Promise.all([owner, author].map(({ key }) => edge.call('GET', '/api/accounts/me', { key })))
  return all.map(({ body }) => body.balanceCredits - 1_000_000)
}
const refused = ({ status, body }: { status: number; body: { code: string } }) => [status, body.code]

describe('200', () => {
  test('the first full pass gets the reward, and a public read sees it at once', async () => {
    const id = await bounty()
    const read = async () => (await edge.call('GET', `/api/bounties/${id}`)).body
    expect(await read()).toMatchObject({ status: 'open', closedAt: null, awardedSubmissionId: null })
    expect(await balances()).toEqual([-400, 0])
    await submit(id, { output: half })
    expect(await read()).toMatchObject({ status: 'open' })
    const { body: won } = await submit(id)
    expect(await read()).toMatchObject({ status: 'awarded', awardedSubmissionId: won.id })
    expect(await balances()).toEqual([-400, 400])
    const { body: board } = await edge.call('GET', '/api/leaderboard')
    expect(board.items[0]).toMatchObject({ accountId: author.id, creditsWon: 400, bountiesWon: 1 })
    expect((await edge.call('GET', '/api/bounties?status=open')).body.items).toEqual([])
  })

  test('an owner awards a bounty of mode best to whom it likes', async () => {
    const id = await bounty({ mode: 'best' })
    await submit(id)
    const { body: chosen } = await submit(id, { output: half })
    const { status, body } = await post(`/bounties/${id}/award`, owner.key, { submissionId: chosen.id })
    expect([status, body]).toMatchObject([200, { id, status: 'awarded', awardedSubmissionId: chosen.id, rewardCredits: 400 }])
    expect(await balances()).toEqual([-400, 400])
  })

  test('a cancelled bounty gives the reward back', async () => {
    const id = await bounty()
    const { status, body } = await post(`/bounties/${id}/cancel`, owner.key)
    expect([status, body]).toMatchObject([200, { id, status: 'cancelled', closedAt: inSeconds(0) }])
    expect(await balances()).toEqual([0, 0])
  })

  test('a ledger is read page by page, newest first, by its account alone', async () => {
    const id = await bounty()
    await post(`/bounties/${id}/cancel`, owner.key)
    const first = await edge.call('GET', '/api/accounts/me/ledger?limit=2', { key: owner.key })
    const second = await edge.call('GET', `/api/accounts/me/ledger?limit=2&cursor=${first.body.nextCursor}`, { key: owner.key })
    const entry = { id: expect.stringMatching(/^trf_/), at: inSeconds(0), reason: null }
    expect([...first.body.items, ...second.body.items]).toEqual([
      { ...entry, kind: 'refund', credits: 400, balanceAfter: 1_000_000, bountyId: id },
      { ...entry, kind: 'escrow', credits: -400, balanceAfter: 999_600, bountyId: id },
      { ...entry, kind: 'mint', credits: 1_000_000, balanceAfter: 1_000_000, bountyId: null },
    ])
    expect(second.body.nextCursor).toBeNull()
    expect((await edge.call('GET', '/api/accounts/me/ledger', { key: author.key })).body.items).toHaveLength(1)
    const foreign = await edge.call('GET', `/api/accounts/me/ledger?cursor=${first.body.nextCursor}`, { key: author.key })
    expect(refused(foreign)).toEqual([400, 'invalid-cursor'])
  })
})

describe('usage', () => {
  test('is what ran and was spent, by day', async () => {
    const id = await bounty()
    await post(`/bounties/${id}/cancel`, owner.key)
    const agentId = await edge.deploy(owner.key, { name: 'used' })
    for (const input of [1, 2]) await post(`/agents/${agentId}/executions`, owner.key, { input })
    await edge.database.executions.record([...edge.sandbox.records.values()])
    edge.clock.now += 86_400_000
    await bounty({ rewardCredits: 7 })
    const read = async (query: string) => (await edge.call('GET', `/api/accounts/me/usage${query}`, { key: owner.key })).body.items
    const today = { day: '2026-11-24', executions: 0, fuel: 0, wallMicros: 0, costMicroUsd: 0, creditsIn: 0, creditsOut: 7 }
    const yesterday = {
      day: '2026-11-23',
      executions: 2,
      fuel: 200,
      wallMicros: 100,
      costMicroUsd: 5,
      creditsIn: 1_000_400,
      creditsOut: 400,
    }
    expect(await read('')).toEqual([today, yesterday])
    expect(await read('?days=1')).toEqual([today])
    for (const days of [0, 91]) expect((await edge.call('GET', `/api/accounts/me/usage?days=${days}`, { key: owner.key })).status).toBe(400)
    expect(await read('?days=90')).toHaveLength(2)
  })
})

describe('201', () => {
  test('a new account holds nothing; an administrator mints', async () => {
    const { body: account } = await post('/accounts', adminKey, { name: 'grace' })
    expect(account.balanceCredits).toBe(0)
    const minted = await post(`/accounts/${account.id}/credits`, adminKey, { credits: 5, reason: 'welcome' })
    expect(minted.status).toBe(201)
    expect(minted.body).toMatchObject({ accountId: account.id, credits: 5, balanceCredits: 5 })
    const { body } = await edge.call('GET', '/api/accounts/me/ledger', { key: account.key })
    expect(body.items).toMatchObject([{ id: minted.body.id, kind: 'mint', credits: 5, reason: 'welcome' }])
  })

  test.each([
    [1, 201],
    [0, 400],
    [1.5, 400],
    [mintCreditsMax, 201],
    [mintCreditsMax + 1, 400],
  ])('minting %s answers %i', async (credits, status) => {
    expect((await post(`/accounts/${owner.id}/credits`, adminKey, { credits })).status).toBe(status)
  })

  test('a reward may be all that there is, or nothing', async () => {
    await bounty({ rewardCredits: 1_000_000 })
    await bounty({ rewardCredits: 0 })
    expect(await balances()).toEqual([-1_000_000, 0])
  })
})

describe('402', () => {
  test('a reward above the balance writes nothing', async () => {
    const body = { title: 't', rewardCredits: 1_000_001, cases: [{ input: 1, expected: 1 }] }
    const answer = await post('/bounties', owner.key, body)
    expect(refused(answer)).toEqual([402, 'insufficient-credits'])
    expect(answer.body.detail).toBe('the reward is 1000001 credits; the account holds 1000000')
    expect((await edge.call('GET', '/api/bounties')).body.items).toEqual([])
    expect(await balances()).toEqual([0, 0])
  })
})

describe('401, 403 and 404', () => {
  test('only the administrator mints, for accounts that exist', async () => {
    expect(refused(await post(`/accounts/${owner.id}/credits`, owner.key, { credits: 1 }))).toEqual([403, 'forbidden'])
    expect(refused(await edge.call('POST', `/api/accounts/${owner.id}/credits`, { body: { credits: 1 } }))).toEqual([401, 'missing-key'])
    const unknown = await post('/accounts/acc_01000000000000000000000000/credits', adminKey, { credits: 1 })
    expect(refused(unknown)).toEqual([404, 'account-not-found'])
    expect(await balances()).toEqual([0, 0])
  })

  test('only the owner closes a bounty', async () => {
    const id = await bounty({ mode: 'best' })
    const { body: submission } = await submit(id)
    expect(refused(await post(`/bounties/${id}/award`, author.key, { submissionId: submission.id }))).toEqual([403, 'forbidden'])
    expect(refused(await post(`/bounties/${id}/cancel`, author.key))).toEqual([403, 'forbidden'])
    for (const path of ['award', 'cancel']) {
      const answer = await post(
        `/bounties/bty_01000000000000000000000000/${path}`,
        owner.key,
        path === 'award' ? { submissionId: submission.id } : undefined,
      )
      expect(refused(answer)).toEqual([404, 'bounty-not-found'])
    }
  })

  test('a submission of another bounty wins nothing here', async () => {
    const [id, other] = [await bounty({ mode: 'best' }), await bounty({ mode: 'best' })]
    const { body: elsewhere } = await submit(other)
    for (const submissionId of [elsewhere.id, 'sub_01000000000000000000000000']) {
      expect(refused(await post(`/bounties/${id}/award`, owner.key, { submissionId }))).toEqual([404, 'submission-not-found'])
    }
  })
})

describe('409', () => {
  test('what was not judged, and a bounty of mode first, is not awarded', async () => {
    const id = await bounty({ mode: 'best' })
    const { finish } = edge.database.judgings
    edge.database.judgings.finish = (submissionId, { turn, at }) => finish(submissionId, { turn, at, status: 'failed', failure: 'why' })
    const { body: failed } = await submit(id)
    edge.database.judgings.finish = finish
    expect(refused(await post(`/bounties/${id}/award`, owner.key, { submissionId: failed.id }))).toEqual([409, 'not-awardable'])
    const first = await bounty()
    const { body: rejected } = await submit(first, { output: half })
    expect(refused(await post(`/bounties/${first}/award`, owner.key, { submissionId: rejected.id }))).toEqual([409, 'not-awardable'])
  })

  test('a closed bounty stays as it is, and takes no submissions', async () => {
    const id = await bounty({ mode: 'best' })
    const { body: submission } = await submit(id)
    await post(`/bounties/${id}/award`, owner.key, { submissionId: submission.id })
    const again = [
      post(`/bounties/${id}/award`, owner.key, { submissionId: submission.id }),
      post(`/bounties/${id}/cancel`, owner.key),
      submit(id),
    ]
    for (const answer of await Promise.all(again)) expect(refused(answer)).toEqual([409, 'bounty-closed'])
    expect(await balances()).toEqual([-400, 400])
  })

  test('a bounty that closes while a submission is judged is not awarded to it', async () => {
    const id = await bounty()
    const { judge } = edge.sandbox
    edge.sandbox.judge = async (...judged) => {
      await post(`/bounties/${id}/cancel`, owner.key)
      return judge(...judged)
    }
    const { status, body } = await submit(id)
    expect([status, body.status]).toEqual([202, 'accepted'])
    expect((await edge.call('GET', `/api/bounties/${id}`)).body).toMatchObject({ status: 'cancelled', awardedSubmissionId: null })
    expect(await balances()).toEqual([0, 0])
  })

  test('from the deadline on an owner can neither cancel nor choose', async () => {
    const id = await bounty({ mode: 'best', deadline: inSeconds(60) })
    const { body: submission } = await submit(id)
    edge.clock.now += 60_000
    for (const answer of [
      await post(`/bounties/${id}/cancel`, owner.key),
      await post(`/bounties/${id}/award`, owner.key, { submissionId: submission.id }),
    ]) {
      expect(refused(answer)).toEqual([409, 'bounty-closed'])
      expect(answer.body.detail).toContain('past its deadline')
    }
  })
})

describe('the sweep', () => {
  test('settles what is due, by rank or back, and nothing twice', async () => {
    const deadline = inSeconds(60)
    const [ranked, lost, later] = [
      await bounty({ mode: 'best', deadline }),
      await bounty({ deadline }),
      await bounty({ deadline: inSeconds(120) }),
    ]
    const { body: best } = await submit(ranked, { output: half })
    expect(await sweepBounties(edge.services)).toBe(0)
    edge.clock.now = Date.parse(deadline)
    const closed = await Promise.all([sweepBounties(edge.services), sweepBounties(edge.services)])
    expect(closed.reduce((a, b) => a + b)).toBe(2)
    const read = async (id: string) => (await edge.call('GET', `/api/bounties/${id}`)).body
    expect(await read(ranked)).toMatchObject({ status: 'awarded', awardedSubmissionId: best.id, closedAt: deadline })
    expect(await read(lost)).toMatchObject({ status: 'expired', closedAt: deadline })
    expect(await read(later)).toMatchObject({ status: 'open' })
    expect(await balances()).toEqual([-800, 400])
  })

  test('goes on behind a bounty that cannot be settled, and fails at the end', async () => {
    const deadline = inSeconds(60)
    const [broken, fine] = [await bounty({ deadline }), await bounty({ deadline: inSeconds(61) })]
    edge.clock.now += 120_000
    const { settle } = edge.database.settlements
    edge.services.settlements = {
      ...edge.database.settlements,
      settle: (id, settlement) =>
        id === broken ? Promise.reject(new ProblemError('database-unavailable', { detail: 'down' })) : settle(id, settlement),
    }
    await expect(sweepBounties(edge.services)).rejects.toThrow('database-unavailable')
    expect((await edge.database.bounties.findSummary(fine))?.status).toBe('expired')
    expect((await edge.database.bounties.findSummary(broken))?.status).toBe('open')
  })
})

test('the OpenAPI document describes every call about credits', async () => {
  const { body } = await edge.call('GET', '/api/openapi.json')
  expect(Object.keys(body.paths['/api/accounts/{id}/credits'].post.responses)).toContain('201')
  expect(body.paths['/api/bounties/{id}/award'].post.requestBody.content['application/json'].schema.required).toEqual(['submissionId'])
  expect(body.paths['/api/bounties/{id}/cancel'].post.requestBody).toBeUndefined()
  const entry = body.paths['/api/accounts/me/ledger'].get.responses['200'].content['application/json'].schema.properties.items.items
  expect(Object.keys(entry.properties)).toEqual(['id', 'at', 'kind', 'credits', 'balanceAfter', 'bountyId', 'reason'])
})
