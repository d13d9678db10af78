// The turns of executions that hosts take from the event log themselves: what run-execution.ts does around its call of the host, in three calls of
// the host. A host that dies says nothing more; then the sweep gives the next turn.
import type { ClaimedExecution, ExecutionClaim, ExecutionPutBack } from '../../shared/execution-claim.ts'
import { ProblemError, problemTable, type ProblemCode } from '../../shared/problem.ts'
import { errorText } from '../log.ts'
import type { Services } from '../services.ts'
import { endOrPutBack } from './run-execution.ts'
import { TurnLease } from './turn-lease.ts'
import { instant } from './turns.ts'

/** @returns what to run, in the turn that is the host's now; null when that of its message is over */
export async function claimExecution(
  { asyncExecutions, now }: Services,
  { executionId, turn, host }: ExecutionClaim,
): Promise<ClaimedExecution | null> {
  const at = now()
  const taken = await asyncExecutions.take(executionId, { turn, at: instant(at), dueAt: instant(at + TurnLease.lengthMs), host })
  if (!taken) return null
  const { turn: own, attempts, waits, waitingSince, input, ...execution } = taken
  return { turn: own, counts: { attempts, waits, waitingSince }, execution: { ...execution, input: JSON.parse(input) } }
}

export async function renewExecution(
  { asyncExecutions, executions, now }: Services,
  { executionId, turn }: ExecutionClaim,
): Promise<{ isHeld: boolean; isCancelled: boolean }> {
  const isHeld = await asyncExecutions.renew(executionId, { turn, dueAt: instant(now() + TurnLease.lengthMs) })
  return { isHeld, isCancelled: !isHeld && (await executions.find(executionId))?.status === 'cancelled' }
}

/** @returns whether it has ended */
export function putBackExecution(services: Services, { executionId: id, turn, counts, code, detail }: ExecutionPutBack): Promise<boolean> {
  const error = isProblemCode(code) ? new ProblemError(code, { detail }) : new Error(`${code}: ${detail}`)
  services.log.error('execution broken off', { executionId: id, turn, error: errorText(error) })
  return endOrPutBack(services, { taken: { id, turn, ...counts }, error })
}

function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(problemTable, code)
}
