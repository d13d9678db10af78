// Runs executions that this host takes from the event log: claims the turn at the Worker, which answers with what to run, runs it here, and is done
// when the journal has the outcome, which goes to the Worker with all others (outcomes.ts). A run that gives no outcome is put back with the reason.
// Whatever dies in between, the Worker's sweep gives the next turn when this one is not renewed any more.
import { claimRenewMs, executionClaimedSchema, executionRenewedSchema } from '../shared/execution-claim.ts'
import type { ExecutionPutBack } from '../shared/execution-claim.ts'
import type { ExecutionMessage } from '../shared/event-log.ts'
import { ProblemError } from '../shared/problem.ts'
import type { Log } from './log.ts'
import type { Runner } from './runner.ts'
import type { WorkerClient } from './worker-client.ts'

const callMsMax = 15_000

export type ClaimedRunsOptions = {
  worker: WorkerClient
  /** Name of this host. */
  host: string
  runner: Runner
  log: Log
  /** Told when an outcome is on disk: nobody's answer has it, so it should not wait for company on its way to the Worker. */
  onDone: () => void
}

/** Resolves when the message is done with: its outcome is on disk, its turn is put back, or was over. */
export type ClaimedRuns = (message: Omit<ExecutionMessage, 'topic'>) => Promise<void>

export function createClaimedRuns({ worker, host, runner, log, onDone }: ClaimedRunsOptions): ClaimedRuns {
  return async ({ executionId, turn }) => {
    const call = (name: string, body: object) =>
      worker(`/internal/executions/${name}`, { host, executionId, ...body }, { timeoutMs: callMsMax })
    const { claimed } = executionClaimedSchema.parse(await call('claim', { turn }))
    if (!claimed) return
    const { turn: own, counts, execution } = claimed
    const lost = new AbortController()
    const renew = async () => {
      const { isHeld, isCancelled } = executionRenewedSchema.parse(await call('renew', { turn: own }))
      if (isCancelled) runner.cancel(executionId)
      // What has begun goes on: its outcome ends the execution, whoever's turn it is.
      if (!isHeld) lost.abort()
    }
    // One that fails is tried again; while none arrives the turn passes to somebody else.
    const renewing = setInterval(() => void renew().catch(() => {}), claimRenewMs)
    try {
      // As one that can be cancelled.
      await runner.run(execution, lost.signal, () => {})
      onDone()
    } catch (error) {
      if (lost.signal.aborted) return
      log.warn({ err: error, executionId }, 'a run gave no outcome')
      await call('put-back', { turn: own, counts, ...problemOf(error) })
    } finally {
      clearInterval(renewing)
    }
  }
}

function problemOf(error: unknown): Pick<ExecutionPutBack, 'code' | 'detail'> {
  if (error instanceof ProblemError) return { code: error.code, detail: error.detail.slice(0, 20_000) }
  return { code: 'internal', detail: 'the run failed on the host; its log says why' }
}
