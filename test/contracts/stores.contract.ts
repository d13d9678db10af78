// What the stores of shared/ports.ts promise, whatever holds the data. Runs over maps in the fast run and over Postgres in the full one.
import { randomBytes } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Account } from '../../shared/account.ts'
import type { Agent } from '../../shared/agent.ts'
import { verdictStatuses } from '../../shared/execution.ts'
import type { ExecutionRecord } from '../../shared/execution.ts'
import type { JudgementReceipt } from '../../shared/judgement-receipt.ts'
import type { AgentStore } from '../../shared/agent-ports.ts'
import type {
  AccountStore,
  BountyStore,
  ExecutionStore,
  LedgerStore,
  JudgementReceiptStore,
  NewBounty,
  ReceiptKeyStore,
  JudgingStore,
  SubmissionStore,
} from '../../shared/ports.ts'
import { idOf } from '../fakes/id-of.ts'
import { scriptAgent } from '../fakes/script-agent.ts'
import { judgeByHand } from '../fakes/judge-by-hand.ts'
import { newKey } from '../fakes/new-key.ts'
import { describeRanks, type Submitted } from './ranks.contract.ts'

export type Stores = {
  accounts: AccountStore
  agents: AgentStore
  bounties: BountyStore
  submissions: SubmissionStore
  judgings: JudgingStore
  executions: ExecutionStore
  ledger: LedgerStore
  judgementReceipts: JudgementReceiptStore
  receiptKeys: ReceiptKeyStore
}

const at = (second: number) => `2026-11-23T12:00:${String(second).padStart(2, '0')}.000Z`
const hash = () => randomBytes(32).toString('hex')
const usage = (fuel: number | null) => ({ fuel, wallMicros: 12, memoryBytesPeak: 65_536 })
const unique = () => randomBytes(6).toString('hex')

