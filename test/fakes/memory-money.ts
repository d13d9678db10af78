// The ledger and the settlements over plain maps: one list of entries per holder, as in Postgres, whose last entry is the balance.
import type { LedgerEntry } from '../../shared/ledger.ts'
import type { BountySummary } from '../../shared/bounty.ts'
import type { LedgerStore, NewBounty, NumberedEntry, SettlementStore } from '../../shared/ports.ts'
import { ProblemError } from '../../shared/problem.ts'
import type { Submission } from '../../shared/submission.ts'
import { idOf } from './id-of.ts'
import type { MemoryWebhooks } from './memory-webhooks.ts'

type Judged = Pick<Submission, 'id' | 'bountyId' | 'accountId' | 'status' | 'casesPassed' | 'casesTotal' | 'createdAt'>
type Transfer = Pick<LedgerEntry, 'id' | 'at' | 'kind' | 'credits' | 'bountyId' | 'reason'> & { from: string; to: string }
type End = { submission?: Judged | undefined; status: BountySummary['status']; at: string }

export type MemoryMoneyOptions = {
  bounties: Map<string, NewBounty>
  submissions: () => Judged[]
  /** Finished submissions of a bounty in the order of its leaderboard. */
  ranked: (bountyId: string) => Judged[]
  webhooks: Pick<MemoryWebhooks, 'bountyClosed'>
}

export type MemoryMoney = {
  ledger: LedgerStore
  settlements: SettlementStore
  /** Credits and bounties that accounts have won. */
  won: Map<string, { credits: number; bounties: number }>
  openHolder: (id: string) => void
  /** @throws ProblemError `insufficient-credits` */
  holdEscrow: (summary: BountySummary) => void
  awardFirst: (submission: Judged, at: string) => void
}

