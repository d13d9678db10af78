// Judges a program by cases: one load, a fresh sandbox for every case, a bounded number of them at once. Nothing of a case is
// journaled or logged; hidden cases pass through here.
import type { Judgement, JudgementRequest, Verdict } from '../shared/execution.ts'
import { startTimeDefault } from '../shared/execution.ts'
import { jsonEquals } from '../shared/json-equals.ts'
import { ProblemError } from '../shared/problem.ts'
import type { TierName } from '../shared/tiers.ts'
import type { Metrics } from './metrics.ts'
import type { Programs } from './programs.ts'
import { acceptOutcome } from './run-outcome.ts'
import type { AcceptedOutcome } from './run-outcome.ts'
import { inputText, requireTier } from './runner.ts'
import { runLimits } from './sandbox-engine.ts'
import type { RunRequest, SandboxEngine } from './sandbox-engine.ts'

export type JudgeOptions = {
  programs: Programs
  engine: SandboxEngine
  tiers: TierName[]
  /** Cases of one judgement that are in the engine at once. */
  parallel: number
  judgementsMax: number
  metrics: Pick<Metrics, 'judged' | 'started'>
}

export type Judge = (request: JudgementRequest) => Promise<Judgement>
type JudgedCase = JudgementRequest['cases'][number]

/** A full queue is waited for this often before the judgement is given back: 5 ms doubling to 80 ms, about 2 s in all. */
const busyAttemptsMax = 28

export function createJudge({ programs, engine, tiers, parallel, judgementsMax, metrics }: JudgeOptions): Judge {
  let underWay = 0

  async function judgeCase(handle: number, { tier, judged }: { tier: TierName; judged: JudgedCase }): Promise<Verdict> {
    const request = { input: inputText(judged.input), seed: 0, startTimeMs: Date.parse(startTimeDefault), limits: runLimits(tier) }
    let outcome = await runWhenFree(handle, request)
    // Fuel ends a run before the clock does on a healthy host, so a deadline may be our fault: one more chance.
    if (outcome.status === 'deadline') outcome = await runWhenFree(handle, request)
    const verdict = { caseId: judged.id, status: statusOf(outcome, judged.expected), usage: outcome.usage }
    metrics.judged(verdict.status)
    return verdict
  }

  async function runWhenFree(handle: number, request: RunRequest): Promise<AcceptedOutcome> {
    for (let attempt = 0; ; attempt++) {
      try {
        const outcome = await engine.run(handle, request)
        metrics.started(outcome.wasWarm ? 'pooled' : 'loaded', outcome.startMicros / 1e6)
        return acceptOutcome(outcome)
      } catch (error) {
        const isBusy = error instanceof ProblemError && error.code === 'overloaded'
        if (!isBusy || attempt >= busyAttemptsMax) throw error
        await new Promise((resolve) => setTimeout(resolve, Math.min(80, 5 * 2 ** attempt)))
      }
    }
  }

  return async ({ program, tier, cases }) => {
    requireTier(tier, tiers)
    if (underWay >= judgementsMax) {
      throw new ProblemError('overloaded', { detail: `${judgementsMax} judgements are under way already`, retryAfterSeconds: 2 })
    }
    underWay++
    try {
      using loaded = await programs.use(program)
      const verdicts = await mapBounded(cases, parallel, (judged) => judgeCase(loaded.handle, { tier, judged }))
      return { engine: engine.label, verdicts }
    } finally {
      underWay--
    }
  }
}

function statusOf({ status, output }: AcceptedOutcome, expected: unknown): Verdict['status'] {
  if (status !== 'completed') return status
  return output !== undefined && jsonEquals(JSON.parse(output), expected ?? null) ? 'accepted' : 'wrong-answer'
}

/** Results in the order of `items`; after a failure nothing new is begun, and it is thrown when what was begun has ended. */
async function mapBounded<T, R>(items: readonly T[], parallel: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  let next = 0
  let failure: { error: unknown } | undefined
  const worker = async () => {
    while (next < items.length && !failure) {
      const i = next++
      try {
        // `i` is below the length, so the item is there, whatever T is.
        results[i] = await work(items[i] as T)
      } catch (error) {
        failure ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, worker))
  if (failure) throw failure.error
  return results
}
