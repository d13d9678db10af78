// Bounties whose outputs a checker judges: which checker may be named, that its version stays, what is shown of what it says, and how a
// submission ends when it fails.
import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { receiptCrypto } from '../../cli/receipt-crypto.ts'
import { checkOpenings, submissionReceiptSchema, verifyJudgement } from '../../shared/judgement-receipt.ts'
import { fakeReceiptKey } from '../fakes/fake-sandbox.ts'
import { testEdge, type TestEdge } from '../fakes/test-edge.ts'

const sha256Hex = (text: string) => createHash('sha256').update(text).digest('hex')
const deadline = '2026-11-23T13:00:00Z'

type Asked = { input: number; expected: number; output: number }
const near = (asked: unknown) => {
  const { input, expected, output } = asked as Asked
  if (input === 3) throw new Error('I do not know')
  return { accepted: Math.abs(output - expected) < 1, message: `off by ${Math.abs(output - expected)}` }
}
/** The second is hidden; about the last one the checker says nothing. */
const cases = [
  { input: 1, expected: 1.5 },
  { input: 2, expected: 2.25, hidden: true },
  { input: 4, expected: 9 },
  { input: 3, expected: 3 },
]

let edge: TestEdge
let owner: { id: string; key: string }
let author: { id: string; key: string }
let checkerId: string
let agentId: string
beforeEach(async () => {
  edge = testEdge()
  owner = await edge.account('ada')
  author = await edge.account('grace')
  checkerId = await edge.deploy(owner.key, { name: 'near', output: near })
  agentId = await edge.deploy(author.key, { name: 'echo' })
})

const post = (checker: unknown, more: object = {}) =>
  edge.call('POST', '/api/bounties', { key: owner.key, body: { title: 't', rewardCredits: 5, cases, checker, ...more } })
const submit = async (bountyId: string, more: object = {}) => {
  const { status, body } = await edge.submit(author.key, bountyId, { agentId, ...more })
  expect(status).toBe(202)
  return body
}

describe('posting', () => {
  test('201: the latest version is named when none is, and stays when there is a newer one', async () => {
    const { status, body } = await post({ agentId: checkerId })
    expect([status, body.checker]).toEqual([201, { agentId: checkerId, version: 1 }])
    const version = { key: owner.key, body: { source: '// near' } }
    expect((await edge.call('POST', `/api/agents/${checkerId}/versions`, version)).body.version).toBe(2)
    for (const path of [`/api/bounties/${body.id}`, '/api/bounties']) {
      const { body: read } = await edge.call('GET', path)
      expect((read.items?.[0] ?? read).checker).toEqual({ agentId: checkerId, version: 1 })
    }
    // An isolate that knows version 1 as the latest does not name it for that.
    expect((await post({ agentId: checkerId })).body.checker.version).toBe(2)
    expect((await post({ agentId: checkerId, version: 1 })).body.checker.version).toBe(1)
  })

  test('201: null where JSON equality judges', async () => {
    const { body } = await post(undefined)
    expect(body.checker).toBeNull()
    expect((await edge.call('GET', `/api/bounties/${body.id}`)).body.checker).toBeNull()
  })

  test.each([
    ['of another account', () => ({ agentId }), 403, 'forbidden', /another account/],
    ['that is not there', () => ({ agentId: 'agt_01000000000000000000000000' }), 404, 'agent-not-found', /agt_0100/],
    ['of a version that is not there', () => ({ agentId: checkerId, version: 2 }), 404, 'agent-not-found', /version 2/],
  ])('a checker %s is refused, and no reward is held', async (_, checker, status, code, says) => {
    const answer = await post(checker())
    expect([answer.status, answer.body.code]).toEqual([status, code])
    expect(answer.body.detail).toMatch(says)
    expect((await edge.call('GET', '/api/bounties')).body.items).toEqual([])
    expect(await edge.database.ledger.balance(owner.id)).toBe(1_000_000)
  })
})

