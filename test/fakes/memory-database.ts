// The stores of shared/ports.ts over plain maps: small, true implementations that pass the same contract as Postgres does.
import type { Account } from '../../shared/account.ts'
import type { Agent } from '../../shared/agent.ts'
import type { ExecutionRecord, Verdict } from '../../shared/execution.ts'
import type { JudgementReceipt } from '../../shared/judgement-receipt.ts'
import type {
  AccountPlace,
  AccountStore,
  AgentStore,
  BountyStore,
  ExecutionStore,
  IdempotencyStore,
  KeyStore,
  LedgerStore,
  JudgementReceiptStore,
  NewBounty,
  ProgressStore,
  ReceiptKeyStore,
  RejectedOutcome,
  SettlementStore,
  SubmissionStore,
  WebhookStore,
} from '../../shared/ports.ts'
import { ProblemError } from '../../shared/problem.ts'
import type { RegisteredReceiptKey } from '../../shared/receipt.ts'
import type { Submission } from '../../shared/submission.ts'
import { memoryIdempotencyStore } from './memory-idempotency.ts'
import { memoryKeyStore } from './memory-keys.ts'
import { memoryMoney, type MemoryMoney } from './memory-money.ts'
import { memoryWebhooks, type MemoryWebhooks } from './memory-webhooks.ts'

type Version = { sha256: string }
type Kept = Omit<Submission, 'verdicts'> & { verdicts: Map<string, Verdict> }

export type MemoryDatabase = {
  accounts: AccountStore
  keys: KeyStore
  idempotency: IdempotencyStore
  agents: AgentStore
  bounties: BountyStore
  submissions: SubmissionStore
  progress: ProgressStore
  executions: ExecutionStore
  judgementReceipts: JudgementReceiptStore
  receiptKeys: ReceiptKeyStore
  ledger: LedgerStore
  settlements: SettlementStore
  webhooks: WebhookStore
  rejected: RejectedOutcome[]
}

export function memoryDatabase(): MemoryDatabase {
  const accounts = new Map<string, Account>()
  const keys = memoryKeyStore()
  const agents = new Map<string, Agent>()
  const versions = new Map<string, Version>()
  const bounties = new Map<string, NewBounty>()
  const executions = new Map<string, ExecutionRecord>()
  const webhooks = memoryWebhooks()
  const { submissions, progress, judgementReceipts, money } = memorySubmissions({ accounts, agents, bounties, webhooks })
  const rejected: RejectedOutcome[] = []
  const receiptKeys = new Map<string, RegisteredReceiptKey>()

  return {
    rejected,
    submissions,
    progress,
    keys,
    idempotency: memoryIdempotencyStore(),
    ledger: money.ledger,
    settlements: money.settlements,
    webhooks: webhooks.store,
    judgementReceipts,
    receiptKeys: {
      async register(key) {
        if (!receiptKeys.has(key.id)) receiptKeys.set(key.id, { ...key, registeredAt: '2026-11-23T12:00:00.000Z' })
      },
      list: async (limit) => [...receiptKeys.values()].toReversed().slice(0, limit),
    },
    accounts: {
      async create(account, key) {
        if ([...accounts.values()].some(({ name }) => name === account.name)) throw new ProblemError('name-taken', { detail: account.name })
        accounts.set(account.id, account)
        keys.add(account.id, key)
        money.openHolder(account.id)
      },
      find: async (id) => accounts.get(id),
    },
    agents: {
      async create(agent) {
        const isTaken = [...agents.values()].some(({ accountId, name }) => accountId === agent.accountId && name === agent.name)
        if (isTaken) throw new ProblemError('name-taken', { detail: agent.name })
        agents.set(agent.id, agent)
        versions.set(`${agent.id}@1`, agent)
      },
      async addVersion({ agentId, sha256, bytes, at }) {
        const agent = agents.get(agentId)
        if (!agent) return undefined
        const changed = { ...agent, version: agent.version + 1, sha256, bytes, updatedAt: at }
        agents.set(agentId, changed)
        versions.set(`${agentId}@${changed.version}`, { sha256 })
        return changed
      },
      find: async (id) => agents.get(id),
      async findRunnable(id, wanted) {
        const agent = agents.get(id)
        const version = wanted ?? agent?.version ?? 0
        const found = versions.get(`${id}@${version}`)
        return agent && found && { agentId: id, accountId: agent.accountId, version, program: { kind: agent.kind, sha256: found.sha256 } }
      },
      list: async ({ limit, after }) => newestFirst([...agents.values()], { limit, after }),
    },
    bounties: {
      async create(bounty) {
        // A primary key: whoever makes it a second time has a fault.
        if (bounties.has(bounty.summary.id)) throw new Error(`bounty ${bounty.summary.id} is there already`)
        money.holdEscrow(bounty.summary)
        bounties.set(bounty.summary.id, bounty)
      },
      async find(id) {
        const bounty = bounties.get(id)
        if (!bounty) return undefined
        const shown = bounty.cases.filter(({ hidden }) => !hidden)
        return {
          ...bounty.summary,
          description: bounty.description,
          hiddenCaseCount: bounty.cases.length - shown.length,
          cases: shown.map(({ hidden: _hidden, salt: _salt, input, expected, ...rest }) => ({
            ...rest,
            input: JSON.parse(input),
            expected: JSON.parse(expected),
          })),
        }
      },
      findSummary: async (id) => bounties.get(id)?.summary,
      async list({ status, limit, after }) {
        const all = [...bounties.values()].map(({ summary }) => summary)
        return newestFirst(
          all.filter((bounty) => status === undefined || bounty.status === status),
          { limit, after },
        )
      },
      async casesAfter(bountyId, { position, limit }) {
        const cases = bounties.get(bountyId)?.cases ?? []
        return cases.filter((candidate) => candidate.position > position).slice(0, limit)
      },
    },
    executions: {
      async record(records) {
        const isKnown = ({ accountId, agentId, version }: ExecutionRecord) =>
          accounts.has(accountId) && versions.has(`${agentId}@${version}`)
        for (const record of records) if (isKnown(record) && !executions.has(record.id)) executions.set(record.id, record)
        return records.filter((record) => !isKnown(record)).map(({ id }) => id)
      },
      async keepRejected(_host, outcomes) {
        rejected.push(...outcomes)
      },
      find: async (id) => executions.get(id),
      async usageByDay(accountId, { from }) {
        const own = [...executions.values()].filter((record) => record.accountId === accountId)
        const days = Map.groupBy(own, ({ finishedAt }) => finishedAt.slice(0, 10))
        const sum = (records: ExecutionRecord[], of: 'fuel' | 'wallMicros') => records.reduce((all, { usage }) => all + (usage[of] ?? 0), 0)
        return [...days]
          .filter(([day]) => day >= from)
          .map(([day, of]) => ({ day, executions: of.length, fuel: sum(of, 'fuel'), wallMicros: sum(of, 'wallMicros') }))
          .toSorted((a, b) => (a.day < b.day ? 1 : -1))
      },
    },
  }
}

