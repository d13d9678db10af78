import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { receiptCrypto } from '../../cli/receipt-crypto.ts'
import { checkOpenings, submissionReceiptSchema, verifyJudgement } from '../../shared/judgement-receipt.ts'
import { call, submit } from './caller.ts'

const sha256Hex = (text: string) => createHash('sha256').update(text).digest('hex')
/** More than one chunk; every third case is hidden, one of them cannot be passed. */
const cases = Array.from({ length: 100 }, (_, i) => ({
  input: { n: i, '2': '€' },
  expected: i === 69 ? 'something else' : { n: i, '2': '€' },
  hidden: i % 3 === 0,
}))

test('a submission has a receipt that holds for all parts; one that stops at the first failure has none for what was not run', async () => {
  const agent = await call('POST', '/api/agents', { body: { name: 'echo-for-judging', kind: 'script', source: 'export default (x) => x' } })
  const bounty = await call('POST', '/api/bounties', { body: { title: 'judging', rewardCredits: 0, cases } })
  const { body: whole } = await submit(bounty.body.id, { agentId: agent.body.id })
  expect(whole).toMatchObject({ status: 'rejected', casesPassed: 99 })

  const { body } = await call('GET', `/api/submissions/${whole.id}/receipt`)
  const { parts, openings } = submissionReceiptSchema.parse(body)
  expect(parts.map(({ statement }) => [statement.entries.length, statement.casesPassed])).toEqual([
    [64, 64],
    [36, 35],
  ])
  expect(openings).toHaveLength(cases.filter(({ hidden }) => !hidden).length)
  const { body: keys } = await call('GET', '/api/receipt-keys')
  for (const part of parts) {
    // Other tests register keys of other hosts.
    const { publicKey } = keys.items.find(({ id }: { id: string }) => id === part.statement.keyId)
    expect(await verifyJudgement(part, { ...receiptCrypto, publicKey })).toMatchObject({ ok: true })
    expect(await checkOpenings(part.statement, openings, sha256Hex)).toEqual([])
  }

  const { body: stopped } = await submit(bounty.body.id, { agentId: agent.body.id, stopAtFirstFailure: true })
  expect(stopped).toMatchObject({ status: 'rejected', casesTotal: 100 })
  expect(stopped.verdicts.length).toBeLessThan(whole.verdicts.length)
})
