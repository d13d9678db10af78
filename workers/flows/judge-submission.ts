// One turn of judging a submission: takes it, judges chunk after chunk of the cases that have no verdict yet, and ends it, or puts it back for
// whoever has the next turn. Verdicts are stored as they come (verdict-batches.ts), so a turn that dies anywhere leaves what it has done, and
// the next one begins there. While the host judges one chunk the next one is fetched.
//
//   message ─▶ take ─▶ chunk ─▶ chunk ─▶ … ─┬─▶ finish
//                                           ├─▶ put back: after 20 s at once; the host away or full, or broken off: later
//                                           └─▶ (dies) ─▶ the sweep, when the turn was not renewed for 15 s (sweep-judgings.ts)
import type { TakenJudging } from '../../shared/judging.ts'
import type { JudgedCases, RevisedCase } from '../../shared/ports.ts'
import { ProblemError } from '../../shared/problem.ts'
import { errorText } from '../log.ts'
import type { Services } from '../services.ts'
import { announceSubmission } from './announce.ts'
import { forgetBounty } from './forget-bounty.ts'
import { TurnOver, TurnLease } from './turn-lease.ts'
import { afterBreak, attemptsMax, instant, messageMsMax, publishTurns, whyOf } from './turns.ts'
import { VerdictBatches } from './verdict-batches.ts'

/** Cases of one call to the host. */
export const chunkCases = 64
/** No case begins later in a turn: an isolate may end 30 s after it has answered. */
const turnMsMax = 20_000

/** @returns whether the submission has finished. Throws only when the turn could not be taken, or not be put back: the sweep finds it then */
export async function judgeSubmission(
  services: Services,
  { submissionId: id, turn, host }: { submissionId: string; turn: number; host?: string | undefined },
): Promise<boolean> {
  const { judgings, log, now } = services
  const judging = await judgings.take(id, { turn, at: instant(now()), dueAt: instant(now() + TurnLease.lengthMs), host })
  if (!judging) return false
  using lease = new TurnLease({ now, renew: (dueAt) => judgings.renew(id, { turn: judging.turn, dueAt }) })
  const judged: Judged = { judging, lease, hasProgress: false }
  try {
    if (await judgeUntil(services, { judged, endsAt: now() + turnMsMax })) return true
    await putBack(services, judging, { delayMs: 0, isWaiting: false })
  } catch (error) {
    if (error instanceof TurnOver) return false
    log.error('judging broken off', { submissionId: id, turn: judging.turn, error: errorText(error) })
    return endOrPutBack(services, { judged, error })
  }
  return false
}

/** `hasProgress`: whether a verdict was stored. */
type Judged = { judging: TakenJudging; lease: TurnLease; hasProgress: boolean }
type Chunk = { judged: Judged; chunk: RevisedCase[]; beginMsMax: number }

/** @returns whether it has finished; otherwise its time is over */
async function judgeUntil(services: Services, { judged, endsAt }: { judged: Judged; endsAt: number }): Promise<boolean> {
  const { judgings, now } = services
  const { judging } = judged
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
      judgeChunk(services, { judged, chunk, beginMsMax: endsAt - now() }),
      isLast ? [] : next(last),
    ])
    chunk = isWhole && following.length > 0 ? following : await next(-1)
  }
}

/** @returns whether each of its cases was accepted; what was judged is stored however it ends */
async function judgeChunk(services: Services, { judged, chunk, beginMsMax }: Chunk): Promise<boolean> {
  const { sandbox, judgings, now } = services
  const { judging, lease } = judged
  const { id: submissionId, turn, program, checker, accountId, tier, stopAtFirstFailure } = judging
  const cases = chunk.map(({ id, input, expected, salt, hidden }) => ({ id, input, expected, salt, hidden }))
  const unheard = new Map(chunk.map(({ id, revision }) => [id, revision]))
  const firstRevisions = new Map(unheard)
  const batches = new VerdictBatches({
    now,
    async store(judgement) {
      lease.require(await judgings.record(submissionId, { turn, dueAt: lease.dueAt(), ...judgement }))
      judged.hasProgress = true
    },
  })
  let accepted = 0
  try {
    const request: JudgedCases = { submissionId, program, checker, accountId, tier, stopAtFirstFailure, beginMsMax, cases }
    const { notRun, receipt } = await sandbox.judge(request, async ({ engine, verdicts }) => {
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

/** @param end.why how the attempt that is under way ended, if one is */
export async function failJudging(
  services: Services,
  judging: Pick<TakenJudging, 'id' | 'turn' | 'bountyId' | 'mode'>,
  end: { failure: string; why?: string },
) {
  return finish(services, judging, { status: 'failed', ...end })
}

type End = { status: 'accepted' | 'rejected' } | { status: 'failed'; failure: string; why?: string }

async function finish(services: Services, { id, turn, bountyId, mode }: Pick<TakenJudging, 'id' | 'turn' | 'bountyId' | 'mode'>, end: End) {
  const { judgings, reads, log, now } = services
  if (!(await judgings.finish(id, { ...end, turn, at: instant(now()) }))) return false
  log.info('submission judged', { submissionId: id, bountyId, ...end })
  announceSubmission(services, { id, bountyId })
  if (mode === 'first') await forgetBounty(services, bountyId)
  else await reads.forget(`leaderboard:${bountyId}`, 'leaderboard')
  return true
}

async function endOrPutBack(services: Services, { judged, error }: { judged: Judged; error: unknown }): Promise<boolean> {
  const { judging, hasProgress } = judged
  const why = whyOf(error)
  // Verdicts that came have ended what was counted before them.
  const after = afterBreak(error, hasProgress ? { attempts: 0, waits: 0, waitingSince: null } : judging, services.now())
  if (after.fails === 'for-good') return failJudging(services, judging, { failure: after.detail, why })
  if (after.fails === 'waited-too-long') return failJudging(services, judging, { failure: unreachable })
  if (after.fails === 'attempts-used-up') return failJudging(services, judging, { failure: gaveUp, why })
  await putBack(services, judging, { ...after, why })
  return false
}

const unreachable = 'the sandbox host could not be reached, or was full, for an hour; submit again'
export const gaveUp = `judging was begun ${attemptsMax} times and broke off without a verdict each time; submit again`

type Back = { delayMs: number; isWaiting: boolean; why?: string }

async function putBack(services: Services, { id, turn }: TakenJudging, { delayMs, isWaiting, why }: Back): Promise<void> {
  const at = services.now()
  const back = { turn, at: instant(at), dueAt: instant(at + delayMs + messageMsMax), isWaiting, why }
  const nextTurn = await services.judgings.putBack(id, back)
  if (nextTurn !== undefined) await publishTurns(services, [{ topic: 'judgings', submissionId: id, turn: nextTurn }], { delayMs })
}
