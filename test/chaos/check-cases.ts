// Cases and what follows from them: acknowledged changes are there once, each verdict is what the agent and that revision of the case say and
// never changes, what was judged again was judged by the cases as they are, and ranks are the sums of verdicts.
import { countingVerdicts } from './check-submissions.ts'
import { deedsOf, isAcknowledged, type Deed, type DeedOf } from './deed.ts'
import type { Finding } from './finding.ts'
import type { Held, HeldVerdict } from './held.ts'
import { isAccepted, outputOf } from './programs.ts'

export function checkCases(deeds: readonly Deed[], held: Held): Finding[] {
  return [
    ...deedsOf(deeds, 'fix-case').flatMap((deed) => checkFix(deed, held)),
    ...deedsOf(deeds, 'add-case').flatMap((deed) => checkAdded(deed, held)),
    ...checkVerdicts(deeds, held),
    ...checkJudgedAgain(deeds, held),
    ...checkRanks(held),
  ]
}

/** Callers of a storm fix a case once. */
function checkFix(deed: DeedOf<'fix-case'>, { cases }: Held): Finding[] {
  const { caseId, expected } = deed.aim
  const current = cases.find(({ id, isCurrent }) => id === caseId && isCurrent)
  const ids = [caseId]
  if (!current) return [{ kind: 'lost', what: 'case', ids }]
  const isFixed = current.revision > 1 && current.expected === expected
  if (current.revision > 2) return [{ kind: 'doubled', what: `fix of a case, which is in revision ${current.revision}`, ids }]
  if (isAcknowledged(deed) && !isFixed) return [{ kind: 'lost', what: 'acknowledged fix of a case', ids }]
  if (deed.refusal !== undefined && isFixed) return [{ kind: 'wrong', what: `fix was refused (${deed.refusal}) and done`, ids }]
  return []
}

function checkAdded(deed: DeedOf<'add-case'>, { cases }: Held): Finding[] {
  const { bountyId, name } = deed.aim
  const made = cases.filter((found) => found.bountyId === bountyId && found.name === name && found.isCurrent).map(({ id }) => id)
  if (made.length > 1) return [{ kind: 'doubled', what: `case under the key ${deed.key}`, ids: made }]
  if (isAcknowledged(deed) && made.length === 0) return [{ kind: 'lost', what: `acknowledged case, key ${deed.key}`, ids: [bountyId] }]
  if (deed.refusal !== undefined && made.length > 0)
    return [{ kind: 'wrong', what: `case was refused (${deed.refusal}) and is there`, ids: made }]
  return []
}

const revisionOf = ({ caseId, revision }: Pick<HeldVerdict, 'caseId' | 'revision'>) => `${caseId} ${revision}`
const placeOf = (verdict: HeldVerdict) => `${verdict.submissionId} ${revisionOf(verdict)}`

function checkVerdicts(deeds: readonly Deed[], held: Held): Finding[] {
  const cases = new Map(held.cases.map((found) => [revisionOf({ caseId: found.id, revision: found.revision }), found]))
  const submissions = new Map(held.submissions.map((submission) => [submission.id, submission]))
  const checked = new Set(held.bounties.filter(({ hasChecker }) => hasChecker).map(({ id }) => id))
  const isRightOf = new Map(deedsOf(deeds, 'submit').map(({ aim }) => [aim.agentId, aim.isRight]))

  const untrue = held.verdicts.flatMap((verdict): Finding[] => {
    const { submissionId, caseId, status } = verdict
    const ids = [submissionId, caseId]
    const of = cases.get(revisionOf(verdict))
    if (!of) return [{ kind: 'wrong', what: `verdict of revision ${verdict.revision}, which the case never had`, ids }]
    const isRight = isRightOf.get(submissions.get(submissionId)?.agentId ?? '')
    // A host that stood still for too long.
    const hasChecker = checked.has(of.bountyId)
    if (isRight === undefined || status === 'deadline' || (hasChecker && status === 'checker-failed')) return []
    const due = isAccepted({ hasChecker, output: outputOf({ isRight, n: of.n }), expected: of.expected }) ? 'accepted' : 'wrong-answer'
    return status === due ? [] : [{ kind: 'wrong', what: `verdict is ${status}; ${due} is due`, ids }]
  })

  const now = new Map(held.verdicts.map((verdict) => [placeOf(verdict), verdict.status]))
  const changed = held.earlierVerdicts.flatMap((before): Finding[] => {
    const status = now.get(placeOf(before))
    const ids = [before.submissionId, before.caseId]
    if (status === undefined) return [{ kind: 'lost', what: 'verdict', ids }]
    return status === before.status ? [] : [{ kind: 'wrong', what: `verdict was ${before.status}, then ${status}`, ids }]
  })
  return [...untrue, ...changed]
}

