// The order of a judging: cases are begun in theirs, a bounded number at once, and whatever makes further ones pointless (a first failure, a
// caller who left, a part of ours that failed) ends the beginning of new ones. What has begun may finish.
import type { JudgedCase, Verdict } from '../shared/execution.ts'

export type JudgeCases = {
  cases: readonly JudgedCase[]
  parallel: number
  stopAtFirstFailure: boolean
  /** Cases that have not begun by then are not begun any more. */
  beginMsMax?: number | undefined
  /** Aborted when the caller has gone. */
  caller: AbortSignal
  /** `signal` is aborted when the case need not be judged any more; that makes it throw where it waits for its turn. */
  judge: (judged: JudgedCase, signal: AbortSignal) => Promise<Verdict>
  tell: (verdict: Verdict) => void
}

/** @returns ids of the cases without a verdict, in their order. @throws what `judge` throws, when everything that was begun has ended */
export async function judgeCases({ cases, parallel, stopAtFirstFailure, beginMsMax, caller, judge, tell }: JudgeCases): Promise<string[]> {
  const underWay = new Map<number, AbortController>()
  const judged = new Set<string>()
  let next = 0
  /** Place of the first case that is not to be begun. */
  let end = cases.length
  let failure: { error: unknown } | undefined

  const stopFrom = (place: number) => {
    end = Math.min(end, place)
    for (const [at, controller] of underWay) if (at >= end) controller.abort()
  }
  const onGone = () => stopFrom(0)

  async function judgeNext(): Promise<void> {
    const place = next++
    const controller = new AbortController()
    underWay.set(place, controller)
    try {
      // `place` is below `end`, which is at most the length.
      const verdict = await judge(cases[place] as JudgedCase, controller.signal)
      judged.add(verdict.caseId)
      tell(verdict)
      if (stopAtFirstFailure && verdict.status !== 'accepted') stopFrom(place + 1)
    } catch (error) {
      if (controller.signal.aborted) return
      failure ??= { error }
      stopFrom(0)
    } finally {
      underWay.delete(place)
    }
  }
  const worker = async () => {
    while (next < end) await judgeNext()
  }

  if (caller.aborted) onGone()
  else caller.addEventListener('abort', onGone, { once: true })
  const late = beginMsMax === undefined ? undefined : setTimeout(() => stopFrom(next), beginMsMax)
  await Promise.all(Array.from({ length: Math.min(parallel, cases.length) }, worker))
  clearTimeout(late)
  caller.removeEventListener('abort', onGone)
  if (failure) throw failure.error
  return cases.map(({ id }) => id).filter((id) => !judged.has(id))
}
