// One turn of judging a submission: takes it, judges chunk after chunk of the cases that have no verdict yet, and ends it, or puts it back for
// whoever has the next turn. Verdicts are stored as they come (verdict-batches.ts), so a turn that dies anywhere leaves what it has done, and
// the next one begins there. While the host judges one chunk the next one is fetched.
//
//   message ─▶ take ─▶ chunk ─▶ chunk ─▶ … ─┬─▶ finish
//                                           ├─▶ put back: after 20 s at once; the host away or full, or broken off: later
//                                           └─▶ (dies) ─▶ the sweep, when the turn was not renewed for 15 s (sweep-judgings.ts)
import type { TakenJudging } from '../../shared/judging.ts'
import type { JudgedCases, RevisedCase } from '../../shared/ports.ts'
import { ProblemError, type ProblemCode } from '../../shared/problem.ts'
import { errorText } from '../log.ts'
import type { Services } from '../services.ts'
import { forgetBounty } from './forget-bounty.ts'
import { TurnOver, TurnLease } from './turn-lease.ts'
import { VerdictBatches } from './verdict-batches.ts'

/** Cases of one call to the host. */
export const chunkCases = 64
/** No case begins later in a turn: an isolate may end 30 s after it has answered. */
const turnMsMax = 20_000
/** A message that is not taken by then is lost. */
export const messageMsMax = 15_000
/** Started, and without a verdict. */
export const attemptsMax = 5
const backOffMsMax = 30_000
/** So long a host that is away is waited for. */
const waitMsMax = 3_600_000

/** The host is not there, or has no room: nothing was begun. */
const waitedFor: ReadonlySet<ProblemCode> = new Set([
  'sandbox-unavailable',
  'overloaded',
  'draining',
  'artifacts-unavailable',
  'database-unavailable',
])
/** Will not be otherwise the next time; the detail is about the program, or the tier, and for the author. */
const final: ReadonlySet<ProblemCode> = new Set(['tier-unavailable', 'engine-unsupported', 'invalid-program'])

const instant = (ms: number) => new Date(ms).toISOString()

/** @returns whether the submission has finished. Throws only when the turn could not be taken, or not be put back: the sweep finds it then */
export async function judgeSubmission(
  services: Services,
  { submissionId: id, turn, host }: { submissionId: string; turn: number; host?: string | undefined },
): Promise<boolean> {
  const { judgings, log, now } = services
  const judging = await judgings.take(id, { turn, at: instant(now()), dueAt: instant(now() + TurnLease.lengthMs), host })
  if (!judging) return false
  using lease = new TurnLease(services, judging)
  try {
    if (await judgeUntil(services, { judging, lease, endsAt: now() + turnMsMax })) return true
    await putBack(services, judging, { delayMs: 0, isWaiting: false })
  } catch (error) {
    if (error instanceof TurnOver) return false
    log.error('judging broken off', { submissionId: id, turn: judging.turn, error: errorText(error) })
    return endOrPutBack(services, { judging, error, hasProgress: lease.hasProgress })
  }
  return false
}

type Judged = { judging: TakenJudging; lease: TurnLease }
type Chunk = Judged & { chunk: RevisedCase[]; beginMsMax: number }

/** @returns whether it has finished; otherwise its time is over */
async function judgeUntil(services: Services, { judging, lease, endsAt }: Judged & { endsAt: number }): Promise<boolean> {
  const { judgings, now } = services
  const { id } = judging
  const next = (after: number) => judgings.nextCases(id, { after, limit: chunkCases })
  let chunk = await next(-1)
  for (;;) {
    if (chunk.length === 0) {
      if (await finishJudged(services, judging)) return true
      // A case was fixed meanwhile, or the turn is over.
      chunk = await next(-1)
      if (chunk.length === 0) throw new TurnOver()
    }
    if (now() >= endsAt) return false
    const last = chunk.at(-1)?.position ?? -1
    const isLast = chunk.length < chunkCases
    const [isWhole, following] = await Promise.all([
      judgeChunk(services, { judging, lease, chunk, beginMsMax: endsAt - now() }),
      isLast ? [] : next(last),
    ])
    chunk = isWhole && following.length > 0 ? following : await next(-1)
  }
}

