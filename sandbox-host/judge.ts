// Judges a program by cases: one load, a fresh sandbox for every case, as many of them at once as the account's share, each verdict told as
// soon as it is there. Nothing of a case is journaled or logged; hidden cases pass through here.
import type { JudgedCase, JudgementLine, JudgementRequest, Verdict } from '../shared/execution.ts'
import { startTimeDefault } from '../shared/execution.ts'
import { jsonEquals } from '../shared/json-equals.ts'
import type { TierName } from '../shared/tiers.ts'
import type { Guests, RunOwner } from './guests.ts'
import { judgeCases } from './judge-cases.ts'
import { JudgementPlaces } from './judgement-places.ts'
import type { Metrics } from './metrics.ts'
import type { Programs } from './programs.ts'
import { acceptOutcome } from './run-outcome.ts'
import type { AcceptedOutcome } from './run-outcome.ts'
import { inputText, requireTier } from './runner.ts'
import { runLimits } from './sandbox-engine.ts'
import type { SandboxEngine } from './sandbox-engine.ts'
import { judgementSeed } from './sign-judgement.ts'
import type { JudgementSigner } from './sign-judgement.ts'
import { sha256Hex } from './sign-receipt.ts'

export type JudgeOptions = {
  programs: Programs
  engine: Pick<SandboxEngine, 'label'>
  guests: Pick<Guests, 'run'>
  tiers: TierName[]
  /** Cases of one judgement that wait or run at once. */
  parallel: number
  judgementsMax: number
  signJudgement: JudgementSigner
  metrics: Pick<Metrics, 'judged'>
}

export type JudgementListener = {
  /** Aborted when the caller has gone. */
  caller: AbortSignal
  /** Called first when the program is loaded, then for each verdict, then for the end. */
  tell: (line: JudgementLine) => void
}

export type Judge = (request: JudgementRequest, listener: JudgementListener) => Promise<void>

export function createJudge({ programs, engine, guests, tiers, parallel, judgementsMax, signJudgement, metrics }: JudgeOptions): Judge {
  const places = new JudgementPlaces(judgementsMax)

  async function judgeCase(
    { id, input, expected }: JudgedCase,
    { handle, tier, owner }: { handle: number; tier: TierName; owner: RunOwner },
  ) {
    const request = { input: inputText(input), seed: judgementSeed, startTimeMs: Date.parse(startTimeDefault), limits: runLimits(tier) }
    let outcome = acceptOutcome(await guests.run(handle, request, owner))
    // Fuel ends a run before the clock does on a healthy host, so a deadline may be our fault: one more chance.
    if (outcome.status === 'deadline') outcome = acceptOutcome(await guests.run(handle, request, owner))
    const { usage, output } = outcome
    const outputSha256 = output === undefined ? null : sha256Hex(output)
    const verdict: Verdict = { caseId: id, status: statusOf(outcome, expected), usage, outputSha256 }
    metrics.judged(verdict.status)
    return verdict
  }

  async function judge(request: JudgementRequest, { caller, tell }: JudgementListener): Promise<void> {
    const { program, accountId, tier, cases, stopAtFirstFailure, beginMsMax } = request
    using loaded = await programs.use(program, accountId)
    tell({ type: 'engine', engine: engine.label })
    const verdicts = new Map<string, Verdict>()
    const notRun = await judgeCases({
      cases,
      parallel,
      stopAtFirstFailure,
      beginMsMax,
      caller,
      judge: (judged, signal) => judgeCase(judged, { handle: loaded.handle, tier, owner: { accountId, runClass: 'case', signal } }),
      tell(verdict) {
        verdicts.set(verdict.caseId, verdict)
        tell({ type: 'verdict', ...verdict })
      },
    })
    tell({ type: 'end', notRun, receipt: signJudgement({ request, engine: engine.label, verdicts }) })
  }

  return async (request, listener) => {
    requireTier(request.tier, tiers)
    await places.hold(request.accountId, () => judge(request, listener))
  }
}

function statusOf({ status, output }: AcceptedOutcome, expected: unknown): Verdict['status'] {
  if (status !== 'completed') return status
  return output !== undefined && jsonEquals(JSON.parse(output), expected ?? null) ? 'accepted' : 'wrong-answer'
}
