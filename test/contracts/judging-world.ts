// What contracts of judging are told with: an account, a bounty of four cases whose last is hidden, and a judge that does as it is told.
import { randomBytes } from 'node:crypto'
import { beforeEach, expect } from 'vitest'
import type { BountyMode } from '../../shared/bounty.ts'
import type { ScriptMode } from '../../shared/script-mode.ts'
import type { AgentStore } from '../../shared/agent-ports.ts'
import type {
  AccountStore,
  BountyStore,
  CaseStore,
  JudgementReceiptStore,
  JudgingStore,
  ProgressStore,
  SettlementStore,
  SubmissionStore,
} from '../../shared/ports.ts'
import { idOf } from '../fakes/id-of.ts'
import { scriptAgent } from '../fakes/script-agent.ts'
import { newKey } from '../fakes/new-key.ts'

export type JudgingStores = {
  accounts: AccountStore
  agents: AgentStore
  bounties: BountyStore
  cases: CaseStore
  submissions: SubmissionStore
  judgings: JudgingStore
  judgementReceipts: JudgementReceiptStore
  progress: ProgressStore
  settlements: SettlementStore
}

/** Instants of a day that no sweep of a running Worker has reached. */
export const at = (second: number) => new Date(Date.UTC(2126, 3, 5, 12, 0, second)).toISOString()
export const unique = () => randomBytes(16).toString('hex')
const usage = { fuel: 7, wallMicros: 1, memoryBytesPeak: 1 }

/** Made anew for each test of the suite that calls it. */
export function useJudgingWorld(open: () => JudgingStores) {
  let stores = open()
  let accountId = ''
  let bountyId = ''
  beforeEach(async () => {
    stores = open()
    accountId = idOf('account')
    await stores.accounts.create({ id: accountId, name: `a ${unique()}`, createdAt: at(0) }, newKey())
    bountyId = await newBounty()
  })

  async function newBounty({ mode = 'best', deadline = null }: { mode?: BountyMode; deadline?: string | null } = {}): Promise<string> {
    const id = idOf('bounty')
    const money = { rewardCredits: 0, mode, tier: 'basic', status: 'open' } as const
    const dates = { deadline, createdAt: at(1), closedAt: null, awardedSubmissionId: null, checker: null }
    const cases = [0, 1, 2, 3].map((n) => {
      return {
        id: idOf('case'),
        position: n,
        name: null,
        input: `{"b":${n},"a":1.50}`,
        expected: `${n}`,
        hidden: n === 3,
        salt: unique(),
      }
    })
    await stores.bounties.create({ summary: { id, accountId, title: 't', ...money, caseCount: 4, ...dates }, description: '', cases })
    return id
  }

  type Submitted = { to?: string; second?: number; stopAtFirstFailure?: boolean; agentId?: string; scriptMode?: ScriptMode }
  async function submitted({
    to = bountyId,
    second = 2,
    stopAtFirstFailure = false,
    agentId = idOf('agent'),
    scriptMode = 'interpreted',
  }: Submitted = {}) {
    if (!(await stores.agents.find(agentId))) {
      await stores.agents.create(scriptAgent({ id: agentId, accountId, scriptMode, createdAt: at(1) }), { engine: 'engine-1' })
    }
    const id = idOf('submission')
    const of = { bountyId: to, agentId, version: 1, accountId, createdAt: at(second) }
    await stores.submissions.create({ id, ...of, stopAtFirstFailure, dueAt: at(second + 15) })
    return { id, agentId }
  }

  const take = (id: string, turn = 1) => stores.judgings.take(id, { turn, at: at(2), dueAt: at(100) })
  const openCases = (id: string) => stores.judgings.nextCases(id, { after: -1, limit: 100 })
  /** Of those that are open, so many; those from `passed` on are wrong. */
  type Recorded = { turn: number; count?: number; passed?: number; engine?: string }
  async function record(id: string, { turn, count = 100, passed = 100, engine = 'e' }: Recorded) {
    const verdicts = (await openCases(id)).slice(0, count).map(({ id: caseId, revision, position }) => {
      return {
        caseId,
        revision,
        status: position < passed ? ('accepted' as const) : ('wrong-answer' as const),
        usage,
        outputSha256: null,
      }
    })
    return stores.judgings.record(id, { turn, dueAt: at(100), engine, verdicts })
  }
  const statusOf = ({ casesPassed, casesTotal }: { casesPassed: number; casesTotal: number }) =>
    casesPassed === casesTotal ? ('accepted' as const) : ('rejected' as const)
  async function finish(id: string, { turn, second = 50 }: { turn: number; second?: number }) {
    const found = await stores.submissions.find(id)
    return stores.judgings.finish(id, { turn, status: statusOf(found ?? { casesPassed: 0, casesTotal: 1 }), at: at(second) })
  }
  async function judged(of: Submitted & { passed?: number; end?: number } = {}) {
    const { id, agentId } = await submitted(of)
    await take(id)
    await record(id, { turn: 2, ...(of.passed === undefined ? {} : { passed: of.passed }) })
    expect(await finish(id, { turn: 2, ...(of.end === undefined ? {} : { second: of.end }) })).toBe(true)
    return { id, agentId }
  }
  const find = async (id: string) => (await stores.submissions.find(id)) ?? expect.fail('there is no such submission')
  const isDue = async (id: string, second: number) =>
    (await stores.judgings.findDue({ at: at(second), limit: 10_000 })).find((due) => due.id === id)

  return {
    get stores() {
      return stores
    },
    get accountId() {
      return accountId
    },
    get bountyId() {
      return bountyId
    },
    newBounty,
    submitted,
    take,
    openCases,
    record,
    finish,
    judged,
    find,
    isDue,
  }
}
