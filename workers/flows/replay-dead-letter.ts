// Does the work of a dead letter anew. A letter has one replay at a time, whose id is written into the letter before the work is made: whoever
// asks while it is under way, or after it has ended well, is told of it, and whoever asks after a Worker died in between makes it under the
// same id. Only when it has failed, too, the next one is begun.
//
//   replayed as nobody ─claim an id─▶ make the work under it ─▶ told
//          ▲                                 └─ refused: the claim is given back
//          └── replayed as one that failed
import type { Principal } from '../../shared/account.ts'
import type { DeadLetter, DeadLetterReplay } from '../../shared/dead-letter.ts'
import type { IdKind } from '../../shared/ids.ts'
import { ProblemError } from '../../shared/problem.ts'
import type { Attempt } from '../idempotency.ts'
import type { Services } from '../services.ts'
import { submitAgent } from './submit-agent.ts'
import { firstTurn, instant, messageMsMax, publishTurns } from './turns.ts'

/** The administrator replays any letter; the work stays its account's. */
export type ReplayDeadLetter = { id: string; caller: Principal; attempt: Attempt }

/** `isNew` is false for a replay that there was. @throws ProblemError `dead-letter-not-found`, `not-replayable`, and what keeps new work from being made */
export async function replayDeadLetter(
  services: Services,
  { id, caller, attempt }: ReplayDeadLetter,
): Promise<DeadLetterReplay & { isNew: boolean }> {
  const { deadLetters } = services
  for (;;) {
    const letter = await deadLetters.find(id, caller.role === 'admin' ? undefined : caller.accountId)
    if (!letter) throw deadLetterNotFound(id)
    const work = workOf(services, letter)
    const { kind, of: replayOf } = work
    if (kind === 'submission') requireBounties(caller)
    const told = (made: Made, isNew: boolean) => ({ id: made.id, kind, status: made.status, replayOf, isNew })
    const { replayedAs: from } = letter
    const known = from === null ? undefined : await work.find(from)
    if (known && known.status !== 'failed') return told(known, false)
    // Claimed, and not made: by somebody who is about to, or who died.
    const to = from !== null && !known ? from : attempt.newId(kind)
    // Of many at once one claims; the others find what it claimed.
    if (to !== from && !(await deadLetters.replay(id, { from, to }))) continue
    try {
      return told(await work.make(to), true)
    } catch (error) {
      const made = await work.find(to)
      if (made) return told(made, false)
      if (error instanceof ProblemError && error.status < 500) await deadLetters.replay(id, { from: to, to: known ? from : null })
      throw error
    }
  }
}

/** As POST /bounties/{id}/submissions asks for. @throws ProblemError `forbidden` */
function requireBounties(caller: Principal): void {
  if (caller.role === 'admin' || caller.scopes.includes('bounties')) return
  const detail = `to submit again takes a key with the scope "bounties", too; the key ${caller.keyId} has ${caller.scopes.join(', ')}`
  throw new ProblemError('forbidden', { detail })
}

type Made = { id: string; status: string }
type Work = {
  kind: DeadLetterReplay['kind'] & IdKind
  of: string
  find: (id: string) => Promise<Made | undefined>
  make: (id: string) => Promise<Made>
}

function workOf(services: Services, { id, submissionId, executionId }: DeadLetter): Work {
  if (submissionId !== null) return submissionWork(services, submissionId)
  if (executionId !== null) return executionWork(services, executionId)
  throw new ProblemError('not-replayable', { detail: `dead letter ${id} is a message that nobody can take; what it was about has others` })
}

/** The same version with the same input, tier and seed. */
function executionWork(services: Services, executionId: string): Work {
  const { executions, asyncExecutions, now } = services
  return {
    kind: 'execution',
    of: executionId,
    find: (replayId) => executions.find(replayId),
    async make(replayId) {
      const at = now()
      const times = { createdAt: instant(at), dueAt: instant(at + messageMsMax) }
      if (!(await asyncExecutions.replay(replayId, { replayOf: executionId, ...times }))) {
        throw new ProblemError('not-replayable', { detail: `execution ${executionId} is no failed one any more` })
      }
      await publishTurns(services, [{ topic: 'executions', executionId: replayId, turn: firstTurn }])
      return { id: replayId, status: 'queued' }
    },
  }
}

/** The same version of the agent against the bounty as it is now, which has to be open. */
function submissionWork(services: Services, submissionId: string): Work {
  const { submissions, now } = services
  return {
    kind: 'submission',
    of: submissionId,
    find: (replayId) => submissions.find(replayId),
    async make(replayId) {
      const failed = await submissions.find(submissionId)
      if (!failed) throw new ProblemError('not-replayable', { detail: `submission ${submissionId} is no more` })
      const { accountId, bountyId, agentId, version } = failed
      // Whether it stops at the first failure it has from the one that it replays.
      const submission = { agentId, version, stopAtFirstFailure: false }
      const attempt: Attempt = { newId: () => replayId, isRetry: true, firstAt: new Date(now()).toISOString() }
      return submitAgent(services, { accountId, bountyId, submission, attempt, replayOf: submissionId })
    },
  }
}

export function deadLetterNotFound(id: string): ProblemError {
  return new ProblemError('dead-letter-not-found', { detail: `your account has no dead letter ${id}` })
}
