import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { receiptCrypto } from '../../cli/receipt-crypto.ts'
import { checkOpenings, submissionReceiptSchema, verifyJudgement } from '../../shared/judgement-receipt.ts'
import { call, deployScript, newAccount, submit } from './caller.ts'

const sha256Hex = (text: string) => createHash('sha256').update(text).digest('hex')
/** More than one chunk; every third case is hidden, one of them cannot be passed. */
const cases = Array.from({ length: 100 }, (_, i) => ({
  input: { n: i, '2': '€' },
  expected: i === 69 ? 'something else' : { n: i, '2': '€' },
  hidden: i % 3 === 0,
}))

test('a checker judges what equality cannot, and the receipt names it', async () => {
  const owner = await newAccount()
  const checker = await deployScript(
    'export default ({ input, expected, output }) => ' +
      '({ accepted: expected === null ? output === Math.sqrt(input) : Math.abs(output - expected) <= 1e-6, message: `√${input}` })',
    owner.key,
  )
  const author = await deployScript('export default (x) => Math.sqrt(x)')
  const posted = await call('POST', '/api/bounties', {
    key: owner.key,
    body: {
      title: 'roots',
      rewardCredits: 0,
      checker: { agentId: checker },
      cases: [
        { input: 3, expected: 1.7320508 },
        { input: 9, expected: null, hidden: true },
        { input: 5, expected: null },
      ],
    },
  })
  expect([posted.status, posted.body.checker]).toEqual([201, { agentId: checker, version: 1 }])
  expect((await call('GET', `/api/bounties/${posted.body.id}`)).body.checker).toEqual({ agentId: checker, version: 1 })
  const { body: submission } = await submit(posted.body.id, { agentId: author })
  expect(submission).toMatchObject({ status: 'accepted', casesPassed: 3 })
  expect(submission.verdicts).toMatchObject([{ message: '√3' }, { message: '√5' }])
  expect(JSON.stringify(submission)).not.toContain('√9')

  const { body } = await call('GET', `/api/submissions/${submission.id}/receipt`)
  const { parts, openings } = submissionReceiptSchema.parse(body)
  const { body: program } = await call('GET', `/api/agents/${checker}`)
  const [part] = parts
  if (!part) throw new Error('no receipt')
  expect(part.statement).toMatchObject({ receiptVersion: 2, checker: { kind: 'script', sha256: program.sha256 }, casesPassed: 3 })
  const { body: keys } = await call('GET', '/api/receipt-keys')
  const { publicKey } = keys.items.find(({ id }: { id: string }) => id === part.statement.keyId)
  expect(await verifyJudgement(part, { ...receiptCrypto, publicKey })).toMatchObject({ ok: true })
  // The bounty is won, so hidden cases are opened.
  expect(openings).toHaveLength(3)
  expect(await checkOpenings(part.statement, openings, sha256Hex)).toEqual([])
})

test('a checker that fails rejects, and calls no answer wrong', async () => {
  const checker = await deployScript(
    'export default ({ input }) => { if (input === 2) throw new Error(`no ${input}`); return { accepted: true } }',
  )
  const author = await deployScript('export default (x) => x')
  const three = [1, 2, 2].map((input, i) => ({ input, expected: null, hidden: i === 2 }))
  const bounty = await call('POST', '/api/bounties', {
    body: { title: 'fails', rewardCredits: 0, mode: 'best', checker: { agentId: checker }, cases: three },
  })
  const { body } = await submit(bounty.body.id, { agentId: author })
  expect(body).toMatchObject({ status: 'rejected', casesPassed: 1, verdicts: [{ status: 'accepted' }, { status: 'checker-failed' }] })
  const { body: ranks } = await call('GET', `/api/leaderboard?bounty=${bounty.body.id}`)
  expect(ranks.items).toMatchObject([{ agentId: author, casesPassed: 1 }])
})

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
