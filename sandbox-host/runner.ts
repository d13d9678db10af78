// The life of one execution on this host: find the program, run it in a fresh sandbox when its turn has come, keep what came out, answer.
// Whatever the program does is an answer; only our own parts throw. Next to read: admission.ts (whose turn it is), sandbox-engine.ts (the
// port to the sandbox), journal.ts (why an answer is durable), judge.ts (the same for the cases of a bounty).
import { executionCostMicroUsd } from '../shared/execution-cost.ts'
import type { Artifact, ExecutionRecord, HostExecution } from '../shared/execution.ts'
import { ProblemError } from '../shared/problem.ts'
import { limits } from '../shared/tiers.ts'
import type { TierName } from '../shared/tiers.ts'
import { CancelledRuns } from './cancelled-runs.ts'
import type { Canary } from './canary.ts'
import type { Guests } from './guests.ts'
import type { ArtifactPlace, FullReason, Journal } from './journal.ts'
import type { Metrics } from './metrics.ts'
import type { Programs } from './programs.ts'
import { acceptOutcome, emptyOutcome, outcomeBytes, textBytes } from './run-outcome.ts'
import type { AcceptedOutcome } from './run-outcome.ts'
import { labelOf, runLimits } from './sandbox-engine.ts'
import type { SandboxEngine } from './sandbox-engine.ts'
import { SharedAnswer } from './shared-answer.ts'
import { namedArtifacts, statedRun } from './sign-receipt.ts'
import type { ReceiptSigner } from './sign-receipt.ts'

export type RunnerOptions = {
  programs: Programs
  engine: Pick<SandboxEngine, 'label' | 'compiledLabel'>
  /** Told of what ended. */
  canary?: Canary | undefined
  guests: Pick<Guests, 'run'>
  journal: Journal
  tiers: TierName[]
  metrics: Pick<Metrics, 'executed'>
  signReceipt: ReceiptSigner
  now?: () => number
}

type WithoutInput = Omit<HostExecution, 'input'>

export type Runner = {
  /**
   * @param caller aborted when the caller has gone; what has not begun by then is given up, unless somebody else waits for it
   * @param onBegun called when the guest begins, unless the record is there already. Only a run with it can be cancelled: it is made for who
   * comes again
   * @returns the execution's record as JSON, which by then is on disk. @throws ProblemError `execution-cancelled`
   */
  run: (execution: HostExecution, caller?: AbortSignal, onBegun?: () => void) => Promise<Buffer>
  /** Stops the run with that id, whoever waits for it, and begins none with it for some minutes. */
  cancel: (id: string) => void
}

type UnderWay = { answer: SharedAnswer<Buffer>; cancellation: AbortController | undefined; begun: Promise<void> }
/** `signal`: nobody waits any more. `cancelled`: nobody wants it any more, begun or not. */
type RunConditions = { signal: AbortSignal; cancelled: AbortSignal | undefined; onBegun: () => void }

