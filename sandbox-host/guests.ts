// Runs guests, each after its admission: the only way to the engine's threads.
import type { Program } from '../shared/agent.ts'
import type { Admission, AdmissionRequest, RunClass } from './admission.ts'
import type { Metrics } from './metrics.ts'
import { runLimits } from './sandbox-engine.ts'
import type { PrepareOutcome, RunOutcome, RunRequest, SandboxEngine } from './sandbox-engine.ts'

/** On whose account a run goes, and who waits for it. `cancelled` stops it also when it has begun, of which `onBegun` is told. */
export type RunOwner = {
  accountId: string
  runClass: Exclude<RunClass, 'preparation'>
  signal?: AbortSignal | undefined
  cancelled?: AbortSignal | undefined
  onBegun?: (() => void) | undefined
}

export type Guests = {
  /** @throws ProblemError `overloaded` */
  run: (handle: number, request: RunRequest, owner: RunOwner) => Promise<RunOutcome>
  /** Evaluates a script, which is a run, too. @throws ProblemError `overloaded` */
  prepare: (program: Omit<Program, 'sha256'>, code: Buffer, accountId: string) => Promise<PrepareOutcome>
}

export type GuestsOptions = {
  admission: Pick<Admission, 'admit'>
  engine: Pick<SandboxEngine, 'run' | 'prepare'>
  /** An execution and a preparation wait no longer than this. */
  waitMsMax: number
  metrics: Pick<Metrics, 'started'>
}

/** Cases wait as long as the Worker does for their judgement; they are few at a time. */
const caseWaitMsMax = 300_000

export function createGuests({ admission, engine, waitMsMax, metrics }: GuestsOptions): Guests {
  async function inTurn<T>(request: AdmissionRequest, work: () => Promise<T>): Promise<T> {
    const slot = await admission.admit(request)
    try {
      return await work()
    } finally {
      slot.release()
    }
  }

  return {
    run(handle, request, { cancelled, onBegun, ...owner }) {
      const { memoryBytes } = request.limits
      const patienceMs = owner.runClass === 'case' ? caseWaitMsMax : waitMsMax
      const admitted = { ...owner, memoryBytes, heldBytes: request.input.length, waitMsMax: patienceMs }
      return inTurn(admitted, async () => {
        onBegun?.()
        const outcome = await engine.run(handle, request, cancelled)
        metrics.started(outcome.wasWarm ? 'pooled' : 'loaded', outcome.startMicros / 1e6)
        return outcome
      })
    },

    prepare({ kind, scriptMode }, code, accountId) {
      const limits = runLimits('basic')
      // The bytes that it holds are bounded by the number of loads (programs.ts).
      const admitted = { accountId, runClass: 'preparation' as const, memoryBytes: limits.memoryBytes, heldBytes: 0, waitMsMax }
      return inTurn(admitted, () => engine.prepare(kind, code, limits, scriptMode))
    },
  }
}
