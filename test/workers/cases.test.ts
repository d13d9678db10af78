// Cases that are added and fixed, and submissions that are judged again, through the API over fakes.
import { beforeEach, describe, expect, test } from 'vitest'
import { submissionReceiptSchema, checkOpenings } from '../../shared/judgement-receipt.ts'
import { limits } from '../../shared/tiers.ts'
import { sha256Hex } from '../../workers/hex.ts'
import { takeMessages } from '../../workers/take-messages.ts'
import { eventually } from '../fakes/eventually.ts'
import { testEdge, type TestEdge } from '../fakes/test-edge.ts'

let edge: TestEdge
let owner: { id: string; key: string }
let author: { id: string; key: string }
beforeEach(async () => {
  edge = testEdge()
  owner = await edge.account('ada')
  author = await edge.account('eve')
})

const call = (method: string, path: string, { key }: { key: string }, body?: unknown, headers: Record<string, string> = {}) =>
  edge.call(method, `/api${path}`, { key, headers, ...(body === undefined ? {} : { body }) })
/** Squares; the last is hidden, and wrong. */
async function bounty(more: object = {}): Promise<string> {
  const cases = [2, 3, 4].map((n) => ({ input: n, expected: n === 4 ? 'secret' : n * n, hidden: n === 4 }))
  const { body } = await call('POST', '/bounties', owner, { title: 't', rewardCredits: 9, mode: 'best', cases, ...more })
  return body.id
}
const square = (input: unknown) => Number(input) ** 2
async function submitted(bountyId: string, output = square): Promise<string> {
  edge.clock.now += 1_000
  const agentId = await edge.deploy(author.key, { name: `a${edge.clock.now}`, output })
  return (await edge.submit(author.key, bountyId, { agentId })).body.id
}
const casesOf = async (bountyId: string) => (await call('GET', `/bounties/${bountyId}/cases`, owner)).body.items
const read = async (id: string) => (await call('GET', `/submissions/${id}`, author)).body
/** Delivers what the event log holds. */
async function deliver(): Promise<void> {
  const messages = edge.eventLog.messages.splice(0)
  await takeMessages(
    edge.services,
    messages.map(({ message }, i) => ({ id: String(i), body: message, ack: () => {}, retry: () => expect.fail('a message failed') })),
  )
}

describe('judging again', () => {
  test('makes of a wrong case a right one: ranks, counts and the awarded author follow', async () => {
    const id = await bounty({ mode: 'first' })
    const [older, newer] = [await submitted(id), await submitted(id)]
    expect(await read(older)).toMatchObject({ status: 'rejected', casesPassed: 2, round: 1 })
    const hidden = (await casesOf(id))[2]
    const fixed = await call('PATCH', `/bounties/${id}/cases/${hidden.id}`, owner, { expected: 16 })
    expect([fixed.status, fixed.body]).toEqual([200, { ...hidden, revision: 2 }])
    edge.eventLog.messages.splice(0)
    const again = await call('POST', `/bounties/${id}/rejudge`, owner)
    expect([again.status, again.body]).toEqual([202, { bountyId: id, submissions: 2 }])
    expect(await read(older)).toMatchObject({ status: 'queued', round: 2, casesPassed: 2, finishedAt: null })
    expect((await edge.call('GET', `/api/leaderboard?bounty=${id}`)).body.items).toHaveLength(2)
    edge.sandbox.judged.splice(0)
    edge.eventLog.messages.reverse()
    await deliver()
    expect(edge.sandbox.judged).toEqual([1, 1])
    for (const one of [older, newer]) expect(await read(one)).toMatchObject({ status: 'accepted', round: 2, casesPassed: 3, casesTotal: 3 })
    expect((await edge.call('GET', `/api/bounties/${id}`)).body).toMatchObject({ status: 'awarded', awardedSubmissionId: older })
    expect((await call('GET', '/accounts/me', author)).body.balanceCredits).toBe(1_000_009)
    const { text } = await edge.call('GET', `/api/leaderboard?bounty=${id}`)
    expect(JSON.parse(text).items.map(({ casesPassed }: { casesPassed: number }) => casesPassed)).toEqual([3, 3])
  })

  test('by cases that were added, and only by them', async () => {
    const id = await bounty()
    const one = await submitted(id)
    const added = await call('POST', `/bounties/${id}/cases`, owner, { cases: [{ input: 5, expected: 25, name: 'five' }] })
    expect(added.status).toBe(201)
    expect(added.body.items).toEqual([{ id: expect.stringMatching(/^cas_/), position: 3, name: 'five', hidden: false, revision: 1 }])
    expect((await edge.call('GET', `/api/bounties/${id}`)).body).toMatchObject({ caseCount: 4, hiddenCaseCount: 1 })
    expect(await read(one)).toMatchObject({ casesTotal: 3 })
    await call('POST', `/bounties/${id}/rejudge`, owner)
    await deliver()
    await eventually(() => edge.sandbox.judged, [3, 1])
    expect(await read(one)).toMatchObject({ status: 'rejected', casesTotal: 4, casesPassed: 3, round: 2 })
    expect((await call('POST', `/bounties/${id}/rejudge`, owner)).body.submissions).toBe(0)
  })

  test('leaves receipts that hold, of every revision; hidden cases are opened when the bounty closes, and not before', async () => {
    const id = await bounty()
    const one = await submitted(id)
    const [first, , hidden] = await casesOf(id)
    for (const caseId of [first.id, hidden.id]) await call('PATCH', `/bounties/${id}/cases/${caseId}`, owner, { expected: 'fixed' })
    await call('POST', `/bounties/${id}/rejudge`, owner)
    await deliver()
    const receipt = async () => submissionReceiptSchema.parse((await call('GET', `/submissions/${one}/receipt`, author)).body)
    const wrong = async () => {
      const { parts, openings } = await receipt()
      return (await Promise.all(parts.map(({ statement }) => checkOpenings(statement, openings, sha256Hex)))).flat()
    }
    const before = await receipt()
    expect(before.parts.map(({ statement }) => statement.entries.length)).toEqual([3, 2])
    expect(before.openings.map(({ caseId, status }) => [caseId, status])).toEqual([
      [first.id, 'accepted'],
      [first.id, 'wrong-answer'],
      [expect.any(String), 'accepted'],
    ])
    expect([await wrong(), before.unstated]).toEqual([[], []])
    await call('POST', `/bounties/${id}/cancel`, owner)
    expect((await receipt()).openings).toHaveLength(5)
    expect(await wrong()).toEqual([])
  })
})