export function createRunner({
  programs,
  engine,
  guests,
  journal,
  tiers,
  metrics,
  signReceipt,
  canary,
  now = Date.now,
}: RunnerOptions): Runner {
  const underWay = new Map<string, UnderWay>()
  const cancelledRuns = new CancelledRuns(now)

  async function runAndKeep({ input, ...execution }: HostExecution, conditions: RunConditions): Promise<Buffer> {
    // The parsed input is let go of here: while a run waits for its turn only its text is held.
    const text = inputText(input)
    const outcome = await runInSandbox(execution, { input: text, ...conditions })
    metrics.executed(outcome.status, outcome.usage.wallMicros / 1e6)
    const finishedAt = new Date(now()).toISOString()
    const artifacts = namedArtifacts(outcome)
    const label = labelOf(engine, execution.program)
    const stated = statedRun({ ...execution, input: text, args: [], engine: label }, { ...outcome, artifacts })
    const receipt = stated ? signReceipt({ id: execution.id, finishedAt, run: stated }) : null
    const costMicroUsd = executionCostMicroUsd({
      ...outcome.usage,
      textBytes: textBytes(outcome),
      artifactBytes: artifacts.reduce((sum, { bytes }) => sum + bytes, 0),
    })
    const parts = { finishedAt, artifacts, receipt, engine: label, usage: { ...outcome.usage, costMicroUsd } }
    canary?.offer({ execution, input: text, outcome })
    return journal.append({
      id: execution.id,
      artifacts: outcome.artifacts.map(({ bytes }) => bytes),
      bytes: outcomeBytes(outcome),
      record: (places) => JSON.stringify(recordOf(execution, outcome, { ...parts, places })),
    })
  }

  async function runInSandbox(
    { program, accountId, tier, seed, startTime }: WithoutInput,
    { input, signal, cancelled, onBegun }: RunConditions & { input: string },
  ): Promise<AcceptedOutcome> {
    try {
      using loaded = await programs.use(program, accountId)
      const request = { input, seed, startTimeMs: Date.parse(startTime), limits: runLimits(tier) }
      const until = cancelled ? AbortSignal.any([signal, cancelled]) : signal
      const owner = { accountId, runClass: 'execution', signal: until, cancelled, onBegun } as const
      return acceptOutcome(await guests.run(loaded.handle, request, owner), loaded.mapStack)
    } catch (error) {
      if (cancelled?.aborted) throw wasCancelled(error)
      // It could be prepared when it was deployed and cannot now, e.g. under a newer engine: the execution still ends.
      if (error instanceof ProblemError && error.code === 'invalid-program') return emptyOutcome('invalid-program', error.detail)
      throw error
    }
  }

  /** @returns what the same id was answered with before, or is about to be */
  async function known(id: string, caller: AbortSignal | undefined, onBegun: (() => void) | undefined): Promise<Buffer | undefined> {
    const first = underWay.get(id)
    if (first && !first.answer.isAbandoned) {
      if (onBegun) void first.begun.then(onBegun)
      return first.answer.join(caller)
    }
    // What its callers gave up may have begun before they went: then it has a record all the same.
    await first?.answer.ended()
    return journal.backlog.has(id) ? journal.backlog.find(id) : undefined
  }

  return {
    // The same id is one execution: a request that the caller repeats, because it lost the answer, gets the first one's. Between the
    // last look and `underWay.set` nothing is awaited, or two requests could pass.
    async run(execution, caller, onBegun) {
      const { id, tier } = execution
      do {
        const record = await known(id, caller, onBegun)
        if (record) return record
      } while (underWay.has(id))
      if (cancelledRuns.has(id)) throw wasCancelled()
      requireTier(tier, tiers)
      const full = journal.fullReason
      if (full) throw journalFull(full)
      const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
      const cancellation = onBegun && new AbortController()
      const answer = new SharedAnswer((signal) =>
        runAndKeep(execution, { signal, cancelled: cancellation?.signal, onBegun: begin }).finally(() => underWay.delete(id)),
      )
      underWay.set(id, { answer, cancellation, begun })
      if (onBegun) void begun.then(onBegun)
      return answer.join(caller)
    },

    cancel(id) {
      cancelledRuns.add(id)
      underWay.get(id)?.cancellation?.abort()
    },
  }
}

/** @throws ProblemError `tier-unavailable` naming what this host offers */
export function requireTier(tier: TierName, offered: TierName[]): void {
  if (offered.includes(tier)) return
  throw new ProblemError('tier-unavailable', { detail: `tier ${tier} does not fit this host's memory; it offers ${offered.join(', ')}` })
}

/** @throws ProblemError `body-too-large` */
export function inputText(input: unknown): string {
  // An absent input is null to the program.
  const text = JSON.stringify(input ?? null)
  const bytes = text.length * 3 <= limits.inputBytesMax ? 0 : Buffer.byteLength(text)
  if (bytes > limits.inputBytesMax) {
    throw new ProblemError('body-too-large', { detail: `input is ${bytes} bytes of JSON; at most ${limits.inputBytesMax} are allowed` })
  }
  return text
}

function recordOf(
  execution: WithoutInput,
  outcome: AcceptedOutcome,
  {
    places,
    artifacts,
    ...parts
  }: Pick<ExecutionRecord, 'finishedAt' | 'engine' | 'receipt' | 'usage'> & {
    places: ArtifactPlace[]
    artifacts: Artifact[]
  },
): ExecutionRecord {
  const { id, agentId, version, tier, seed, startTime, accountId, program } = execution
  const { status, output, error, logs } = outcome
  const placed = artifacts.map((artifact, i) => ({ ...artifact, ...placeOf(places, i) }))
  const run = { id, agentId, version, tier, seed, startTime, accountId, program }
  return { ...run, status, output, error, logs, artifacts: placed, ...parts }
}

function placeOf(places: ArtifactPlace[], i: number): ArtifactPlace {
  const place = places[i]
  if (!place) throw new Error(`the journal gave no place for artifact ${i}`)
  return place
}

function wasCancelled(cause?: unknown): ProblemError {
  return new ProblemError('execution-cancelled', { detail: 'the execution was cancelled; nothing of it is kept', cause })
}

const fullDetails: Record<FullReason, string> = {
  failed: 'the host cannot keep what an execution makes, and stops',
  disk: "the host's disk is full; nothing new is accepted until there is room",
  budget: 'the host holds as many finished executions as it can keep; nothing new is accepted until they are handed over',
  'slow-disk': "the host's disk does not keep up; nothing new is accepted until it does",
}

function journalFull(reason: FullReason): ProblemError {
  return new ProblemError('overloaded', { detail: fullDetails[reason], retryAfterSeconds: 5 })
}