type Tables = { accounts: Map<string, Account>; agents: Map<string, Agent>; bounties: Map<string, NewBounty>; webhooks: MemoryWebhooks }

type Judged = { submissions: SubmissionStore; progress: ProgressStore; judgementReceipts: JudgementReceiptStore; money: MemoryMoney }

function memorySubmissions({ accounts, agents, bounties, webhooks }: Tables): Judged {
  const submissions = new Map<string, Kept>()
  const casesOf = (bountyId: string) => bounties.get(bountyId)?.cases ?? []

  /** Best finished submission of each agent, in the order of the leaderboard. */
  function ranked(bountyId?: string): Kept[] {
    const finished = [...submissions.values()]
      .filter(
        (kept) => (bountyId === undefined || kept.bountyId === bountyId) && (kept.status === 'accepted' || kept.status === 'rejected'),
      )
      .toSorted(byPlace)
    const seen = new Set<string>()
    return finished.filter(({ agentId, bountyId: of }) => !seen.has(agentId + of) && seen.add(agentId + of))
  }

  const money = memoryMoney({ bounties, submissions: () => [...submissions.values()], ranked, webhooks })
  const receipts: JudgementReceipt[] = []
  const judgementReceipts: JudgementReceiptStore = {
    async record(receipt) {
      const [first] = receipt.statement.entries
      if (!receipts.some(({ statement }) => statement.entries[0]?.caseId === first?.caseId && isOf(receipt, statement.submissionId))) {
        receipts.push(receipt)
      }
    },
    async list(id) {
      const places = new Map(casesOf(submissions.get(id)?.bountyId ?? '').map((found) => [found.id, found.position]))
      const place = ({ statement }: JudgementReceipt) => places.get(statement.entries[0]?.caseId ?? '') ?? 0
      return receipts.filter((receipt) => isOf(receipt, id)).toSorted((a, b) => place(a) - place(b))
    },
    async statedCases(id, { withHidden }) {
      const kept = submissions.get(id)
      return casesOf(kept?.bountyId ?? '').flatMap(({ id: caseId, input, expected, salt, hidden }) => {
        const verdict = kept?.verdicts.get(caseId)
        if (!verdict || (hidden && !withHidden)) return []
        const { status, outputSha256, usage } = verdict
        return { id: caseId, input, expected, salt, status, fuel: usage.fuel, outputSha256 }
      })
    },
  }

  const store: SubmissionStore = {
    async create(submission) {
      const { status, deadline = null } = bounties.get(submission.bountyId)?.summary ?? {}
      const isOpen = status === 'open' && (deadline === null || deadline > submission.createdAt)
      if (!isOpen) throw new ProblemError('bounty-closed', { detail: `bounty ${submission.bountyId} takes no more submissions` })
      const none = { status: 'running', casesPassed: 0, fuelTotal: 0, engine: null, finishedAt: null } as const
      submissions.set(submission.id, { ...submission, ...none, verdicts: new Map() })
    },
    async recordVerdicts(id, { engine, verdicts }) {
      const kept = submissions.get(id)
      if (!kept) return
      for (const verdict of verdicts) {
        if (kept.verdicts.has(verdict.caseId)) continue
        kept.verdicts.set(verdict.caseId, verdict)
        kept.casesPassed += verdict.status === 'accepted' ? 1 : 0
        kept.fuelTotal = kept.fuelTotal === null || verdict.usage.fuel === null ? null : kept.fuelTotal + verdict.usage.fuel
      }
      kept.engine = engine
    },
    async finish(id, { status, at }) {
      const kept = submissions.get(id)
      if (kept?.status !== 'running') return
      const ended = { ...kept, status, finishedAt: at }
      submissions.set(id, ended)
      webhooks.submissionFinished(ended, bounties.get(kept.bountyId)?.summary.accountId ?? '')
      money.awardFirst(ended, at)
    },
    async find(id) {
      const kept = submissions.get(id)
      if (!kept) return undefined
      const shown = casesOf(kept.bountyId).filter(({ hidden }) => !hidden)
      const verdicts = shown.flatMap((publicCase) => kept.verdicts.get(publicCase.id) ?? [])
      return { ...kept, verdicts: verdicts.map(({ caseId, status, usage }) => ({ caseId, status, usage })) }
    },
    async rankAgents(bountyId, { limit, after }) {
      const place = after && { ...after, id: after.submissionId }
      const rest = ranked(bountyId).filter((kept) => place === undefined || byPlace(place, kept) < 0)
      return rest.slice(0, limit).map((kept) => ({
        agentId: kept.agentId,
        agentName: agents.get(kept.agentId)?.name ?? '',
        accountId: kept.accountId,
        accountName: accounts.get(kept.accountId)?.name ?? '',
        submissionId: kept.id,
        casesPassed: kept.casesPassed,
        casesTotal: kept.casesTotal,
        fuelTotal: kept.fuelTotal,
        finishedAt: kept.finishedAt ?? '',
      }))
    },
    async rankAccounts({ limit, after }) {
      const sums = new Map<string, number>()
      for (const { accountId, casesPassed } of ranked()) sums.set(accountId, (sums.get(accountId) ?? 0) + casesPassed)
      const all = [...sums].map(([accountId, casesPassed]) => {
        const { credits: creditsWon = 0, bounties: bountiesWon = 0 } = money.won.get(accountId) ?? {}
        return { accountId, accountName: accounts.get(accountId)?.name ?? '', creditsWon, bountiesWon, casesPassed }
      })
      const rest = all.filter((rank) => after === undefined || byAccountPlace(after, rank) < 0)
      return rest.toSorted(byAccountPlace).slice(0, limit)
    },
  }

  const progress: ProgressStore = {
    async find(id, { after, limit }) {
      const kept = submissions.get(id)
      if (!kept) return undefined
      const hidden = new Set(casesOf(kept.bountyId).flatMap((found) => (found.hidden ? [found.id] : [])))
      const upTo = Math.min(kept.verdicts.size, after + limit)
      const numbered = [...kept.verdicts.values()].map(({ caseId, status, usage }, i) => ({ number: i + 1, caseId, status, usage }))
      const verdicts = numbered.slice(after, upTo).filter(({ caseId }) => !hidden.has(caseId))
      return { ...kept, verdicts, upTo, casesJudged: kept.verdicts.size }
    },
  }

  return { submissions: store, progress, judgementReceipts, money }
}