export function storesContract(name: string, open: () => Stores): void {
  describe(`${name} keeps what the ports promise`, () => {
    let stores: Stores
    let account: Account
    beforeEach(async () => {
      stores = open()
      account = await newAccount()
    })

    async function newAccount(): Promise<Account> {
      const made = { id: idOf('account'), name: `ada ${unique()}`, createdAt: at(0) }
      await stores.accounts.create(made, newKey())
      await stores.ledger.mint({ id: idOf('transfer'), accountId: made.id, credits: 10_000_000_000, reason: null, at: at(0) })
      return made
    }

    async function newAgent(more: Partial<Agent> = {}): Promise<Agent> {
      const agent = scriptAgent({ accountId: account.id, sha256: hash(), createdAt: at(0), ...more })
      await stores.agents.create(agent, { engine: 'engine-1' })
      return agent
    }

    async function newBounty(count: number, more: Partial<NewBounty['summary']> = {}): Promise<NewBounty> {
      const cases = Array.from({ length: count }, (_, position) => ({
        id: idOf('case'),
        position,
        name: position === 0 ? 'first' : null,
        input: `{"b":${position},"a":[1.50,"\\u0000é"]}`,
        expected: 'null',
        hidden: position === count - 1,
        salt: hash().slice(0, 32),
      }))
      const money = { rewardCredits: 1_000_000_000, mode: 'best', tier: 'basic', status: 'open' } as const
      const id = idOf('bounty')
      const dates = { deadline: null, createdAt: at(1), closedAt: null, awardedSubmissionId: null, checker: null }
      const summary = { id, accountId: account.id, title: 'tïtle', ...money, caseCount: count, ...dates, ...more }
      const bounty = { summary, description: 'a\n"description"', cases }
      await stores.bounties.create(bounty)
      return bounty
    }

    async function submitted(
      bounty: NewBounty,
      { agent, passed, fuel, second, engine = 'engine-1' }: Submitted,
      beforeTheEnd = async (_id: string) => {},
    ): Promise<string> {
      const id = idOf('submission')
      const { id: bountyId, caseCount } = bounty.summary
      const of = { bountyId, agentId: agent.id, version: 1, accountId: agent.accountId }
      await judgeByHand(stores).begin({ id, ...of, createdAt: at(2) })
      const verdicts = bounty.cases.map(({ id: caseId }, i) => {
        return { caseId, status: i < passed ? ('accepted' as const) : ('wrong-answer' as const), usage: usage(fuel), outputSha256: null }
      })
      await judgeByHand(stores).record(id, { engine, verdicts })
      await beforeTheEnd(id)
      await judgeByHand(stores).finish(id, { status: passed === caseCount ? 'accepted' : 'rejected', at: at(second) })
      return id
    }

    test('an account is found by its id; its name is taken', async () => {
      const made = { id: idOf('account'), name: `grace ${unique()}`, createdAt: at(5) }
      await stores.accounts.create(made, newKey())
      expect(await stores.accounts.find(made.id)).toEqual(made)
      expect(await stores.accounts.find(idOf('account'))).toBeUndefined()
      const again = stores.accounts.create({ ...made, id: idOf('account') }, newKey())
      await expect(again).rejects.toMatchObject({ code: 'name-taken' })
    })

    test('an agent has versions; each can be run by its number, the latest without one', async () => {
      const agent = await newAgent()
      expect(await stores.agents.find(agent.id)).toEqual(agent)
      const version = {
        agentId: agent.id,
        sha256: hash(),
        bytes: 9,
        engine: 'engine-1',
        scriptMode: 'interpreted' as const,
        askedAt: at(8),
        at: at(9),
      }
      const changed = await stores.agents.addVersion(version)
      const latestAgent = { ...agent, version: 2, sha256: version.sha256, bytes: 9, updatedAt: at(9) }
      expect(changed).toEqual({ ...latestAgent, functions: null })
      expect(await stores.agents.find(agent.id)).toEqual(latestAgent)
      const of = { agentId: agent.id, accountId: account.id }
      const latest = { ...of, version: 2, program: { kind: 'script', sha256: version.sha256, scriptMode: 'interpreted' } }
      expect(await stores.agents.findRunnable(agent.id)).toEqual(latest)
      expect(await stores.agents.findRunnable(agent.id, 2)).toEqual(latest)
      expect(await stores.agents.findRunnable(agent.id, 1)).toEqual({
        ...of,
        version: 1,
        program: { kind: 'script', sha256: agent.sha256, scriptMode: 'interpreted' },
      })
      expect(await stores.agents.findRunnable(agent.id, 3)).toBeUndefined()
      expect(await stores.agents.findRunnable(idOf('agent'))).toBeUndefined()
      expect(await stores.agents.addVersion({ ...version, agentId: idOf('agent') })).toBeUndefined()
    })

    test('a version is added once for each request, whatever was added meanwhile and however often it is tried', async () => {
      const { id: agentId } = await newAgent()
      const version = {
        agentId,
        sha256: hash(),
        bytes: 9,
        engine: 'engine-1',
        scriptMode: 'interpreted' as const,
        askedAt: at(8),
        at: at(9),
      }
      const tries = await Promise.all(Array.from({ length: 4 }, () => stores.agents.addVersion(version)))
      expect(tries.map((agent) => agent?.version)).toEqual([2, 2, 2, 2])
      expect(await stores.agents.addVersion({ ...version, sha256: hash() })).toMatchObject({ version: 3 })
      expect(await stores.agents.addVersion({ ...version, at: at(10) })).toMatchObject({ version: 2, sha256: version.sha256 })
      expect(await stores.agents.find(agentId)).toMatchObject({ version: 3 })
      // The same program again, when somebody asks for it anew.
      expect(await stores.agents.addVersion({ ...version, askedAt: at(11), at: at(11) })).toMatchObject({ version: 4 })
    })

    test('names of agents are unique within the account, and free in another', async () => {
      const { name: taken } = await newAgent()
      await expect(newAgent({ name: taken })).rejects.toMatchObject({ code: 'name-taken' })
      account = await newAccount()
      expect(await newAgent({ name: taken })).toMatchObject({ name: taken })
    })

    test('lists go newest first and on behind an id', async () => {
      const agents = [await newAgent(), await newAgent(), await newAgent()].toSorted((a, b) => (a.id < b.id ? 1 : -1))
      expect((await stores.agents.list({ limit: 2 })).items[0]?.id).toBeDefined()
      expect((await stores.agents.list({ limit: 1, after: agents[0]?.id })).items.map(({ id }) => id)).toEqual([agents[1]?.id])
      const bounties = [await newBounty(1), await newBounty(1)].toSorted((a, b) => (a.summary.id < b.summary.id ? 1 : -1))
      const [newest, older] = bounties.map(({ summary }) => summary)
      expect(await stores.bounties.list({ limit: 1, after: newest?.id })).toEqual({ items: [older] })
      expect(await stores.bounties.list({ status: 'open', limit: 1, after: newest?.id })).toEqual({ items: [older] })
      expect((await stores.bounties.list({ status: 'cancelled', limit: 100, after: newest?.id })).items).not.toContainEqual(older)
    })

    test('a bounty shows its public cases', async () => {
      const bounty = await newBounty(3, { deadline: '2126-11-23T12:00:59.000Z' })
      const found = await stores.bounties.find(bounty.summary.id)
      const shown = bounty.cases.slice(0, 2).map(({ id, position, name: caseName, input, expected }) => {
        return { id, position, name: caseName, input: JSON.parse(input), expected: JSON.parse(expected) }
      })
      expect(found).toEqual({ ...bounty.summary, description: bounty.description, hiddenCaseCount: 1, cases: shown })
      expect(await stores.bounties.findSummary(bounty.summary.id)).toEqual(bounty.summary)
      expect(await stores.bounties.find(idOf('bounty'))).toBeUndefined()
    })

    test('a bounty keeps the version of the agent that checks, which must be there and be of the same account', async () => {
      const agent = await newAgent()
      const checker = { agentId: agent.id, version: 1 }
      const { summary } = await newBounty(1, { checker })
      expect(summary.checker).toEqual(checker)
      await stores.agents.addVersion({
        agentId: agent.id,
        sha256: hash(),
        bytes: 9,
        engine: 'engine-1',
        scriptMode: 'interpreted' as const,
        askedAt: at(9),
        at: at(9),
      })
      expect(await stores.bounties.findSummary(summary.id)).toEqual(summary)
      expect((await stores.bounties.find(summary.id))?.checker).toEqual(checker)
      const before = await stores.ledger.balance(account.id)
      await expect(newBounty(1, { checker: { ...checker, version: 3 } })).rejects.toBeInstanceOf(Error)
      await expect(newBounty(1, { checker: { agentId: idOf('agent'), version: 1 } })).rejects.toBeInstanceOf(Error)
      expect(await stores.ledger.balance(account.id)).toBe(before)
      account = await newAccount()
      const id = idOf('bounty')
      await expect(newBounty(1, { id, checker })).rejects.toBeInstanceOf(Error)
      expect(await stores.bounties.findSummary(id)).toBeUndefined()
    })

    test('every verdict can be kept; what a checker says is shown of public cases alone, and only where it said something', async () => {
      const [bounty, agent] = [await newBounty(verdictStatuses.length + 1), await newAgent()]
      const id = idOf('submission')
      const of = { bountyId: bounty.summary.id, agentId: agent.id, version: 1, accountId: account.id }
      await judgeByHand(stores).begin({ id, ...of, createdAt: at(2) })
      const verdicts = bounty.cases.map(({ id: caseId }, i) => {
        const message = i % 2 === 0 ? { message: i === 0 ? '' : `ünlike "${i}"` } : {}
        return { caseId, status: verdictStatuses[i] ?? ('checker-failed' as const), usage: usage(1), outputSha256: null, ...message }
      })
      await judgeByHand(stores).record(id, { engine: 'engine-1', verdicts })
      const found = await stores.submissions.find(id)
      expect(found?.verdicts).toEqual(verdicts.slice(0, -1).map(({ outputSha256: _hash, ...shown }) => shown))
      expect(found?.casesPassed).toBe(1)
    })

    test('verdicts add up once, however often they are recorded; hidden ones are counted, not shown', async () => {
      const [bounty, agent] = [await newBounty(3), await newAgent()]
      const id = idOf('submission')
      const of = { bountyId: bounty.summary.id, agentId: agent.id, version: 1, accountId: account.id, casesTotal: 3, createdAt: at(2) }
      await judgeByHand(stores).begin({ id, ...of })
      const begun = { casesPassed: 0, fuelTotal: 0, engine: null, scriptMode: 'interpreted', round: 1, failure: null }
      const none = { ...begun, replayOf: null, verdicts: [], finishedAt: null }
      expect(await stores.submissions.find(id)).toEqual({ id, ...of, status: 'running', ...none })
      const verdicts = bounty.cases.map(({ id: caseId }) => ({
        caseId,
        status: 'accepted' as const,
        usage: usage(5_000_000_000),
        outputSha256: hash(),
      }))
      await judgeByHand(stores).record(id, { engine: 'engine-1', verdicts: verdicts.slice(0, 2) })
      await judgeByHand(stores).record(id, { engine: 'engine-1', verdicts })
      const shown = verdicts.slice(0, 2).map(({ caseId, status, usage: used }) => ({ caseId, status, usage: used }))
      const sums = {
        casesPassed: 3,
        fuelTotal: 15_000_000_000,
        engine: 'engine-1',
        scriptMode: 'interpreted',
        round: 1,
        failure: null,
        replayOf: null,
        verdicts: shown,
      }
      expect(await stores.submissions.find(id)).toEqual({ id, ...of, status: 'running', ...sums, finishedAt: null })
      await judgeByHand(stores).finish(id, { status: 'accepted', at: at(3) })
      await judgeByHand(stores).finish(id, { status: 'failed', at: at(4) })
      expect(await stores.submissions.find(id)).toEqual({ id, ...of, status: 'accepted', ...sums, finishedAt: at(3) })
    })

    test('one verdict without fuel leaves the total without fuel', async () => {
      const bounty = await newBounty(2)
      const id = await submitted(bounty, { agent: await newAgent(), passed: 2, fuel: null, second: 3 })
      expect((await stores.submissions.find(id))?.fuelTotal).toBeNull()
    })

    describeRanks({ stores: () => stores, account: () => account, newAgent, newBounty, submitted })

    test('executions are recorded once; those of nobody are named and not recorded', async () => {
      const agent = await newAgent()
      const good = recordOf({ agentId: agent.id, accountId: account.id })
      const [foreign, future] = [recordOf({ agentId: agent.id, accountId: idOf('account') }), { ...recordOf(good), version: 2 }]
      expect((await stores.executions.record([good, foreign, future, good])).toSorted()).toEqual([foreign.id, future.id].toSorted())
      expect(await stores.executions.record([{ ...good, status: 'trapped' }])).toEqual([])
      expect(await stores.executions.find(good.id)).toEqual(good)
      expect(await stores.executions.find(foreign.id)).toBeUndefined()
      const rejected = { id: foreign.id, reason: 'nobody', record: JSON.stringify(foreign) }
      await stores.executions.keepRejected('host-1', [rejected])
      await stores.executions.keepRejected('host-1', [rejected])
    })

    test('executions are counted by the day of their end, once, without those of nobody', async () => {
      const agent = await newAgent()
      const of = { agentId: agent.id, accountId: account.id }
      const [late, early] = [recordOf(of), { ...recordOf(of), finishedAt: '2026-11-22T23:59:59.999Z' }]
      const unmetered = { ...recordOf(of), usage: { ...usage(null), costMicroUsd: null } }
      await stores.executions.record([late, early, late])
      await stores.executions.record([late, unmetered, { ...recordOf(of), version: 2 }])
      const second = { day: '2026-11-23', executions: 2, fuel: 9_000_000_000, wallMicros: 17, costMicroUsd: 2.375 }
      const first = { day: '2026-11-22', executions: 1, fuel: 9_000_000_000, wallMicros: 5, costMicroUsd: 2.375 }
      expect(await stores.executions.usageByDay(account.id, { from: '2026-11-22' })).toEqual([second, first])
      expect(await stores.executions.usageByDay(account.id, { from: '2026-11-23' })).toEqual([second])
    })

    test('parts of a receipt are kept once, in the order of their cases; what opens them is told of public cases, or of all', async () => {
      const [bounty, agent] = [await newBounty(3), await newAgent()]
      const { judgings } = stores
      let parts: JudgementReceipt[] = []
      const recorded = async (id: string) => {
        parts = bounty.cases.map((stored) => partOf(id, stored.id))
        const [first, , last] = parts
        if (!first || !last) throw new Error('no cases')
        const part = { turn: 2, firstRevision: 1 }
        const again = { ...first, signature: '0'.repeat(128) }
        for (const receipt of [last, first, again]) expect(await judgings.recordReceipt(receipt, part)).toBe(true)
        expect(await judgings.recordReceipt(first, { ...part, turn: 1 })).toBe(false)
      }
      const id = await submitted(bounty, { agent, passed: 2, fuel: 7, second: 3 }, recorded)
      const [first, , last] = parts
      expect(await stores.judgementReceipts.list(id)).toEqual([first, last])
      expect(await stores.judgementReceipts.list(idOf('submission'))).toEqual([])
      const stated = bounty.cases.map(({ id: caseId, input, expected, salt }, i) => {
        return { id: caseId, input, expected, salt, status: i < 2 ? 'accepted' : 'wrong-answer', fuel: 7, outputSha256: null }
      })
      expect(await stores.judgementReceipts.statedCases(id, { withHidden: true })).toEqual(stated)
      expect(await stores.judgementReceipts.statedCases(id, { withHidden: false })).toEqual(stated.slice(0, 2))
      expect(JSON.stringify(await stores.bounties.find(bounty.summary.id))).not.toContain('salt')
    })

    test('receipt keys are listed newest first; the same key again changes nothing', async () => {
      const key = { id: hash().slice(0, 32), publicKey: hash(), host: 'host-1' }
      await stores.receiptKeys.register(key)
      await stores.receiptKeys.register({ ...key, host: 'host-2' })
      expect(await stores.receiptKeys.list(1)).toEqual([{ ...key, registeredAt: expect.any(String) }])
    })
  })
}