export function memoryMoney({ bounties, submissions, ranked, webhooks }: MemoryMoneyOptions): MemoryMoney {
  const holders = new Map<string, NumberedEntry[]>([['mint', []]])
  const won: MemoryMoney['won'] = new Map()
  const entriesOf = (id: string) => holders.get(id) ?? []
  const balanceOf = (id: string) => entriesOf(id).at(-1)?.balanceAfter ?? 0

  function move({ from, to, credits, ...transfer }: Transfer): void {
    for (const [holder, amount] of [[from, -credits] as const, [to, credits] as const]) {
      const entries = entriesOf(holder)
      entries.push({ ...transfer, credits: amount, number: entries.length + 1, balanceAfter: balanceOf(holder) + amount })
    }
  }

  /** @returns undefined unless it is open */
  function close(bountyId: string, { status, submission, at }: End): BountySummary | undefined {
    const bounty = bounties.get(bountyId)
    if (bounty?.summary.status !== 'open') return undefined
    const { rewardCredits: credits, accountId: owner } = bounty.summary
    const to = submission?.accountId ?? owner
    const summary = { ...bounty.summary, status, closedAt: at, awardedSubmissionId: submission?.id ?? null }
    bounties.set(bountyId, { ...bounty, summary })
    const kind = submission ? 'award' : 'refund'
    if (credits > 0) move({ id: idOf('transfer'), kind, from: bountyId, to, credits, bountyId, reason: null, at })
    if (submission) {
      const before = won.get(to) ?? { credits: 0, bounties: 0 }
      won.set(to, { credits: before.credits + credits, bounties: before.bounties + 1 })
    }
    webhooks.bountyClosed(summary, submission?.accountId)
    return summary
  }

  const isBefore = (bountyId: string, at: string) => {
    const deadline = bounties.get(bountyId)?.summary.deadline ?? null
    return deadline === null || deadline > at
  }
  const isWaitedFor = (bountyId: string, judgedSince: number) => {
    const late = Date.parse(bounties.get(bountyId)?.summary.deadline ?? '') <= judgedSince
    return !late && submissions().some((found) => found.bountyId === bountyId && (found.status === 'queued' || found.status === 'running'))
  }

  return {
    won,
    openHolder: (id) => holders.set(id, []),
    holdEscrow({ id, accountId, rewardCredits, createdAt }) {
      const balance = balanceOf(accountId)
      if (balance < rewardCredits) {
        throw new ProblemError('insufficient-credits', {
          detail: `the reward is ${rewardCredits} credits; the account holds ${balance}`,
        })
      }
      holders.set(id, [])
      const transfer = { id: idOf('transfer'), kind: 'escrow', credits: rewardCredits, bountyId: id, reason: null, at: createdAt } as const
      if (rewardCredits > 0) move({ ...transfer, from: accountId, to: id })
    },
    awardFirst(submission, at) {
      const { mode } = bounties.get(submission.bountyId)?.summary ?? {}
      const isFull = submission.status === 'accepted' && submission.casesPassed === submission.casesTotal
      if (mode === 'first' && isFull) close(submission.bountyId, { status: 'awarded', submission, at })
    },
    ledger: {
      async mint({ id, accountId, credits, reason, at }) {
        if (!holders.has(accountId)) throw new ProblemError('account-not-found', { detail: `there is no account ${accountId}` })
        const held = () => entriesOf(accountId).find((entry) => entry.id === id)
        if (held() === undefined) {
          if (credits - balanceOf('mint') > Number.MAX_SAFE_INTEGER) throw new ProblemError('supply-exhausted', { detail: `${credits}` })
          move({ id, kind: 'mint', from: 'mint', to: accountId, credits, bountyId: null, reason, at })
        }
        const entry = held()
        if (!entry) throw new Error('the entry was just made')
        return entry
      },
      balance: async (accountId) => (holders.has(accountId) ? balanceOf(accountId) : undefined),
      async entries(accountId, { limit, before = Number.POSITIVE_INFINITY }) {
        const older = entriesOf(accountId).filter((entry) => entry.number < before)
        return older.toReversed().slice(0, limit)
      },
      async byDay(accountId, { from }) {
        const days = Map.groupBy(entriesOf(accountId), ({ at }) => at.slice(0, 10))
        const sum = (entries: NumberedEntry[], sign: 1 | -1) => entries.reduce((all, { credits }) => all + Math.max(sign * credits, 0), 0)
        return [...days]
          .filter(([day]) => day >= from)
          .map(([day, entries]) => ({ day, creditsIn: sum(entries, 1), creditsOut: sum(entries, -1) }))
          .toSorted((a, b) => (a.day < b.day ? 1 : -1))
      },
    },
    settlements: {
      async award(bountyId, { submissionId, at }) {
        const submission = submissions().find(({ id }) => id === submissionId)
        const isBest = bounties.get(bountyId)?.summary.mode === 'best'
        if (!isBest || !isBefore(bountyId, at)) return undefined
        const isJudged = submission?.status === 'accepted' || submission?.status === 'rejected'
        if (submission?.bountyId !== bountyId || !isJudged) throw new Error(`submission ${submissionId} cannot win bounty ${bountyId}`)
        return close(bountyId, { status: 'awarded', submission, at })
      },
      cancel: async (bountyId, { at }) => (isBefore(bountyId, at) ? close(bountyId, { status: 'cancelled', at }) : undefined),
      async findDue({ at, judgingMsMax, limit }) {
        return [...bounties.values()]
          .map(({ summary }) => summary)
          .filter(({ id, status }) => status === 'open' && !isBefore(id, at) && !isWaitedFor(id, Date.parse(at) - judgingMsMax))
          .toSorted((a, b) => (`${a.deadline} ${a.id}` < `${b.deadline} ${b.id}` ? -1 : 1))
          .slice(0, limit)
          .map(({ id }) => id)
      },
      async settle(bountyId, { at }) {
        if (isBefore(bountyId, at)) return undefined
        const [best] = bounties.get(bountyId)?.summary.mode === 'best' ? ranked(bountyId) : []
        const submission = best && best.casesPassed > 0 ? best : undefined
        return close(bountyId, { status: submission ? 'awarded' : 'expired', submission, at })
      },
    },
  }
}