function byAccountPlace(a: AccountPlace, b: AccountPlace): number {
  const difference = b.creditsWon - a.creditsWon || b.bountiesWon - a.bountiesWon || b.casesPassed - a.casesPassed
  return difference || (a.accountId < b.accountId ? -1 : Number(a.accountId > b.accountId))
}

function isOf({ statement }: JudgementReceipt, submissionId: string): boolean {
  return statement.submissionId === submissionId
}

type Placed = Pick<Kept, 'casesPassed' | 'fuelTotal' | 'finishedAt' | 'id'>

function byPlace(a: Placed, b: Placed): number {
  const [fuelA, fuelB] = [a.fuelTotal ?? Number.MAX_SAFE_INTEGER, b.fuelTotal ?? Number.MAX_SAFE_INTEGER]
  const [textA, textB] = [`${a.finishedAt} ${a.id}`, `${b.finishedAt} ${b.id}`]
  return b.casesPassed - a.casesPassed || fuelA - fuelB || (textA < textB ? -1 : Number(textA > textB))
}

function newestFirst<T extends { id: string }>(items: T[], { limit, after }: { limit: number; after: string | undefined }): T[] {
  const sorted = items.toSorted((a, b) => (a.id < b.id ? 1 : -1))
  return sorted.filter(({ id }) => after === undefined || id < after).slice(0, limit)
}