/** A re-judging is asked for behind the acknowledged changes of a bounty's cases, of which there are no more. */
function checkJudgedAgain(deeds: readonly Deed[], held: Held): Finding[] {
  const asked = new Set(
    deedsOf(deeds, 'rejudge')
      .filter(isAcknowledged)
      .map(({ aim }) => aim.bountyId),
  )
  const cutShort = new Set(
    deedsOf(deeds, 'submit')
      .filter(({ aim }) => aim.stopAtFirstFailure)
      .map(({ aim }) => `${aim.bountyId} ${aim.agentId}`),
  )
  const verdictsOf = Map.groupBy(held.verdicts, ({ submissionId }) => submissionId)
  const current = Map.groupBy(
    held.cases.filter(({ isCurrent }) => isCurrent),
    ({ bountyId }) => bountyId,
  )
  return held.submissions.flatMap(({ id, bountyId, agentId, status }): Finding[] => {
    if (!asked.has(bountyId) || (status !== 'accepted' && status !== 'rejected')) return []
    const judged = new Map((verdictsOf.get(id) ?? []).map((verdict) => [revisionOf(verdict), verdict.status]))
    const due = (current.get(bountyId) ?? []).map((found) => revisionOf({ caseId: found.id, revision: found.revision }))
    const missing = due.filter((place) => !judged.has(place))
    const isStopped = cutShort.has(`${bountyId} ${agentId}`) && due.some((place) => (judged.get(place) ?? 'accepted') !== 'accepted')
    return missing.length === 0 || isStopped ? [] : [{ kind: 'lost', what: 'judging by the cases as they are', ids: [id, ...missing] }]
  })
}

function checkRanks({ submissions, verdicts, agentRanks, accountRanks }: Held): Finding[] {
  const verdictsOf = Map.groupBy(verdicts, ({ submissionId }) => submissionId)
  const passed = (id: string) => countingVerdicts(verdictsOf.get(id) ?? []).filter(({ status }) => status === 'accepted').length
  const ranked = new Map(agentRanks.map((rank) => [`${rank.bountyId} ${rank.agentId}`, rank]))
  const judged = submissions.filter(({ status }) => status === 'accepted' || status === 'rejected')

  const agents = [...Map.groupBy(judged, ({ bountyId, agentId }) => `${bountyId} ${agentId}`)].flatMap(([place, entries]): Finding[] => {
    const rank = ranked.get(place)
    const ids = entries.map(({ id }) => id)
    if (!rank) return [{ kind: 'lost', what: 'rank of an agent', ids }]
    const due = Math.max(...ids.map(passed))
    if (rank.casesPassed === due && ids.includes(rank.submissionId)) return []
    return [{ kind: 'wrong', what: `rank of an agent says ${rank.casesPassed} cases passed; its verdicts say ${due}`, ids }]
  })
  const accounts = accountRanks.flatMap(({ accountId, casesPassed }): Finding[] => {
    const due = agentRanks.reduce((sum, rank) => sum + (rank.accountId === accountId ? rank.casesPassed : 0), 0)
    if (casesPassed === due) return []
    return [
      { kind: 'wrong', what: `rank of an account says ${casesPassed} cases passed; those of its agents say ${due}`, ids: [accountId] },
    ]
  })
  return [...agents, ...accounts]
}
