// Bounties: every acknowledged one is there once, closed as it was acknowledged, and none is left open behind its deadline.
import { deedsOf, idOf, isAcknowledged, type Deed } from './deed.ts'
import type { Finding } from './finding.ts'
import type { Held } from './held.ts'
import { isUnfinished } from './check-submissions.ts'

export function checkBounties(deeds: readonly Deed[], { bounties, submissions }: Held): Finding[] {
  const byTitle = Map.groupBy(bounties, ({ title }) => title)
  const byId = new Map(bounties.map((bounty) => [bounty.id, bounty]))

  const posted = deedsOf(deeds, 'post-bounty').flatMap((deed): Finding[] => {
    const made = byTitle.get(deed.aim.title) ?? []
    if (made.length > 1) return [{ kind: 'doubled', what: `bounty under the key ${deed.key}`, ids: made.map(({ id }) => id) }]
    if (deed.refusal !== undefined && made.length > 0) {
      return [{ kind: 'wrong', what: `bounty was refused (${deed.refusal}) and is there`, ids: made.map(({ id }) => id) }]
    }
    const id = idOf(deed)
    return id !== undefined && made[0]?.id !== id ? [{ kind: 'lost', what: 'acknowledged bounty', ids: [id] }] : []
  })

  const closed = [...deedsOf(deeds, 'award'), ...deedsOf(deeds, 'cancel')].flatMap((deed): Finding[] => {
    const bounty = byId.get(deed.aim.bountyId)
    const isDone =
      deed.aim.kind === 'cancel'
        ? bounty?.status === 'cancelled'
        : bounty?.status === 'awarded' && bounty.awardedSubmissionId === deed.aim.submissionId
    const ids = [deed.aim.bountyId]
    if (isAcknowledged(deed) && !isDone) return [{ kind: 'lost', what: `acknowledged ${deed.aim.kind}`, ids }]
    if (deed.refusal !== undefined && isDone)
      return [{ kind: 'wrong', what: `${deed.aim.kind} was refused (${deed.refusal}) and done`, ids }]
    return []
  })

  const waiting = new Set(submissions.filter(isUnfinished).map(({ bountyId }) => bountyId))
  const overdue = bounties
    // A bounty waits for what was submitted in time; that is found stuck itself.
    .filter(({ id, status, isOverdue }) => status === 'open' && isOverdue && !waiting.has(id))
    .map(({ id }): Finding => ({ kind: 'stuck', what: 'bounty is open behind its deadline', ids: [id] }))
  return [...posted, ...closed, ...overdue]
}
