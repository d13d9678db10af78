// Takes up asynchronous executions whose message was lost, or whose runner was not heard of any more, and ends those that can never finish.
// Fired by a cron.
import type { Services } from '../services.ts'
import { failExecution, gaveUp, waitedTooLong as waitedTooLongText } from './run-execution.ts'
import { attemptsMax, notHeardOf, sweepTurns, waitedTooLong } from './turns.ts'

/** @returns how many it took up */
export function sweepExecutions(services: Services): Promise<number> {
  const { asyncExecutions, now } = services
  return sweepTurns(services, {
    what: 'executions',
    findDue: (due) => asyncExecutions.findDue(due),
    async end(execution) {
      const failure =
        execution.attempts >= attemptsMax ? gaveUp : waitedTooLong(execution.waitingSince, now()) ? waitedTooLongText : undefined
      if (failure === undefined) return false
      await failExecution(services, execution, { failure, why: notHeardOf })
      return true
    },
    async putBack({ id, turn: last }, times) {
      const turn = await asyncExecutions.putBack(id, { turn: last, ...times, isWaiting: false, why: notHeardOf })
      return turn === undefined ? undefined : { topic: 'executions', executionId: id, turn }
    },
  })
}
