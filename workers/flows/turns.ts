// What judging a submission (judge-submission.ts) and running an asynchronous execution (run-execution.ts) have in common: work that is owed to
// somebody in turns. A row says whose turn it is, a message stands for one taking of it, and whoever has it renews it while it works.
//
//   row, message ─▶ take ─▶ work ─┬─▶ end
//        ▲                        ├─▶ put back: the host away or full (waiting, up to an hour), or broken off (an attempt, of five)
//        └── next turn, message ◀─┴─▶ (dies) ─▶ the sweep, when the turn was not renewed for 15 s
import type { EventMessage } from '../../shared/event-log.ts'
import { ProblemError, type ProblemCode } from '../../shared/problem.ts'
import { errorText } from '../log.ts'
import type { Services } from '../services.ts'

/** Of work that nobody has begun. */
export const firstTurn = 1
/** A message that is not taken by then is lost. */
export const messageMsMax = 15_000
/** Begun, and nothing came of it. */
export const attemptsMax = 5
/** So long a host that is away is waited for. */
export const waitMsMax = 3_600_000
const backOffMsMax = 30_000
/** Of one sweep. At 10 ms each this is a second; what is left over is found by the next one. */
const sweptMax = 100

/** The host is not there, or has no room: nothing was begun. */
const waitedFor: ReadonlySet<ProblemCode> = new Set([
  'sandbox-unavailable',
  'overloaded',
  'draining',
  'artifacts-unavailable',
  'database-unavailable',
])
/** Will not be otherwise the next time; the detail is about the program, or the tier, and for its owner. */
const final: ReadonlySet<ProblemCode> = new Set(['tier-unavailable', 'engine-unsupported', 'invalid-program'])

export const instant = (ms: number) => new Date(ms).toISOString()

export type TurnCounts = { attempts: number; waits: number; waitingSince: string | null }
export type AfterBreak =
  | { fails: 'for-good'; detail: string }
  | { fails: 'waited-too-long' }
  | { fails: 'attempts-used-up' }
  | { fails: false; delayMs: number; isWaiting: boolean }

/** What becomes of work whose turn ended with an error. */
export function afterBreak(error: unknown, { attempts, waits, waitingSince }: TurnCounts, now: number): AfterBreak {
  const code = error instanceof ProblemError ? error.code : 'internal'
  if (error instanceof ProblemError && final.has(code)) return { fails: 'for-good', detail: error.detail.slice(0, 1_000) }
  const isWaiting = waitedFor.has(code)
  if (isWaiting && waitedTooLong(waitingSince, now)) return { fails: 'waited-too-long' }
  if (!isWaiting && attempts >= attemptsMax) return { fails: 'attempts-used-up' }
  return { fails: false, delayMs: backOffMs(isWaiting ? waits : attempts - 1), isWaiting }
}

export function waitedTooLong(since: string | null, now: number): boolean {
  return since !== null && now - Date.parse(since) >= waitMsMax
}

/** How an attempt ended, for the history of its dead letter: nothing of ours that its owner has no business with. */
export function whyOf(error: unknown): string {
  return error instanceof ProblemError ? error.message.slice(0, 500) : 'internal: something failed on our side'
}

/** Of a turn that passed without a word. */
export const notHeardOf = 'nothing was heard of it any more'

/** @param times before this one: 1, 2, 4, 8 s, and so on */
function backOffMs(times: number): number {
  return Math.min(1_000 * 2 ** Math.max(times, 0), backOffMsMax)
}

/** Messages of turns. One that is lost costs time: the sweep finds the row. */
export async function publishTurns(
  { eventLog, log }: Pick<Services, 'eventLog' | 'log'>,
  messages: EventMessage[],
  { delayMs } = { delayMs: 0 },
): Promise<void> {
  if (messages.length === 0) return
  await eventLog.publish(messages, { delaySeconds: delayMs / 1_000 }).catch((error: unknown) => {
    log.error('messages not published', { count: messages.length, first: JSON.stringify(messages[0]), error: errorText(error) })
  })
}

export type Sweep<Due> = {
  what: string
  findDue: (due: { at: string; limit: number }) => Promise<Due[]>
  /** Ends what can never finish. @returns whether it was such */
  end: (due: Due) => Promise<boolean>
  /** @returns the message of the next turn; undefined when the turn that was due has gone on */
  putBack: (due: Due, times: { at: string; dueAt: string }) => Promise<EventMessage | undefined>
}

/** Takes up what lost its message, or whoever had the turn. May run twice at once and break off anywhere. @returns how many it took up */
export async function sweepTurns<Due>(services: Services, { what, findDue, end, putBack }: Sweep<Due>): Promise<number> {
  const { log, now } = services
  const at = instant(now())
  const all = await findDue({ at, limit: sweptMax })
  const messages: EventMessage[] = []
  for (const due of all) {
    if (await end(due)) continue
    const message = await putBack(due, { at, dueAt: instant(now() + messageMsMax) })
    if (message) messages.push(message)
  }
  if (messages.length > 0) log.info('turns taken up', { what, count: messages.length })
  await publishTurns(services, messages)
  return all.length
}
