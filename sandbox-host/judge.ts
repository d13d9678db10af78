// Judges a program by cases: one load, a fresh sandbox for every case, as many of them at once as the account's share, each verdict told as
// soon as it is there. Outputs are judged by JSON equality, or by the checker of the bounty (check-output.ts). Nothing of a case is journaled
// or logged; hidden cases pass through here.
import type { Program } from '../shared/agent.ts'
import type { JudgedCase, JudgementLine, JudgementRequest, Verdict } from '../shared/execution.ts'
import { startTimeDefault } from '../shared/execution.ts'
import { jsonEquals } from '../shared/json-equals.ts'
import { ProblemError } from '../shared/problem.ts'
import type { TierName } from '../shared/tiers.ts'
import { checkOutput } from './check-output.ts'
import type { Decision } from './check-output.ts'
import type { Guests, RunOwner } from './guests.ts'
import { judgeCases } from './judge-cases.ts'
import { JudgementPlaces } from './judgement-places.ts'
import type { Metrics } from './metrics.ts'
import type { LoadedProgram, Programs } from './programs.ts'
import { acceptOutcome } from './run-outcome.ts'
import type { AcceptedOutcome } from './run-outcome.ts'
import { inputText, requireTier } from './runner.ts'
import { checkerLimits, labelOf, runLimits } from './sandbox-engine.ts'
import type { RunLimits, SandboxEngine } from './sandbox-engine.ts'
import { judgementSeed } from './sign-judgement.ts'
import type { JudgementSigner } from './sign-judgement.ts'
import { sha256Hex } from './sign-receipt.ts'

export type JudgeOptions = {
  programs: Programs
  engine: Pick<SandboxEngine, 'label' | 'compiledLabel'>
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
  /** Called first when the programs are loaded, then for each verdict, then for the end. */
  tell: (line: JudgementLine) => void
}

export type Judge = (request: JudgementRequest, listener: JudgementListener) => Promise<void>

/** The same for every case of a judgement, but for the signal of the owner. */
type CaseConditions = { author: LoadedProgram; checker: LoadedProgram | undefined; tier: TierName; owner: RunOwner }

export function createJudge({ programs, engine, guests, tiers, parallel, judgementsMax, signJudgement, metrics }: JudgeOptions): Judge {
  const places = new JudgementPlaces(judgementsMax)

  /** Waits for a slot and gives it back; author and checker of a case run one after the other, and neither holds one meanwhile. */
  async function run({ handle }: LoadedProgram, { input, limits, owner }: { input: string; limits: RunLimits; owner: RunOwner }) {
    const request = { input, seed: judgementSeed, startTimeMs: Date.parse(startTimeDefault), limits }
    const outcome = acceptOutcome(await guests.run(handle, request, owner))
    // Fuel ends a run before the clock does on a healthy host, so a deadline may be our fault: one more chance.
    if (outcome.status !== 'deadline') return outcome
    return acceptOutcome(await guests.run(handle, request, owner))
  }

  async function judgeCase({ id, input, expected, hidden }: JudgedCase, { author, checker, tier, owner }: CaseConditions) {
    const text = inputText(input)
    const outcome = await run(author, { input: text, limits: runLimits(tier), owner })
    const { usage, output } = outcome
    const decision =
      checker && output !== undefined
        ? await checkOutput((asked) => run(checker, { input: asked, limits: checkerLimits(tier), owner }), {
            input: text,
            expected: JSON.stringify(expected ?? null),
            output,
          })
        : decide(outcome, expected)
    const { status, message, repeats } = decision
    const isTold = message !== undefined && !hidden
    const outputSha256 = output === undefined ? null : sha256Hex(output)
    const verdict: Verdict = { caseId: id, status, usage, outputSha256, ...(isTold ? { message } : {}) }
    metrics.judged(status)
    return { verdict, repeats }
  }

  async function judge(request: JudgementRequest, { caller, tell }: JudgementListener): Promise<void> {
    const { program, accountId, tier, cases, stopAtFirstFailure, beginMsMax } = request
    using author = await programs.use(program, accountId)
    using checker = request.checker && (await useChecker(request.checker, accountId))
    const label = labelOf(engine, program)
    tell({ type: 'engine', engine: label })
    const repeatable = new Map<string, Verdict>()
    const notRun = await judgeCases({
      cases,
      parallel,
      stopAtFirstFailure,
      beginMsMax,
      caller,
      async judge(judged, signal) {
        // Both runs are on the account that submits: whoever posts a bounty is not held up by how many submit to it.
        const { verdict, repeats } = await judgeCase(judged, { author, checker, tier, owner: { accountId, runClass: 'case', signal } })
        if (repeats) repeatable.set(verdict.caseId, verdict)
        return verdict
      },
      tell: (verdict) => tell({ type: 'verdict', ...verdict }),
    })
    tell({ type: 'end', notRun, receipt: signJudgement({ request, engine: label, verdicts: repeatable }) })
  }

  /** @throws ProblemError as `Programs.use` does, without the compiler's message: it quotes a source that is not the caller's */
  async function useChecker(checker: Program, accountId: string): Promise<LoadedProgram> {
    try {
      return await programs.use(checker, accountId)
    } catch (error) {
      if (!(error instanceof ProblemError) || error.code !== 'invalid-program') throw error
      const detail = "the bounty's checker cannot be prepared under this version of the engine; nothing was judged"
      throw new ProblemError('invalid-program', { detail, internal: error.detail, cause: error })
    }
  }

  return async (request, listener) => {
    requireTier(request.tier, tiers)
    await places.hold(request.accountId, () => judge(request, listener))
  }
}

/** Without a checker, or without an output. */
function decide({ status, output }: AcceptedOutcome, expected: unknown): Decision {
  if (status !== 'completed') return { status, repeats: status !== 'deadline' }
  const isRight = output !== undefined && jsonEquals(JSON.parse(output), expected ?? null)
  return { status: isRight ? 'accepted' : 'wrong-answer', repeats: true }
}