function recordOf({ agentId, accountId }: { agentId: string; accountId: string }): ExecutionRecord {
  return {
    id: idOf('execution'),
    agentId,
    accountId,
    version: 1,
    tier: 'basic',
    seed: 7,
    startTime: '2000-01-01T00:00:00Z',
    program: { kind: 'script', sha256: '0'.repeat(64) },
    status: 'completed',
    output: '{"b":1,"a":"\\u0000"}',
    logs: { stdout: 'nul \0, quote " and é', stderr: '', truncated: false },
    artifacts: [{ name: 'a', bytes: 1, sha256: '1'.repeat(64), bundle: 'host-1/000000000001', offset: 5 }],
    usage: { fuel: 9_000_000_000, wallMicros: 5, memoryBytesPeak: 65_536, costMicroUsd: 2.375 },
    engine: 'engine-1',
    finishedAt: '2026-11-23T12:00:00.123Z',
    receipt: null,
  }
}

function partOf(submissionId: string, caseId: string): JudgementReceipt {
  const conditions = { tier: 'basic', seed: 0, startTime: '2000-01-01T00:00:00Z', engine: 'engine-1' } as const
  const entries = [{ caseId, commitment: hash() }]
  const program = { kind: 'script', sha256: hash() } as const
  const head = { type: 'judgement', receiptVersion: 1, submissionId, program, ...conditions } as const
  return { statement: { ...head, casesPassed: 1, entries, finishedAt: at(3), keyId: hash().slice(0, 32) }, signature: 'ab'.repeat(64) }
}
