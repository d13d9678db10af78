// The whole story of credits on the whole local cloud: minted, held, won, given back, and swept up at the deadline by the cron.
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { eventually } from '../fakes/eventually.ts'
import { call, deployScript, fund, newAccount, submit as submitAs } from './caller.ts'

const { adminKey } = inject('stack')
type Caller = { id: string; key: string }
let owner: Caller
let author: Caller
let square: string
let half: string
beforeAll(async () => {
  ;[owner, author] = await Promise.all([newAccount(), newAccount()])
  await fund(owner.id, 1_000)
  ;[square, half] = await Promise.all([
    deployScript('export default (x) => x * x', author.key),
    deployScript('export default (x) => (x === 2 ? 4 : 0)', author.key),
  ])
})

const post = (path: string, { key }: { key: string }, body?: object) => call('POST', `/api${path}`, { key, body })
const bountyBody = (more: object) => ({
  title: 'square',
  cases: [2, 3].map((x) => ({ input: x, expected: x * x })),
  rewardCredits: 300,
  ...more,
})
async function bounty(more: object = {}): Promise<string> {
  const { status, body } = await post('/bounties', owner, bountyBody(more))
  expect(status).toBe(201)
  return body.id
}
const submit = (bountyId: string, agentId: string) => submitAs(bountyId, { agentId }, author)
// The demo key: it is polled, and would use up what an address without a key may ask in a minute.
const read = async (bountyId: string) => (await call('GET', `/api/bounties/${bountyId}`)).body
async function balances() {
  const all = await Promise.all([owner, author].map(({ key }) => call('GET', '/api/accounts/me', { key })))
  return all.map(({ body }) => body.balanceCredits)
}

describe('credits', () => {
  test('are held, won by the first full pass, and refused when they are not there', async () => {
    expect(await balances()).toEqual([1_000, 0])
    const id = await bounty()
    expect(await balances()).toEqual([700, 0])
    const refused = await post('/bounties', owner, bountyBody({ rewardCredits: 701 }))
    expect([refused.status, refused.body.code]).toEqual([402, 'insufficient-credits'])
    expect(refused.body.detail).toContain('the account holds 700')

    expect((await submit(id, half)).body).toMatchObject({ status: 'rejected', casesPassed: 1 })
    const answers = await Promise.all([1, 2, 3].map(() => submit(id, square)))
    const accepted = answers.filter(({ status }) => status === 202).map(({ body }) => body.id)
    expect(accepted).toContain((await read(id)).awardedSubmissionId)
    expect(await balances()).toEqual([700, 300])
    const late = await submit(id, square)
    expect([late.status, late.body.code]).toEqual([409, 'bounty-closed'])
  })

  test('go where the owner of a bounty of mode best wants them, once', async () => {
    const id = await bounty({ mode: 'best' })
    const [full, chosen] = [await submit(id, square), await submit(id, half)]
    const awards = await Promise.all(
      [full, chosen, chosen, full].map(({ body }) => post(`/bounties/${id}/award`, owner, { submissionId: body.id })),
    )
    expect(awards.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409, 409, 409])
    expect(await balances()).toEqual([400, 600])
    expect((await read(id)).status).toBe('awarded')
  })

  test('come back when a bounty is cancelled, once', async () => {
    const id = await bounty()
    const answers = await Promise.all([1, 2, 3].map(() => post(`/bounties/${id}/cancel`, owner)))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409, 409])
    expect(await balances()).toEqual([400, 600])
  })

  test('are settled by the cron when a deadline has passed: by rank, or back', async () => {
    const deadline = new Date(Date.now() + 2_000).toISOString()
    const [ranked, lost] = [await bounty({ mode: 'best', rewardCredits: 100, deadline }), await bounty({ deadline })]
    const { body: best } = await submit(ranked, half)
    await eventually(async () => [(await read(ranked)).status, (await read(lost)).status], ['awarded', 'expired'], { withinMs: 20_000 })
    expect(await read(ranked)).toMatchObject({ awardedSubmissionId: best.id })
    expect(await balances()).toEqual([300, 700])
  })

  test('are all accounted for in the ledger and on the leaderboard', async () => {
    const ledgerOf = async ({ key }: Caller) => (await call('GET', '/api/accounts/me/ledger?limit=100', { key })).body.items
    const lines = (items: { kind: string; credits: number; balanceAfter: number }[]) =>
      items.map((item) => [item.kind, item.credits, item.balanceAfter])
    expect(lines(await ledgerOf(author))).toEqual([
      ['award', 100, 700],
      ['award', 300, 600],
      ['award', 300, 300],
    ])
    const own = lines(await ledgerOf(owner))
    expect(own.at(-1)).toEqual(['mint', 1_000, 1_000])
    expect(own.reduce((sum, [, credits]) => sum + Number(credits), 0)).toBe(300)
    expect(own.filter(([kind]) => kind === 'refund')).toHaveLength(2)
    const { body: board } = await call('GET', '/api/leaderboard?limit=100')
    expect(board.items.find(({ accountId }: { accountId: string }) => accountId === author.id)).toMatchObject({
      creditsWon: 700,
      bountiesWon: 3,
    })
  })

  test('are minted by the administrator alone', async () => {
    const refused = await post(`/accounts/${owner.id}/credits`, owner, { credits: 1 })
    expect([refused.status, refused.body.code]).toEqual([403, 'forbidden'])
    const unknown = await post('/accounts/acc_01000000000000000000000000/credits', { key: adminKey }, { credits: 1 })
    expect([unknown.status, unknown.body.code]).toEqual([404, 'account-not-found'])
  })
})