/** @returns whether each of its cases was accepted; what was judged is stored however it ends */
async function judgeChunk(services: Services, { judging, lease, chunk, beginMsMax }: Chunk): Promise<boolean> {
  const { sandbox, judgings, now } = services
  const { id: submissionId, turn, program, checker, accountId, tier, stopAtFirstFailure } = judging
  const cases = chunk.map(({ id, input, expected, salt, hidden }) => ({ id, input, expected, salt, hidden }))
  const unheard = new Map(chunk.map(({ id, revision }) => [id, revision]))
  const firstRevisions = new Map(unheard)
  const batches = new VerdictBatches({ store: (judgement) => lease.record(judgement), now })
  let accepted = 0
  try {
    const judged: JudgedCases = { submissionId, program, checker, accountId, tier, stopAtFirstFailure, beginMsMax, cases }
    const { notRun, receipt } = await sandbox.judge(judged, async ({ engine, verdicts }) => {
      lease.requireTurn()
      const fresh = verdicts.flatMap((verdict) => {
        const revision = unheard.get(verdict.caseId)
        unheard.delete(verdict.caseId)
        return revision === undefined ? [] : [{ ...verdict, revision }]
      })
      accepted += fresh.filter(({ status }) => status === 'accepted').length
      await batches.add({ engine, verdicts: fresh })
    })
    for (const id of notRun) unheard.delete(id)
    await batches.flush()
    if (receipt && receipt.statement.submissionId !== submissionId) throw incomplete('the receipt is of another submission')
    const firstRevision = firstRevisions.get(receipt?.statement.entries[0]?.caseId ?? '')
    if (receipt && firstRevision !== undefined) lease.require(await judgings.recordReceipt(receipt, { turn, firstRevision }))
    if (notRun.length === cases.length) throw incomplete('no case was run')
  } finally {
    await batches.flush()
  }
  if (unheard.size > 0) throw incomplete(`${unheard.size} of ${cases.length} cases have no verdict`)
  return accepted === cases.length
}

function incomplete(internal: string): ProblemError {
  return new ProblemError('judgement-broken-off', { detail: 'the sandbox host did not judge every case', internal })
}

/** @returns false when there is a case to be judged, or the turn is over */
async function finishJudged(services: Services, judging: TakenJudging): Promise<boolean> {
  // The sums alone: there may be thousands of verdicts.
  const sums = await services.progress.find(judging.id, { after: 0, limit: 0 })
  if (!sums) return false
  const status = sums.casesPassed === sums.casesTotal ? 'accepted' : 'rejected'
  return finish(services, judging, { status })
}

export async function failJudging(services: Services, judging: Pick<TakenJudging, 'id' | 'turn' | 'bountyId' | 'mode'>, failure: string) {
  return finish(services, judging, { status: 'failed', failure })
}

type End = { status: 'accepted' | 'rejected' } | { status: 'failed'; failure: string }

async function finish(services: Services, { id, turn, bountyId, mode }: Pick<TakenJudging, 'id' | 'turn' | 'bountyId' | 'mode'>, end: End) {
  const { judgings, reads, log, now } = services
  if (!(await judgings.finish(id, { ...end, turn, at: instant(now()) }))) return false
  log.info('submission judged', { submissionId: id, bountyId, ...end })
  if (mode === 'first') await forgetBounty(services, bountyId)
  else await reads.forget(`leaderboard:${bountyId}`, 'leaderboard')
  return true
}

type Broken = { judging: TakenJudging; error: unknown; hasProgress: boolean }

async function endOrPutBack(services: Services, { judging, error, hasProgress }: Broken): Promise<boolean> {
  const code = error instanceof ProblemError ? error.code : 'internal'
  if (error instanceof ProblemError && final.has(code)) return failJudging(services, judging, error.detail.slice(0, 1_000))
  const isWaiting = waitedFor.has(code)
  // Verdicts that came have ended what was counted before them.
  const { attempts, waits, waitingSince } = hasProgress ? { attempts: 0, waits: 0, waitingSince: null } : judging
  const waitedMs = waitingSince === null ? 0 : services.now() - Date.parse(waitingSince)
  if (isWaiting && waitedMs >= waitMsMax) return failJudging(services, judging, unreachable)
  if (!isWaiting && attempts >= attemptsMax) return failJudging(services, judging, gaveUp)
  await putBack(services, judging, { delayMs: backOffMs(isWaiting ? waits : attempts - 1), isWaiting })
  return false
}

const unreachable = 'the sandbox host could not be reached, or was full, for an hour; submit again'
export const gaveUp = `judging was begun ${attemptsMax} times and broke off without a verdict each time; submit again`

/** @param times before this one: 1, 2, 4, 8 s, and so on */
function backOffMs(times: number): number {
  return Math.min(1_000 * 2 ** Math.max(times, 0), backOffMsMax)
}

type Back = { delayMs: number; isWaiting: boolean }

async function putBack(
  { judgings, eventLog, log, now }: Services,
  { id, turn }: TakenJudging,
  { delayMs, isWaiting }: Back,
): Promise<void> {
  const at = now()
  const nextTurn = await judgings.putBack(id, { turn, at: instant(at), dueAt: instant(at + delayMs + messageMsMax), isWaiting })
  if (nextTurn === undefined) return
  const message = { topic: 'judgings', submissionId: id, turn: nextTurn } as const
  await eventLog.publish([message], { delaySeconds: delayMs / 1_000 }).catch((error: unknown) => {
    log.error('message not published', { submissionId: id, turn: nextTurn, error: errorText(error) })
  })
}
