// GET /api/submissions/:id/receipt: what it proves, and what nobody reads before the bounty is closed.
import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { receiptCrypto } from '../../cli/receipt-crypto.ts'
import { checkOpenings, submissionReceiptSchema, verifyJudgement } from '../../shared/judgement-receipt.ts'
import type { SubmissionReceipt } from '../../shared/judgement-receipt.ts'
import { fakeReceiptKey } from '../fakes/fake-sandbox.ts'
import { testEdge, type TestEdge } from '../fakes/test-edge.ts'

const sha256Hex = (text: string) => createHash('sha256').update(text).digest('hex')
const deadline = '2026-11-23T13:00:00Z'
/** 70 public cases, then five hidden ones: two parts, hidden cases in the second. */
const cases = Array.from({ length: 75 }, (_, i) => ({ input: { n: i }, expected: i < 72 ? { n: i } : 'another', hidden: i >= 70 }))

let edge: TestEdge
let key: string
let path: string
beforeEach(async () => {
  edge = testEdge()
  ;({ key } = await edge.account('ada'))
  const { body: bounty } = await edge.call('POST', '/api/bounties', { key, body: { title: 't', rewardCredits: 1, cases, deadline } })
  const agentId = await edge.deploy(key, { name: 'echo' })
  const { body } = await edge.submit(key, bounty.id, { agentId })
  path = `/api/submissions/${body.id}/receipt`
})

async function read(): Promise<SubmissionReceipt> {
  const { status, body } = await edge.call('GET', path, { key })
  expect(status).toBe(200)
  return submissionReceiptSchema.parse(body)
}

async function wrong({ parts, openings }: SubmissionReceipt): Promise<string[]> {
  const found = await Promise.all(parts.map(({ statement }) => checkOpenings(statement, openings, sha256Hex)))
  return found.flat()
}

describe('200', () => {
  test('while the bounty is open every part is signed and public cases alone are opened', async () => {
    const receipt = await read()
    expect(receipt.parts.map(({ statement }) => [statement.entries.length, statement.casesPassed])).toEqual([
      [64, 64],
      [11, 8],
    ])
    for (const part of receipt.parts) {
      expect(await verifyJudgement(part, { ...receiptCrypto, publicKey: fakeReceiptKey.publicKey })).toMatchObject({ ok: true })
    }
    expect(receipt.openings).toHaveLength(70)
    expect(await wrong(receipt)).toEqual([])
  })

  test('one second before the deadline hidden cases are closed; at the deadline they are opened, and fit what was signed before', async () => {
    const before = await read()
    edge.clock.now = Date.parse(deadline) - 1_000
    expect((await read()).openings).toHaveLength(70)
    edge.clock.now = Date.parse(deadline)
    const after = await read()
    expect(after.parts).toEqual(before.parts)
    expect(after.openings).toHaveLength(75)
    expect(await wrong(after)).toEqual([])
    expect(after.openings.filter(({ status }) => status === 'wrong-answer')).toHaveLength(3)
  })

  test('nothing about a hidden case can be computed from what is shown before', async () => {
    const { text } = await edge.call('GET', path, { key })
    for (const hidden of cases.slice(70)) {
      for (const value of [hidden.input, hidden.expected]) expect(text).not.toContain(sha256Hex(JSON.stringify(value)))
    }
    const bounty = await edge.call('GET', '/api/bounties')
    const shown = await edge.call('GET', `/api/bounties/${bounty.body.items[0].id}`)
    expect(shown.text).not.toContain('salt')
  })
})

describe('404', () => {
  test('for everybody but the owner, as if it were not there', async () => {
    const other = await edge.account('grace')
    expect((await edge.call('GET', path, { key: other.key })).body.code).toBe('submission-not-found')
    expect((await edge.call('GET', path)).status).toBe(401)
  })

  test('where no case was judged in a way that repeats', async () => {
    edge.database.judgementReceipts.list = async () => []
    expect((await edge.call('GET', path, { key })).body.code).toBe('receipt-not-found')
  })
})
