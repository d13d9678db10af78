// One turn of an asynchronous execution: takes it, has the host run it, and records the outcome, or puts it back for whoever has the next turn.
// The host runs an id once: whoever comes again, after the answer was lost, gets what the journal holds. So does the Worker by the host's
// batches (record-outcomes.ts): whichever comes first ends the execution. One that is cancelled meanwhile stays so, and the host is told to
// stop the guest (cancel-execution.ts).
import type { TakenExecution } from '../../shared/async-execution.ts'
import { errorText } from '../log.ts'
import type { Services } from '../services.ts'
import { tellHostOfCancellation } from './cancel-execution.ts'
import { TurnLease, TurnOver } from './turn-lease.ts'
import { afterBreak, attemptsMax, instant, messageMsMax, publishTurns, whyOf } from './turns.ts'

/** @returns whether it has ended. Throws only when the turn could not be taken, or not be put back: the sweep finds it then */
export async function runExecution(services: Services, { executionId: id, turn }: { executionId: string; turn: number }): Promise<boolean> {
  const { asyncExecutions, log, now } = services
  const at = now()
  const taken = await asyncExecutions.take(id, { turn, at: instant(at), dueAt: instant(at + TurnLease.lengthMs) })
  if (!taken) return false
  using lease = new TurnLease({ now, renew: (dueAt) => asyncExecutions.renew(id, { turn: taken.turn, dueAt }) })
  try {
    return await runTaken(services, { taken, lease })
  } catch (error) {
    if (error instanceof TurnOver) {
      // Its message may not have reached the host.
      const found = await services.executions.find(id)
      if (found?.status === 'cancelled') await tellHostOfCancellation(services, id)
      return false
    }
    log.error('execution broken off', { executionId: id, turn: taken.turn, error: errorText(error) })
    return endOrPutBack(services, { taken, error })
  }
}

async function runTaken(services: Services, { taken, lease }: { taken: TakenExecution; lease: TurnLease }): Promise<boolean> {
  const { executions, sandbox, counters, log } = services
  const { turn: _turn, attempts: _attempts, waits: _waits, waitingSince: _since, input, ...execution } = taken
  // It was a caller's body, or part of one, when it was stored.
  const record = await lease.while(sandbox.runAsync({ ...execution, input: JSON.parse(input) }))
  const unknown = await executions.record([record])
  counters.add('executions_total', { status: record.status })
  log.info('execution finished', { executionId: record.id, status: record.status, isRecorded: unknown.length === 0 })
  return true
}

/** Ends it without an outcome. @returns whether it had not ended, and the turn was not over */
export async function failExecution(
  services: Services,
  { id, turn }: Pick<TakenExecution, 'id' | 'turn'>,
  { failure, why }: { failure: string; why?: string },
): Promise<boolean> {
  const isFailed = await services.asyncExecutions.fail(id, { turn, at: instant(services.now()), failure, why })
  if (isFailed) services.log.error('execution failed', { executionId: id, failure })
  return isFailed
}

type Broken = { taken: Pick<TakenExecution, 'id' | 'turn' | 'attempts' | 'waits' | 'waitingSince'>; error: unknown }

/** @returns whether it has ended */
export async function endOrPutBack(services: Services, { taken, error }: Broken): Promise<boolean> {
  const why = whyOf(error)
  const after = afterBreak(error, taken, services.now())
  if (after.fails === 'for-good') return failExecution(services, taken, { failure: after.detail, why })
  if (after.fails === 'waited-too-long') return failExecution(services, taken, { failure: waitedTooLong, why })
  if (after.fails === 'attempts-used-up') return failExecution(services, taken, { failure: gaveUp, why })
  await putBackExecution(services, taken, { ...after, why })
  return false
}

export const waitedTooLong = 'the sandbox host could not be reached, or was full, for an hour; run it again'
export const gaveUp = `the run was begun ${attemptsMax} times and gave no outcome each time; run it again`

type Back = { delayMs: number; isWaiting: boolean; why: string }

async function putBackExecution(
  services: Services,
  { id, turn }: Pick<TakenExecution, 'id' | 'turn'>,
  { delayMs, isWaiting, why }: Back,
): Promise<void> {
  const at = services.now()
  const back = { turn, at: instant(at), dueAt: instant(at + delayMs + messageMsMax), isWaiting, why }
  const nextTurn = await services.asyncExecutions.putBack(id, back)
  if (nextTurn !== undefined) await publishTurns(services, [{ topic: 'executions', executionId: id, turn: nextTurn }], { delayMs })
}
