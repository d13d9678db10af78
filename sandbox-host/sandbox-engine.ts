// The port to whatever runs strangers' code. Two adapters (engines/wasmtime.ts, engines/quickjs-fallback.ts) and a fake implement
// it; above it nobody knows which engine runs.
import type { GuestError, GuestStatus } from '../shared/execution.ts'
import { scriptModeOf } from '../shared/agent.ts'
import type { Program, ProgramKind } from '../shared/agent.ts'
import type { ScriptMode } from '../shared/script-mode.ts'
import { limits, tiers } from '../shared/tiers.ts'
import type { TierName } from '../shared/tiers.ts'
import type { FunctionReport } from './function-report.ts'

/** What one run, or the evaluation of a script at deploy, may use. Sizes in bytes. */
export type RunLimits = {
  memoryBytes: number
  wallMs: number
  fuel: number
  inputBytes: number
  outputBytes: number
  logBytes: number
  artifactBytes: number
  artifactCount: number
}

export type RunRequest = {
  /** JSON text. */
  input: string
  seed: number
  /** Start of the virtual clock, ms since 1970. */
  startTimeMs: number
  limits: RunLimits
}

export type RunOutcome = {
  status: GuestStatus
  /** JSON text, present when completed. Comes from a stranger: parse before trusting that it is JSON. */
  output?: string | undefined
  error?: GuestError | undefined
  stdout: Buffer
  stderr: Buffer
  logsTruncated: boolean
  artifacts: { name: string; bytes: Buffer }[]
  /** null where the engine cannot meter. */
  fuel: number | null
  wallMicros: number
  /** From claim to the first instruction of the guest. */
  startMicros: number
  /** Whether an instance waited for it. */
  wasWarm: boolean
  memoryBytesPeak: number
}

/** A program that is ready to run. `heldBytes` is the memory that it takes until it is dropped, `functions` is of a script that went through the compiler. */
export type PreparedProgram = {
  handle: number
  snapshotBytes: number
  heldBytes: number
  prepareMicros: number
  functions?: FunctionReport | undefined
}
export type PrepareOutcome = ({ ok: true } & PreparedProgram) | { ok: false; reason: 'invalid-program' | 'limit'; message: string }

/** Counters and gauges by name, for /metrics. */
export type EngineStats = Record<string, number>

export interface SandboxEngine {
  /** Engine and version, part of every outcome. */
  readonly label: string
  /** The same with the version of the compiler, of scripts that are compiled. undefined: it compiles none. */
  readonly compiledLabel: string | undefined
  readonly kinds: readonly ProgramKind[]
  /** Names what `stored` belongs to. */
  readonly build: string
  /**
   * Validates, compiles and, for a script, evaluates the module. A bad program is an answer, not an error.
   * @throws ProblemError `sandbox-unavailable` when a script could not be compiled for a reason that is not the script's
   */
  prepare(kind: ProgramKind, code: Buffer, limits: RunLimits, scriptMode?: ScriptMode): Promise<PrepareOutcome>
  /**
   * Loads what `stored` gave in this build, perhaps in another process; it is executed, so it must be authenticated.
   * @returns undefined when this machine cannot load it
   */
  load(kind: ProgramKind, stored: Buffer): Promise<PreparedProgram | undefined>
  /** @returns undefined when the engine has no form that can be kept */
  stored(handle: number): Buffer | undefined
  /**
   * Runs in a fresh instance.
   * @param cancelled once it is aborted the guest is stopped, and the run rejects soon unless it had ended
   * @throws ProblemError `overloaded` when the queue is full
   */
  run(handle: number, request: RunRequest, cancelled?: AbortSignal): Promise<RunOutcome>
  drop(handle: number): void
  stats(): EngineStats
  close(): Promise<void>
}

/** What outcomes and receipts of `program` name: the same label gives the same fuel. */
export function labelOf({ label, compiledLabel = label }: Pick<SandboxEngine, 'label' | 'compiledLabel'>, program: Program): string {
  return scriptModeOf(program) === 'compiled' ? compiledLabel : label
}

/** Limits of a run in `tier`. */
export function runLimits(tier: TierName): RunLimits {
  return limitsByTier[tier]
}

/** Limits of the run of a checker: of its own, and those of the author's run but for what goes in and out. */
export function checkerLimits(tier: TierName): RunLimits {
  return { ...runLimits(tier), inputBytes: limits.checkerInputBytesMax, outputBytes: limits.checkerOutputBytesMax }
}

const limitsByTier: Record<TierName, RunLimits> = {
  basic: limitsOf('basic'),
  standard: limitsOf('standard'),
  premium: limitsOf('premium'),
  enterprise: limitsOf('enterprise'),
}

function limitsOf(tier: TierName): RunLimits {
  return {
    memoryBytes: tiers[tier].memoryBytesMax,
    wallMs: tiers[tier].wallMsMax,
    fuel: tiers[tier].fuelMax,
    inputBytes: limits.inputBytesMax,
    outputBytes: limits.outputBytesMax,
    logBytes: limits.logBytesMax,
    artifactBytes: limits.artifactBytesMax,
    artifactCount: limits.artifactCountMax,
  }
}
