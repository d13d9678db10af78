// Every submission has ended, once, as its author saw it, with one verdict for each case that had to be judged.
import { submissionStatuses } from '../../shared/submission.ts'
import { deedsOf, idOf, type Deed, type DeedOf, type Seen } from './deed.ts'
import type { Finding } from './finding.ts'
import type { Held, HeldSubmission, HeldVerdict } from './held.ts'

export function isUnfinished({ status }: { status: HeldSubmission['status'] }): boolean {
  return status === 'queued' || status === 'running'
}

/** Of each case the verdict of its highest revision. */
export function countingVerdicts(verdicts: readonly HeldVerdict[]): HeldVerdict[] {
  const counting = new Map<string, HeldVerdict>()
  for (const verdict of verdicts)
    if ((counting.get(verdict.caseId)?.revision ?? 0) < verdict.revision) counting.set(verdict.caseId, verdict)
  return [...counting.values()]
}

export function checkSubmissions(deeds: readonly Deed[], { submissions, verdicts }: Held): Finding[] {
  const byEntry = Map.groupBy(submissions, ({ bountyId, agentId }) => `${bountyId} ${agentId}`)
  const byId = new Map(submissions.map((submission) => [submission.id, submission]))
  const verdictsOf = Map.groupBy(verdicts, ({ submissionId }) => submissionId)

  const againOf = Map.groupBy(
    deedsOf(deeds, 'rejudge').filter(({ refusal }) => refusal === undefined),
    ({ aim }) => aim.bountyId,
  )

  const told = deedsOf(deeds, 'submit').flatMap((deed): Finding[] => {
    // Callers of a storm submit an agent to a bounty once.
    const made = byEntry.get(`${deed.aim.bountyId} ${deed.aim.agentId}`) ?? []
    const ids = made.map(({ id }) => id)
    if (made.length > 1) return [{ kind: 'doubled', what: `submission under the key ${deed.key}`, ids }]
    const id = idOf(deed)
    if (id !== undefined && byId.get(id) === undefined) return [{ kind: 'lost', what: 'acknowledged submission', ids: [id] }]
    const [submission] = made
    if (!submission) return []
    if (deed.refusal !== undefined) return [{ kind: 'wrong', what: `submission was refused (${deed.refusal}) and is there`, ids }]
    const rounds = 1 + (againOf.get(submission.bountyId)?.length ?? 0)
    if (submission.round > rounds)
      return [{ kind: 'doubled', what: `judging: round ${submission.round}, and ${rounds} were asked for`, ids }]
    return [...checkSeen(deed, submission), ...checkVerdicts(deed, submission, verdictsOf.get(submission.id) ?? [])]
  })
  const stuck = submissions
    .filter(isUnfinished)
    .map(({ id, status }): Finding => ({ kind: 'stuck', what: `submission is ${status}`, ids: [id] }))
  return [...told, ...stuck]
}

/** States go forward only, and the last one of a round stays until the next one begins. */
function checkSeen({ seen }: DeedOf<'submit'>, { id, round, status }: HeldSubmission): Finding[] {
  const history = [...seen, { round, status }]
  const place = (of: string) => submissionStatuses.findIndex((known) => known === of)
  return history.flatMap((state, i): Finding[] => {
    const before = history[i - 1]
    if (before === undefined || before.round < state.round) return []
    if (before.round === state.round) {
      const isUnended = before.status === 'queued' || before.status === 'running'
      if (before.status === state.status || (isUnended && place(state.status) > place(before.status))) return []
    }
    const named = (of: Seen) => (round > 1 ? `${of.status} in round ${of.round}` : of.status)
    return [{ kind: 'wrong', what: `submission was ${named(before)}, then ${named(state)}`, ids: [id] }]
  })
}

function checkVerdicts({ aim }: DeedOf<'submit'>, submission: HeldSubmission, verdicts: Held['verdicts']): Finding[] {
  const { id, status, casesTotal, casesPassed } = submission
  const wrong = (what: string): Finding[] => [{ kind: 'wrong', what: `submission is ${status}: ${what}`, ids: [id] }]
  const revisions = Map.groupBy(verdicts, ({ caseId, revision }) => `${caseId} ${revision}`)
  const twice = [...revisions].filter(([, same]) => same.length > 1)
  if (twice.length > 0) return [{ kind: 'doubled', what: 'verdict of a case', ids: [id, ...twice.map(([place]) => place)] }]
  const counting = countingVerdicts(verdicts)
  const accepted = counting.filter((verdict) => verdict.status === 'accepted').length
  if (accepted !== casesPassed) return wrong(`${accepted} accepted verdicts, ${casesPassed} counted`)
  if (counting.length > casesTotal) return wrong(`${counting.length} verdicts of ${casesTotal} cases`)
  if (status !== 'accepted' && status !== 'rejected') return []
  if ((status === 'accepted') !== (casesPassed === casesTotal)) return wrong(`${casesPassed} of ${casesTotal} cases passed`)
  const isCutShort = aim.stopAtFirstFailure && accepted < counting.length
  if (counting.length < casesTotal && !isCutShort) return wrong(`${counting.length} verdicts of ${casesTotal} cases`)
  return []
}