describe('nothing of a hidden case', () => {
  test('leaves with a fix, a list, an event, a log or the reason of a failure', async () => {
    const id = await bounty()
    const secret = 'the hidden expectation'
    const hidden = (await casesOf(id))[2]
    const answers = [await call('PATCH', `/bounties/${id}/cases/${hidden.id}`, owner, { input: `in ${secret}`, expected: `out ${secret}` })]
    answers.push(await call('GET', `/bounties/${id}/cases`, owner), await call('GET', `/bounties/${id}`, owner))
    const { judge } = edge.sandbox
    edge.sandbox.judge = (judged) => Promise.reject(new Error(`broke on ${JSON.stringify(judged.cases)}`))
    const agentId = await edge.deploy(author.key, { name: 'a' })
    const { body: submission } = await call('POST', `/bounties/${id}/submissions`, author, { agentId })
    for (let i = 0; i < 9; i++) {
      await eventually(() => edge.eventLog.messages.length > 0 || edge.log.at(-1)?.event === 'submission judged', true)
      await deliver()
    }
    const failed = await call('GET', `/submissions/${submission.id}`, author)
    expect(failed.body).toMatchObject({ status: 'failed', failure: expect.stringContaining('begun 5 times') })
    answers.push(failed, await call('GET', `/submissions/${submission.id}/events`, author))
    edge.sandbox.judge = judge
    for (const { text } of answers) expect(text).not.toContain('hidden expectation')
  })
})

describe('an Idempotency-Key', () => {
  test('adds cases once', async () => {
    const id = await bounty()
    const add = () => call('POST', `/bounties/${id}/cases`, owner, { cases: [{ input: 1, expected: 1 }] }, { 'idempotency-key': 'k' })
    const [first, second] = [await add(), await add()]
    expect([second.status, second.body]).toEqual([first.status, first.body])
    const { answer } = edge.database.idempotency
    edge.database.idempotency.answer = async () => {}
    const lost = await call('POST', `/bounties/${id}/cases`, owner, { cases: [{ input: 1, expected: 1 }] }, { 'idempotency-key': 'l' })
    edge.database.idempotency.answer = answer
    edge.clock.now += 91_000
    const found = await call('POST', `/bounties/${id}/cases`, owner, { cases: [{ input: 1, expected: 1 }] }, { 'idempotency-key': 'l' })
    expect(found.body).toEqual(lost.body)
    expect(await casesOf(id)).toHaveLength(5)
  })
})

describe('404 and 409', () => {
  test('a case of another bounty, and one that there is not', async () => {
    const [id, other] = [await bounty(), await bounty()]
    const [foreign] = await casesOf(other)
    for (const caseId of [foreign.id, 'cas_01000000000000000000000000']) {
      const answer = await call('PATCH', `/bounties/${id}/cases/${caseId}`, owner, { expected: 1 })
      expect([answer.status, answer.body.code]).toEqual([404, 'case-not-found'])
    }
  })

  test('a closed bounty stays as it is', async () => {
    const id = await bounty()
    const [first] = await casesOf(id)
    await call('POST', `/bounties/${id}/cancel`, owner)
    for (const answer of [
      await call('POST', `/bounties/${id}/cases`, owner, { cases: [{ input: 1, expected: 1 }] }),
      await call('PATCH', `/bounties/${id}/cases/${first.id}`, owner, { expected: 1 }),
      await call('POST', `/bounties/${id}/rejudge`, owner),
    ]) {
      expect([answer.status, answer.body.code]).toEqual([409, 'bounty-closed'])
    }
    expect(await casesOf(id)).toHaveLength(3)
  })

  test('more cases than there may be', async () => {
    const id = await bounty()
    const many = (length: number) => ({ cases: Array.from({ length }, () => ({ input: 1, expected: 1 })) })
    const tooMany = await call('POST', `/bounties/${id}/cases`, owner, many(limits.casesPerBountyMax - 2))
    expect([tooMany.status, tooMany.body.code]).toEqual([409, 'too-many-cases'])
    expect((await call('POST', `/bounties/${id}/cases`, owner, many(limits.casesPerBountyMax - 3))).status).toBe(201)
  })

  test('an input that is too large', async () => {
    const id = await bounty()
    const [first] = await casesOf(id)
    const input = 'x'.repeat(limits.inputBytesMax - 1)
    const answer = await call('PATCH', `/bounties/${id}/cases/${first.id}`, owner, { input })
    expect([answer.status, answer.body.issues[0].field]).toEqual([400, 'input'])
    expect((await call('PATCH', `/bounties/${id}/cases/${first.id}`, owner, { input: input.slice(1) })).status).toBe(200)
  })
})
