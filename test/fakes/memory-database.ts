// The stores of shared/ports.ts over plain maps: small, true implementations that pass the same contract as Postgres does.
import type { Account } from '../../shared/account.ts'
import type { Agent, AgentVersion, DeployedAgent, Program } from '../../shared/agent.ts'
import type { AsyncExecutionStore } from '../../shared/async-execution-ports.ts'
import type { HostStore } from '../../shared/host-ports.ts'
import type { AgentStore } from '../../shared/agent-ports.ts'
import type {
  AccountStore,
  BountyStore,
  CaseStore,
  ExecutionStore,
  IdempotencyStore,
  KeyStore,
  LedgerStore,
  JudgementReceiptStore,
  JudgingStore,
  ProgressStore,
  ReceiptKeyStore,
  RejectedOutcome,
  SettlementStore,
  SubmissionStore,
} from '../../shared/ports.ts'
import type { DeadLetterStore } from '../../shared/dead-letter-ports.ts'
import type { DueTimes, ProgramClaims, RetentionStore } from '../../shared/sweep-ports.ts'
import type { WebhookStore } from '../../shared/webhook-ports.ts'
import { ProblemError } from '../../shared/problem.ts'
import { quotaExceeded } from '../../shared/quotas.ts'
import type { RegisteredReceiptKey } from '../../shared/receipt.ts'
import { searchWords } from '../../shared/search-words.ts'
import { limits } from '../../shared/tiers.ts'
import { isAny, listed } from './listed.ts'
import { memoryHostStore } from './memory-hosts.ts'
import { memoryDeadLetters } from './memory-dead-letters.ts'
import { memoryExecutions } from './memory-executions.ts'
import { memoryIdempotencyStore } from './memory-idempotency.ts'
import { memoryKeyStore } from './memory-keys.ts'
import { memoryProgramClaims, memoryRetention } from './memory-retention.ts'
import { memorySubmissions, type MemoryBounty } from './memory-submissions.ts'
import { memoryWebhooks } from './memory-webhooks.ts'

type Version = AgentVersion & { accountId: string }

export type MemoryDatabase = {
  accounts: AccountStore
  keys: KeyStore
  idempotency: IdempotencyStore
  agents: AgentStore
  bounties: BountyStore
  cases: CaseStore
  submissions: SubmissionStore
  judgings: JudgingStore
  progress: ProgressStore
  executions: ExecutionStore
  asyncExecutions: AsyncExecutionStore
  judgementReceipts: JudgementReceiptStore
  receiptKeys: ReceiptKeyStore
  hosts: HostStore
  ledger: LedgerStore
  settlements: SettlementStore
  webhooks: WebhookStore
  deadLetters: DeadLetterStore
  programClaims: ProgramClaims
  retention: RetentionStore
  dueTimes: DueTimes
  rejected: RejectedOutcome[]
}

