// What the ledger and the settlements of shared/ports.ts promise, whatever holds them: credits move whole, once, and never from nothing.
import { randomBytes } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import type { BountySummary } from '../../shared/bounty.ts'
import type { AgentStore } from '../../shared/agent-ports.ts'
import type {
  AccountStore,
  BountyStore,
  CaseStore,
  LedgerStore,
  SettlementStore,
  JudgingStore,
  SubmissionStore,
} from '../../shared/ports.ts'
import { idOf } from '../fakes/id-of.ts'
import { scriptAgent } from '../fakes/script-agent.ts'
import { judgeByHand } from '../fakes/judge-by-hand.ts'
import { newKey } from '../fakes/new-key.ts'

export type MoneyStores = {
  accounts: AccountStore
  agents: AgentStore
  bounties: BountyStore
  submissions: SubmissionStore
  judgings: JudgingStore
  cases: CaseStore
  ledger: LedgerStore
  settlements: SettlementStore
}

/** Instants of a day that no sweep of a running Worker has reached. */
const at = (minute: number) => `2126-01-05T12:${String(minute).padStart(2, '0')}:00.000Z`
const unique = () => randomBytes(6).toString('hex')
const minuteMs = 60_000

export function moneyContract(name: string, open: () => MoneyStores): void {
  describe(`${name} moves credits as the ports promise`, () => {
    let stores: MoneyStores
    let owner: string
    let author: string
    beforeEach(async () => {
      stores = open()
      owner = await newAccount(1_000)
      author = await newAccount(0)
    })

    async function newAccount(credits: number): Promise<string> {
      const id = idOf('account')
      const key = newKey()
      await stores.accounts.create({ id, name: `a ${unique()}`, createdAt: at(0) }, key)
      if (credits > 0) await mint(id, credits)
      return id
    }
    const mint = (accountId: string, credits: number, id = idOf('transfer')) =>
      stores.ledger.mint({ id, accountId, credits, reason: null, at: at(0) })

    async function newBounty(more: Partial<BountySummary> = {}): Promise<string> {
      const id = idOf('bounty')
      const money = { rewardCredits: 400, mode: 'first', tier: 'basic', status: 'open' } as const
      const dates = { deadline: null, createdAt: at(1), closedAt: null, awardedSubmissionId: null, checker: null }
      const summary = { id, accountId: owner, title: 't', ...money, caseCount: 2, ...dates, ...more }
      const cases = [0, 1].map((position) => {
        return { id: idOf('case'), position, name: null, input: '1', expected: '1', hidden: false, salt: unique() }
      })
      await stores.bounties.create({ summary, description: '', cases })
      return id
    }

    type Submitted = {
      by?: string
      passed?: number
      fuel?: number
      end?: 'accepted' | 'rejected' | 'failed' | 'running'
      minute?: number
      engine?: string
    }
    async function submitted(
      bountyId: string,
      { by = author, passed = 2, fuel = 1, end, minute = 3, engine = 'engine-1' }: Submitted = {},
    ): Promise<string> {
      const agentId = idOf('agent')
      await stores.agents.create(scriptAgent({ id: agentId, accountId: by, createdAt: at(1) }), { engine: 'engine-1' })
      const id = idOf('submission')
      await judgeByHand(stores).begin({ id, bountyId, agentId, version: 1, accountId: by, createdAt: at(2) })
      const usage = { fuel, wallMicros: 1, memoryBytesPeak: 1 }
      const verdicts = (await stores.cases.list(bountyId, { after: -1, limit: 2 })).map(({ id: caseId }, i) => {
        return { caseId, status: i < passed ? ('accepted' as const) : ('wrong-answer' as const), usage, outputSha256: null }
      })
      await judgeByHand(stores).record(id, { engine, verdicts })
      const status = end ?? (passed === 2 ? 'accepted' : 'rejected')
      if (status !== 'running') await judgeByHand(stores).finish(id, { status, at: at(minute) })
      return id
    }

    const balances = () => Promise.all([stores.ledger.balance(owner), stores.ledger.balance(author)])
    const statusOf = async (bountyId: string) => {
      const found = await stores.bounties.findSummary(bountyId)
      return [found?.status, found?.awardedSubmissionId, found?.closedAt]
    }
    async function won(accountId: string) {
      const all = await stores.submissions.rankAccounts({ limit: 10_000 })
      const rank = all.find((found) => found.accountId === accountId)
      return [rank?.creditsWon ?? 0, rank?.bountiesWon ?? 0]
    }
    const isDue = async (bountyId: string, minute: number) =>
      (await stores.settlements.findDue({ at: at(minute), judgingMsMax: 5 * minuteMs, limit: 1_000 })).includes(bountyId)

    test('an award at the deadline compares fuel within one engine', async () => {
      const bountyId = await newBounty({ mode: 'best', rewardCredits: 10, deadline: at(20) })
      await submitted(bountyId, { fuel: 9, minute: 3, engine: 'e' })
      await submitted(bountyId, { fuel: 1, minute: 4, engine: 'e+compiled-1' })
      const best = await submitted(bountyId, { fuel: 8, minute: 5, engine: 'e' })
      expect(await stores.settlements.settle(bountyId, { at: at(21) })).toMatchObject({ status: 'awarded', awardedSubmissionId: best })
    })

    test('minted credits arrive once for each id; nobody holds the credits of an account that does not exist', async () => {
      const id = idOf('transfer')
      const entry = { id, kind: 'mint', credits: 7, balanceAfter: 7, bountyId: null, reason: null, number: 1, at: at(0) }
      expect(await mint(author, 7, id)).toEqual(entry)
      expect(await mint(author, 7, id)).toEqual(entry)
      expect(await balances()).toEqual([1_000, 7])
      await expect(mint(idOf('account'), 7)).rejects.toMatchObject({ code: 'account-not-found' })
      expect(await stores.ledger.balance(idOf('account'))).toBeUndefined()
      expect(await stores.ledger.entries(idOf('account'), { limit: 1 })).toEqual([])
    })

    test('all credits together stay within safe integers', async () => {
      await expect(mint(author, Number.MAX_SAFE_INTEGER)).rejects.toMatchObject({ code: 'supply-exhausted' })
      expect(await balances()).toEqual([1_000, 0])
    })

    test('a reward leaves the balance with the bounty; one above the balance writes nothing', async () => {
      const bountyId = await newBounty({ rewardCredits: 999 })
      expect(await balances()).toEqual([1, 0])
      const second = idOf('bounty')
      const tooDear = newBounty({ id: second, rewardCredits: 2 })
      await expect(tooDear).rejects.toMatchObject({ code: 'insufficient-credits', detail: 'the reward is 2 credits; the account holds 1' })
      expect(await stores.bounties.findSummary(second)).toBeUndefined()
      await newBounty({ rewardCredits: 1 })
      await newBounty({ rewardCredits: 0 })
      expect(await balances()).toEqual([0, 0])
      expect(await statusOf(bountyId)).toEqual(['open', null, null])
    })

    test('the first full pass wins, with its verdict; the second one wins nothing', async () => {
      const bountyId = await newBounty()
      const late = await submitted(bountyId, { by: owner, end: 'running' })
      await submitted(bountyId, { passed: 1 })
      expect(await balances()).toEqual([600, 0])
      const winner = await submitted(bountyId)
      expect(await statusOf(bountyId)).toEqual(['awarded', winner, at(3)])
      expect(await balances()).toEqual([600, 400])
      expect(await won(author)).toEqual([400, 1])
      await judgeByHand(stores).finish(late, { status: 'accepted', at: at(4) })
      expect((await stores.submissions.find(late))?.status).toBe('accepted')
      expect(await statusOf(bountyId)).toEqual(['awarded', winner, at(3)])
      expect([await balances(), await won(owner)]).toEqual([
        [600, 400],
        [0, 0],
      ])
      await expect(submitted(bountyId)).rejects.toMatchObject({ code: 'bounty-closed' })
    })

    test('of full passes at the same time one wins', async () => {
      const bountyId = await newBounty()
      const authors = await Promise.all(Array.from({ length: 6 }, () => newAccount(0)))
      const running = await Promise.all(authors.map((by) => submitted(bountyId, { by, end: 'running' })))
      await Promise.all(running.map((id) => judgeByHand(stores).finish(id, { status: 'accepted', at: at(4) })))
      const credits = await Promise.all(authors.map((id) => stores.ledger.balance(id)))
      expect(credits.toSorted((a = 0, b = 0) => a - b)).toEqual([0, 0, 0, 0, 0, 400])
      expect(running).toContain((await statusOf(bountyId))[1])
    })

    test('mode best waits for its owner; an award is given once, and not to what was not judged', async () => {
      const bountyId = await newBounty({ mode: 'best' })
      const [full, failed] = [await submitted(bountyId), await submitted(bountyId, { end: 'failed' })]
      const foreign = await submitted(await newBounty({ mode: 'best', rewardCredits: 1 }))
      expect(await balances()).toEqual([599, 0])
      for (const submissionId of [failed, foreign, idOf('submission')]) {
        await expect(stores.settlements.award(bountyId, { submissionId, at: at(4) })).rejects.toThrow(
          /cannot win|awarded_to_own_submission/,
        )
      }
      const chosen = await submitted(bountyId, { passed: 0 })
      const awarded = await stores.settlements.award(bountyId, { submissionId: chosen, at: at(5) })
      expect(awarded).toEqual(await stores.bounties.findSummary(bountyId))
      expect(awarded).toMatchObject({ status: 'awarded', awardedSubmissionId: chosen, closedAt: at(5) })
      expect(await stores.settlements.award(bountyId, { submissionId: full, at: at(6) })).toBeUndefined()
      expect(await stores.settlements.cancel(bountyId, { at: at(6) })).toBeUndefined()
      expect([await balances(), await won(author)]).toEqual([
        [599, 400],
        [400, 1],
      ])
    })

    test('a bounty of mode first, one past its deadline and one that does not exist are not awarded by hand', async () => {
      const [first, due] = [await newBounty({ rewardCredits: 1 }), await newBounty({ mode: 'best', rewardCredits: 1, deadline: at(5) })]
      const [ofFirst, ofDue] = [await submitted(first, { passed: 1 }), await submitted(due)]
      expect(await stores.settlements.award(first, { submissionId: ofFirst, at: at(4) })).toBeUndefined()
      expect(await stores.settlements.award(due, { submissionId: ofDue, at: at(5) })).toBeUndefined()
      expect(await stores.settlements.award(idOf('bounty'), { submissionId: ofDue, at: at(5) })).toBeUndefined()
    })

    test('a cancelled bounty gives its reward back, once, and before its deadline only', async () => {
      const bountyId = await newBounty({ deadline: at(5) })
      expect(await stores.settlements.cancel(bountyId, { at: at(5) })).toBeUndefined()
      const attempts = await Promise.all([3, 4].map((minute) => stores.settlements.cancel(bountyId, { at: at(minute) })))
      expect(attempts.filter(Boolean)).toEqual([await stores.bounties.findSummary(bountyId)])
      expect((await statusOf(bountyId))[0]).toBe('cancelled')
      expect(await balances()).toEqual([1_000, 0])
    })

    test('submissions are taken until just before the deadline', async () => {
      await expect(submitted(await newBounty({ rewardCredits: 0, deadline: at(2) }))).rejects.toMatchObject({ code: 'bounty-closed' })
      await submitted(await newBounty({ rewardCredits: 0, deadline: '2126-01-05T12:02:00.001Z' }))
    })

    test('at its deadline a bounty is due when nothing is being judged any more, or has been for too long', async () => {
      const [quiet, busy] = [await newBounty({ deadline: at(5) }), await newBounty({ deadline: at(5) })]
      const running = await submitted(busy, { end: 'running' })
      expect([await isDue(quiet, 4), await isDue(quiet, 5)]).toEqual([false, true])
      expect([await isDue(busy, 9), await isDue(busy, 10)]).toEqual([false, true])
      await judgeByHand(stores).finish(running, { status: 'failed', at: at(6) })
      expect(await isDue(busy, 6)).toBe(true)
      for (const bountyId of [quiet, busy]) await stores.settlements.settle(bountyId, { at: at(10) })
      expect([await isDue(quiet, 10), await isDue(busy, 10)]).toEqual([false, false])
    })

    test('what was submitted in time and passes everything wins while its judging is waited for', async () => {
      const bountyId = await newBounty({ deadline: at(5) })
      const winner = await submitted(bountyId, { end: 'running' })
      await judgeByHand(stores).finish(winner, { status: 'accepted', at: at(7) })
      expect(await statusOf(bountyId)).toEqual(['awarded', winner, at(7)])
    })

    test('at the deadline the best submission wins a bounty of mode best, once', async () => {
      const bountyId = await newBounty({ mode: 'best', deadline: at(9) })
      await submitted(bountyId, { by: owner, passed: 1, fuel: 1 })
      await submitted(bountyId, { by: owner, passed: 2, fuel: 9 })
      const best = await submitted(bountyId, { passed: 2, fuel: 8, minute: 4 })
      await submitted(bountyId, { by: owner, passed: 2, fuel: 8, minute: 5 })
      expect(await stores.settlements.settle(bountyId, { at: at(8) })).toBeUndefined()
      const runs = await Promise.all([1, 2, 3].map(() => stores.settlements.settle(bountyId, { at: at(9) })))
      expect(runs.filter(Boolean)).toEqual([await stores.bounties.findSummary(bountyId)])
      expect(await statusOf(bountyId)).toEqual(['awarded', best, at(9)])
      expect([await balances(), await won(author)]).toEqual([
        [600, 400],
        [400, 1],
      ])
    })

    test('at the deadline a bounty without a winner expires, and the reward comes back', async () => {
      const [nothingPassed, nobody] = [
        await newBounty({ mode: 'best', deadline: at(9) }),
        await newBounty({ mode: 'first', deadline: at(9) }),
      ]
      await submitted(nothingPassed, { passed: 0 })
      await submitted(nobody, { passed: 1 })
      for (const bountyId of [nothingPassed, nobody]) {
        expect(await stores.settlements.settle(bountyId, { at: at(9) })).toMatchObject({ status: 'expired', awardedSubmissionId: null })
      }
      expect([await balances(), await won(author)]).toEqual([
        [1_000, 0],
        [0, 0],
      ])
    })

    test('a ledger goes newest first and on behind an entry, with the balance after each', async () => {
      const bountyId = await newBounty({ accountId: owner })
      await stores.settlements.cancel(bountyId, { at: at(5) })
      const all = await stores.ledger.entries(owner, { limit: 10 })
      expect(
        all.map(({ kind, credits, balanceAfter, bountyId: of, number, at: when }) => [kind, credits, balanceAfter, of, number, when]),
      ).toEqual([
        ['refund', 400, 1_000, bountyId, 3, at(5)],
        ['escrow', -400, 600, bountyId, 2, at(1)],
        ['mint', 1_000, 1_000, null, 1, at(0)],
      ])
      const [day] = at(0).split('T')
      expect(await stores.ledger.byDay(owner, { from: '2126-01-05' })).toEqual([{ day, creditsIn: 1_400, creditsOut: 400 }])
      expect(await stores.ledger.byDay(owner, { from: '2126-01-06' })).toEqual([])
      for (const [i, { number }] of all.entries()) {
        expect(await stores.ledger.entries(owner, { limit: 1, before: number })).toEqual(all.slice(i + 1, i + 2))
      }
    })
  })
}