describe('judging', () => {
  test('the pinned version decides; what it says is shown for public cases, and a failure of its is no wrong answer', async () => {
    const { body: bounty } = await post({ agentId: checkerId }, { mode: 'best', deadline })
    edge.sandbox.programs.set('// refuses all', () => ({ output: { accepted: false } }))
    await edge.call('POST', `/api/agents/${checkerId}/versions`, { key: owner.key, body: { source: '// refuses all' } })
    const submission = await submit(bounty.id)
    expect(submission).toMatchObject({ status: 'rejected', casesTotal: 4, casesPassed: 2, fuelTotal: 400 })
    const told = submission.verdicts.map(({ status, message }: { status: string; message?: string }) => [status, message])
    expect(told).toEqual([
      ['accepted', 'off by 0.5'],
      ['wrong-answer', 'off by 5'],
      ['checker-failed', 'the checker ended with threw'],
    ])
    expect(JSON.stringify(submission)).not.toContain('0.25')
    // What was accepted ranks: a checker that fails takes nothing else from the author.
    const { body: ranks } = await edge.call('GET', `/api/leaderboard?bounty=${bounty.id}`)
    expect(ranks.items).toMatchObject([{ submissionId: submission.id, casesPassed: 2 }])
  })

  test('a full pass wins', async () => {
    const { body: bounty } = await post({ agentId: checkerId }, { cases: cases.slice(0, 2) })
    const submission = await submit(bounty.id)
    expect(submission).toMatchObject({ status: 'accepted', casesPassed: 2 })
    expect((await edge.call('GET', `/api/bounties/${bounty.id}`)).body).toMatchObject({ status: 'awarded' })
    expect(await edge.database.ledger.balance(author.id)).toBe(1_000_005)
  })

  test('stops at a failure of the checker where the first failure stops', async () => {
    const { body: bounty } = await post({ agentId: checkerId }, { cases: cases.toReversed() })
    expect(await submit(bounty.id, { stopAtFirstFailure: true })).toMatchObject({ status: 'rejected', casesPassed: 0, fuelTotal: 100 })
  })

  test('whoever follows is told the messages of public cases, too', async () => {
    const { body: bounty } = await post({ agentId: checkerId })
    const submission = await submit(bounty.id)
    const { text } = await edge.call('GET', `/api/submissions/${submission.id}/events`, { key: author.key })
    expect(text).toContain('"message":"off by 5"')
    expect(text).toContain('checker-failed')
    expect(text).not.toContain('0.25')
  })
})

test('the receipt names the program that checked and holds for every case once hidden ones are opened', async () => {
  const { body: bounty } = await post({ agentId: checkerId }, { mode: 'best', deadline })
  const { id } = await submit(bounty.id)
  const { body: checker } = await edge.call('GET', `/api/agents/${checkerId}`)
  const read = async () => {
    const { body } = await edge.call('GET', `/api/submissions/${id}/receipt`, { key: author.key })
    const receipt = submissionReceiptSchema.parse(body)
    const [part] = receipt.parts
    if (!part) throw new Error('no part')
    expect(part.statement).toMatchObject({ receiptVersion: 2, checker: { kind: 'script', sha256: checker.sha256 }, casesPassed: 2 })
    expect(await verifyJudgement(part, { ...receiptCrypto, publicKey: fakeReceiptKey.publicKey })).toMatchObject({ ok: true })
    expect(await checkOpenings(part.statement, receipt.openings, sha256Hex)).toEqual([])
    return receipt.openings.map(({ status }) => status)
  }
  expect(await read()).toEqual(['accepted', 'wrong-answer', 'checker-failed'])
  edge.clock.now = Date.parse(deadline)
  expect(await read()).toEqual(['accepted', 'accepted', 'wrong-answer', 'checker-failed'])
})

test('the board names the checker and shows what it says, as text', async () => {
  const hostile = await edge.deploy(owner.key, { name: 'hostile', output: () => ({ accepted: false, message: '<b>no</b>' }) })
  const { body: bounty } = await post({ agentId: hostile })
  expect((await edge.call('GET', `/bounties/${bounty.id}`)).text).toContain(`judged by a <a href="/agents/${hostile}">checker</a>`)
  const { id } = await submit(bounty.id)
  const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: 'http://localhost' }
  const signedIn = await edge.call('POST', '/account/sign-in', { raw: `key=${author.key}`, headers })
  const cookie = (signedIn.headers.get('set-cookie') ?? '').split(';', 1)[0] ?? ''
  const { text } = await edge.call('GET', `/submissions/${id}`, { headers: { cookie } })
  expect(text.match(/<bdi>&lt;b&gt;no&lt;\/b&gt;<\/bdi>/g)).toHaveLength(3)
})
