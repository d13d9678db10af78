// Every submission has ended, once, as its author saw it, with one verdict for each case that had to be judged.
import { submissionStatuses } from '../../shared/submission.ts'
import { deedsOf, idOf, type Deed, type DeedOf } from './deed.ts'
import type { Finding } from './finding.ts'
import type { Held, HeldSubmission } from './held.ts'

export function isUnfinished({ status }: { status: HeldSubmission['status'] }): boolean {
  return status === 'queued' || status === 'running'
}

export function checkSubmissions(deeds: readonly Deed[], { submissions, verdicts }: Held): Finding[] {
  const byEntry = Map.groupBy(submissions, ({ bountyId, agentId }) => `${bountyId} ${agentId}`)
  const byId = new Map(submissions.map((submission) => [submission.id, submission]))
  const verdictsOf = Map.groupBy(verdicts, ({ submissionId }) => submissionId)

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
    return [...checkSeen(deed, submission), ...checkVerdicts(deed, submission, verdictsOf.get(submission.id) ?? [])]
  })
  const stuck = submissions
    .filter(isUnfinished)
    .map(({ id, status }): Finding => ({ kind: 'stuck', what: `submission is ${status}`, ids: [id] }))
  return [...told, ...stuck]
}

/** States go forward only, and the last one stays. */
function checkSeen({ seen }: DeedOf<'submit'>, { id, status }: HeldSubmission): Finding[] {
  const history = [...seen, status]
  return history.flatMap((state, i): Finding[] => {
    const before = history[i - 1]
    if (before === undefined || before === state) return []
    const isForward = isUnfinished({ status: before }) && submissionStatuses.indexOf(state) > submissionStatuses.indexOf(before)
    return isForward ? [] : [{ kind: 'wrong', what: `submission was ${before}, then ${state}`, ids: [id] }]
  })
}

function checkVerdicts({ aim }: DeedOf<'submit'>, submission: HeldSubmission, verdicts: Held['verdicts']): Finding[] {
  const { id, status, casesTotal, casesPassed } = submission
  const wrong = (what: string): Finding[] => [{ kind: 'wrong', what: `submission is ${status}: ${what}`, ids: [id] }]
  const cases = Map.groupBy(verdicts, ({ caseId }) => caseId)
  const twice = [...cases].filter(([, same]) => same.length > 1)
  if (twice.length > 0) return [{ kind: 'doubled', what: 'verdict of a case', ids: [id, ...twice.map(([caseId]) => caseId)] }]
  const accepted = verdicts.filter((verdict) => verdict.status === 'accepted').length
  if (accepted !== casesPassed) return wrong(`${accepted} accepted verdicts, ${casesPassed} counted`)
  if (verdicts.length > casesTotal) return wrong(`${verdicts.length} verdicts of ${casesTotal} cases`)
  if (status !== 'accepted' && status !== 'rejected') return []
  // The host stood still for too long: then a right agent is rejected.
  const isTimedOut = verdicts.some((verdict) => verdict.status === 'deadline')
  if ((status === 'accepted') !== aim.isRight && !(isTimedOut && status === 'rejected'))
    return wrong(`the agent is ${aim.isRight ? 'right' : 'wrong'}`)
  if (status === 'accepted' && casesPassed !== casesTotal) return wrong(`${casesPassed} of ${casesTotal} cases passed`)
  const isCutShort = aim.stopAtFirstFailure && accepted < verdicts.length
  if (verdicts.length < casesTotal && !isCutShort) return wrong(`${verdicts.length} verdicts of ${casesTotal} cases`)
  return []
}