export function memoryDatabase(): MemoryDatabase {
  const accounts = new Map<string, Account>()
  const keys = memoryKeyStore()
  const agents = new Map<string, Agent>()
  const versions = new Map<string, Version>()
  /** By agent, program and when it was asked for. */
  const versionOfRequest = new Map<string, number>()
  const bounties = new Map<string, MemoryBounty>()
  const webhooks = memoryWebhooks()
  const deadLetters = memoryDeadLetters()
  const program = (agentId: string, version: number): Program => {
    const { kind = 'script', sha256 = '', scriptMode = null } = versions.get(`${agentId}@${version}`) ?? {}
    return { kind, sha256, ...(scriptMode === null ? {} : { scriptMode }) }
  }
  const { money, dueTimes: judgingsDue, ...judged } = memorySubmissions({ accounts, agents, bounties, webhooks, deadLetters, program })
  const rejected: RejectedOutcome[] = []
  const {
    waitingOf,
    ended,
    remove,
    dueTimes: executionsDue,
    ...executed
  } = memoryExecutions({
    isKnown: ({ accountId, agentId, version }) => accounts.has(accountId) && versions.has(`${agentId}@${version}`),
    webhooks,
    deadLetters,
    rejected,
  })
  const receiptKeys = new Map<string, RegisteredReceiptKey>()

  const agentsOf = (accountId: string) => [...agents.values()].filter((agent) => agent.accountId === accountId).length
  const openBountiesOf = (accountId: string) =>
    [...bounties.values()].filter(({ summary }) => summary.accountId === accountId && summary.status === 'open').length

  return {
    rejected,
    ...judged,
    ...executed,
    keys,
    hosts: memoryHostStore(),
    idempotency: memoryIdempotencyStore(),
    ledger: money.ledger,
    settlements: money.settlements,
    webhooks: webhooks.store,
    deadLetters: deadLetters.store,
    programClaims: memoryProgramClaims({ isNamed: (sha256) => [...versions.values()].some((version) => version.sha256 === sha256) }),
    retention: memoryRetention({ ended, remove }),
    dueTimes: {
      async earliest() {
        const open = [...bounties.values()].filter(({ summary }) => summary.status === 'open').map(({ summary }) => summary.deadline)
        const all = [...judgingsDue(), ...executionsDue(), ...webhooks.dueTimes(), ...open]
        return all.filter((at) => at !== null).toSorted()[0]
      },
    },
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
      async findPage(id) {
        const account = accounts.get(id)
        const balanceCredits = await money.ledger.balance(id)
        if (!account || balanceCredits === undefined) return undefined
        const few = { limit: 100 }
        const [ownKeys, ownWebhooks] = [await keys.list(id, few), await webhooks.store.list(id, few)]
        const waiting = { executionsWaiting: waitingOf(id) }
        const used = {
          agents: agentsOf(id),
          openBounties: openBountiesOf(id),
          ...waiting,
          keys: ownKeys.length,
          webhooks: ownWebhooks.length,
        }
        return { ...account, balanceCredits, used }
      },
    },
    agents: {
      async create(agent, { engine, functions = null }) {
        if (agentsOf(agent.accountId) >= limits.agentsPerAccountMax) throw quotaExceeded('agents', limits.agentsPerAccountMax)
        const isTaken = [...agents.values()].some(({ accountId, name }) => accountId === agent.accountId && name === agent.name)
        if (isTaken) throw new ProblemError('name-taken', { detail: agent.name })
        agents.set(agent.id, agent)
        const { id: agentId, name: _name, updatedAt: _updatedAt, ...version } = agent
        versions.set(`${agentId}@1`, { ...version, agentId, engine, functions })
      },
      async addVersion({ agentId, sha256, bytes, engine, scriptMode, functions = null, askedAt, at }): Promise<DeployedAgent | undefined> {
        const agent = agents.get(agentId)
        if (!agent) return undefined
        const request = `${agentId} ${sha256} ${askedAt}`
        const added = versionOfRequest.get(request)
        const before = versions.get(`${agentId}@${added}`)
        if (before) return { ...agent, version: before.version, sha256, bytes, scriptMode: before.scriptMode, functions: before.functions }
        if (agent.version >= limits.versionsPerAgentMax) throw quotaExceeded(`versions of agent ${agentId}`, limits.versionsPerAgentMax)
        const changed = { ...agent, version: agent.version + 1, sha256, bytes, scriptMode, updatedAt: at }
        agents.set(agentId, changed)
        const { accountId, kind, version } = changed
        versions.set(`${agentId}@${version}`, {
          agentId,
          accountId,
          version,
          kind,
          sha256,
          bytes,
          scriptMode,
          functions,
          engine,
          createdAt: askedAt,
        })
        versionOfRequest.set(request, version)
        return { ...changed, functions }
      },
      find: async (id) => agents.get(id),
      findVersion: async (id, version) => versions.get(`${id}@${version}`),
      async findRunnable(id, wanted) {
        const agent = agents.get(id)
        const version = wanted ?? agent?.version ?? 0
        const found = versions.get(`${id}@${version}`)
        return agent && found && { agentId: id, accountId: agent.accountId, version, program: program(id, version) }
      },
      list: async ({ kind, owner, words, ...cut }) =>
        listed([...agents.values()], cut, (agent) => {
          return isAny(kind, agent.kind) && isAny(owner, agent.accountId) && hasWords(words, agent.name)
        }),
    },
    bounties: {
      async create(bounty) {
        // A primary key: whoever makes it a second time has a fault.
        if (bounties.has(bounty.summary.id)) throw new Error(`bounty ${bounty.summary.id} is there already`)
        const { accountId, checker } = bounty.summary
        if (checker && !(versions.has(`${checker.agentId}@${checker.version}`) && agents.get(checker.agentId)?.accountId === accountId))
          throw new Error(`bounty ${bounty.summary.id} names a checker that its account does not have`)
        const { openBountiesPerAccountMax: max } = limits
        if (openBountiesOf(bounty.summary.accountId) >= max) throw quotaExceeded('open bounties', max)
        money.holdEscrow(bounty.summary)
        bounties.set(bounty.summary.id, { ...bounty, cases: bounty.cases.map((made) => ({ ...made, revision: 1 })) })
      },
      async find(id) {
        const bounty = bounties.get(id)
        if (!bounty) return undefined
        const shown = bounty.cases.filter(({ hidden }) => !hidden)
        return {
          ...bounty.summary,
          description: bounty.description,
          hiddenCaseCount: bounty.cases.length - shown.length,
          cases: shown.map(({ hidden: _hidden, salt: _salt, revision: _revision, input, expected, ...rest }) => ({
            ...rest,
            input: JSON.parse(input),
            expected: JSON.parse(expected),
          })),
        }
      },
      findSummary: async (id) => bounties.get(id)?.summary,
      async list({ status, mode, owner, words, ...cut }) {
        const all = [...bounties.values()].map(({ summary, description }) => ({ ...summary, description }))
        const { items } = listed(all, cut, (bounty) => {
          const isWanted = isAny(status, bounty.status) && isAny(mode, bounty.mode) && isAny(owner, bounty.accountId)
          return isWanted && hasWords(words, `${bounty.title}\n${bounty.description}`)
        })
        return { items: items.map(({ description: _description, ...summary }) => summary) }
      },
    },
  }
}

function hasWords(wanted: string[] = [], text: string): boolean {
  const words = new Set(searchWords(text))
  return wanted.every((word) => words.has(word))
}
