// Takes up submissions whose message was lost, or whose judge was not heard of any more: each gets another turn, or ends when it has had its
// attempts. Fired by a cron, and by whoever has queued many.
import type { Services } from '../services.ts'
import { failJudging, gaveUp } from './judge-submission.ts'
import { attemptsMax, notHeardOf, sweepTurns } from './turns.ts'

/** @returns how many it took up */
export function sweepJudgings(services: Services): Promise<number> {
  const { judgings } = services
  return sweepTurns(services, {
    what: 'judgings',
    findDue: (due) => judgings.findDue(due),
    async end(judging) {
      if (judging.attempts < attemptsMax) return false
      await failJudging(services, judging, { failure: gaveUp, why: notHeardOf })
      return true
    },
    async putBack({ id, turn: last }, times) {
      const turn = await judgings.putBack(id, { turn: last, ...times, isWaiting: false, why: notHeardOf })
      return turn === undefined ? undefined : { topic: 'judgings', submissionId: id, turn }
    },
  })
}
