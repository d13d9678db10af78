// Takes up submissions whose message was lost, or whose judge was not heard of any more: each gets another turn, or ends when it has had its
// attempts. Fired by a cron, and by whoever has queued many; may run twice at once and break off anywhere.
import type { EventMessage } from '../../shared/event-log.ts'
import { errorText } from '../log.ts'
import type { Services } from '../services.ts'
import { attemptsMax, failJudging, gaveUp, messageMsMax } from './judge-submission.ts'

/** Of one run. At 10 ms each this is a second; what is left over is found by the next one. */
const submissionsMax = 100

/** @returns how many it took up */
export async function sweepJudgings(services: Services): Promise<number> {
  const { judgings, eventLog, log, now } = services
  const at = now()
  const due = await judgings.findDue({ at: new Date(at).toISOString(), limit: submissionsMax })
  const messages: EventMessage[] = []
  for (const judging of due) {
    const { id: submissionId, turn: last, attempts } = judging
    if (attempts >= attemptsMax) {
      await failJudging(services, judging, gaveUp)
      continue
    }
    const times = { at: new Date(at).toISOString(), dueAt: new Date(now() + messageMsMax).toISOString() }
    const turn = await judgings.putBack(submissionId, { turn: last, ...times, isWaiting: false })
    if (turn !== undefined) messages.push({ topic: 'judgings', submissionId, turn })
  }
  if (messages.length === 0) return due.length
  log.info('judgings taken up', { submissions: messages.length })
  await eventLog.publish(messages).catch((error: unknown) => log.error('messages not published', { error: errorText(error) }))
  return due.length
}
