// What anybody may read, each as one entry of the read cache: the API answers with its text, the pages show what it says.
import type { Agent } from '../shared/agent.ts'
import type { Bounty, BountySummary } from '../shared/bounty.ts'
import type { BountyRank, GlobalRank } from '../shared/leaderboard.ts'
import { decodeCursor, type Page } from '../shared/page.ts'
import type { AgentFilters } from '../shared/agent-ports.ts'
import type { BountyFilters, Cut as ListCut, Listed } from '../shared/ports.ts'
import { searchWords } from '../shared/search-words.ts'
import { agentNotFound } from './flows/deploy-agent.ts'
import { bountyNotFound } from './flows/submit-agent.ts'
import type { CachedRead } from './read-cache.ts'
import { idCursor, listName, pageOf } from './routes/page-of.ts'
import type { Services } from './services.ts'

export type PublicRead<T> = CachedRead & { load: () => Promise<T> }
/** `isKept`: one of finitely many that the caches may keep. */
export type ListRead<T> = PublicRead<T> & { isKept: boolean }

type Cut = { limit: number; cursor?: string | undefined }

/** The platform's published figures. */
const bountySeconds = 300
const agentSeconds = 600
const leaderboardSeconds = 60

/** What another isolate wrote shows within two seconds, as everywhere in the read cache. */
export async function readPublic<T>(
  { reads }: Pick<Services, 'reads'>,
  { load, isKept = true, ...wanted }: PublicRead<T> & { isKept?: boolean },
): Promise<T> {
  if (!isKept) return load()
  const { text } = await reads.read(wanted, async () => JSON.stringify(await load()))
  // The text of this key was made by the same `load`, whose values are JSON.
  return JSON.parse(text) as T
}

type Filtered = { q?: string | undefined; owner?: string | undefined }
type BountyQuery = Cut & Filtered & Pick<BountyFilters, 'status' | 'mode'>

/** Newest first. @throws ProblemError `invalid-cursor` */
export function bountiesRead({ bounties }: Pick<Services, 'bounties'>, query: BountyQuery): ListRead<Page<BountySummary>> {
  const { status, mode, owner } = query
  const list = listName('bounties', { status, mode, owner, q: query.q })
  const find = (cut: ListCut) => bounties.list({ status, mode, owner, words: wordsOf(query), ...cut })
  return { ...listRead(list, query, find), group: 'bounties', lifetimeSeconds: bountySeconds }
}

/** Its `load` throws ProblemError `bounty-not-found`. */
export function bountyRead({ bounties }: Pick<Services, 'bounties'>, id: string): PublicRead<Bounty> {
  const load = async () => {
    const bounty = await bounties.find(id)
    if (!bounty) throw bountyNotFound(id)
    return bounty
  }
  return { key: `bounty:${id}`, group: `bounty:${id}`, lifetimeSeconds: bountySeconds, load }
}

/** Newest first. @throws ProblemError `invalid-cursor` */
export function agentsRead(
  { agents }: Pick<Services, 'agents'>,
  query: Cut & Filtered & Pick<AgentFilters, 'kind'>,
): ListRead<Page<Agent>> {
  const { kind, owner } = query
  const list = listName('agents', { kind, owner, q: query.q })
  const find = (cut: ListCut) => agents.list({ kind, owner, words: wordsOf(query), ...cut })
  return { ...listRead(list, query, find), group: 'agents', lifetimeSeconds: agentSeconds }
}

function wordsOf({ q }: Filtered): string[] | undefined {
  return q === undefined ? undefined : searchWords(q)
}

function listRead<T extends { id: string }>(
  list: string,
  { limit, cursor, q, owner }: Cut & Filtered,
  find: (cut: ListCut) => Promise<Listed<T>>,
) {
  const after = idCursor(list, cursor)
  const load = async () => pageOf(await find({ limit: limit + 1, after }), { list, limit, keyOf: ({ id }) => [id] })
  const isKept = q === undefined && owner === undefined && cursor === undefined
  return { key: `${list}:${limit}:${after ?? ''}`, load, isKept }
}

/** Its `load` throws ProblemError `agent-not-found`. */
export function agentRead({ agents }: Pick<Services, 'agents'>, id: string): PublicRead<Agent> {
  const load = async () => {
    const agent = await agents.find(id)
    if (!agent) throw agentNotFound(id)
    return agent
  }
  return { key: `agent:${id}`, group: 'agents', lifetimeSeconds: agentSeconds, load }
}

/**
 * Agents of one bounty. Cursors of both leaderboards carry the rank of their last item, so that counting goes on.
 * @throws ProblemError `invalid-cursor`; its `load` throws `bounty-not-found`
 */
export function agentRanksRead(
  { submissions }: Pick<Services, 'submissions'>,
  { bounty, limit, cursor }: Cut & { bounty: string },
): PublicRead<Page<BountyRank>> {
  const list = `leaderboard:${bounty}`
  const key = decodeCursor(list, ['count', 'count', 'number', 'instant', 'string', 'count'], cursor)
  const [casesPassed, enginePlace, fuel, finishedAt, submissionId, rank] = key ?? []
  const after = key && {
    casesPassed: Number(casesPassed),
    enginePlace: Number(enginePlace),
    // Where fuel was not metered the cursor has -1: JSON has no place for "behind every figure".
    fuelTotal: Number(fuel) < 0 ? null : Number(fuel),
    finishedAt: String(finishedAt),
    submissionId: String(submissionId),
  }
  const load = async () => {
    const found = await submissions.rankAgents(bounty, { limit: limit + 1, after })
    if (!found) throw bountyNotFound(bounty)
    const ranked = found.map((item, i) => ({ rank: Number(rank ?? 0) + i + 1, ...item }))
    return pageOf(ranked, {
      list,
      limit,
      keyOf: (item) => [item.casesPassed, item.enginePlace, item.fuelTotal ?? -1, item.finishedAt, item.submissionId, item.rank],
    })
  }
  return { key: `${list}:${limit}:${cursor ?? ''}`, group: list, lifetimeSeconds: leaderboardSeconds, load }
}

/** Accounts over all bounties. @throws ProblemError `invalid-cursor` */
export function accountRanksRead({ submissions }: Pick<Services, 'submissions'>, { limit, cursor }: Cut): PublicRead<Page<GlobalRank>> {
  const list = 'leaderboard'
  const key = decodeCursor(list, ['number', 'count', 'number', 'string', 'count'], cursor)
  const [creditsWon, bountiesWon, casesPassed, accountId, rank] = key ?? []
  const after = key && {
    creditsWon: Number(creditsWon),
    bountiesWon: Number(bountiesWon),
    casesPassed: Number(casesPassed),
    accountId: String(accountId),
  }
  const load = async () => {
    const found = await submissions.rankAccounts({ limit: limit + 1, after })
    const ranked = found.map((item, i) => ({ rank: Number(rank ?? 0) + i + 1, ...item }))
    return pageOf(ranked, {
      list,
      limit,
      keyOf: (item) => [item.creditsWon, item.bountiesWon, item.casesPassed, item.accountId, item.rank],
    })
  }
  return { key: `${list}:${limit}:${cursor ?? ''}`, group: list, lifetimeSeconds: leaderboardSeconds, load }
}
