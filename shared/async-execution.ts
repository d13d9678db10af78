// An execution that nobody waits for: what whoever runs it takes, and what is known of it while the host has no record of it.
import { z } from 'zod'
import { programSchema, scriptModeOf } from './agent.ts'
import { executionStatusSchema, hostExecutionSchema } from './execution.ts'
import type { Execution, ExecutionRecord, ExecutionStatus, HostExecution } from './execution.ts'

/** What the run is given, but for its input. */
export const runRequestSchema = hostExecutionSchema.pick({ tier: true, seed: true, startTime: true }).extend({ program: programSchema })

/** `input` is JSON text. `dueAt`: when it is looked after, should nobody have taken the first turn. */
export type NewAsyncExecution = Omit<HostExecution, 'input'> & { input: string; createdAt: string; dueAt: string }

/** What running takes. `turn` is the taker's; `attempts` counts this one. `waitingSince`: from then on nothing was begun before it. */
export type TakenExecution = Omit<HostExecution, 'input'> & {
  input: string
  turn: number
  attempts: number
  waits: number
  waitingSince: string
}
export type DueExecution = Pick<TakenExecution, 'id' | 'turn' | 'attempts' | 'waitingSince'>

/** A run that was begun, and how it ended: in a status, or with why nothing was heard of it. `host` where it is known. */
export const executionAttemptSchema = z.object({
  beganAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  host: z.string().nullable(),
  end: z.string(),
})
export type ExecutionAttempt = z.infer<typeof executionAttemptSchema>

/** Those of executions that the host has no record of. */
export const unrecordedStatusSchema = executionStatusSchema.extract(['queued', 'running', 'cancelled', 'failed'])

/** One that has not ended, or ended without a record. `attempts` are those that have ended. */
export type UnrecordedExecution = Omit<HostExecution, 'input'> & {
  status: z.infer<typeof unrecordedStatusSchema>
  failure: string | null
  createdAt: string
  finishedAt: string | null
  attempts: ExecutionAttempt[]
}

/** `replayOf`: the failed one whose dead letter it replays. */
export type StoredExecution = (ExecutionRecord | UnrecordedExecution) & { replayOf?: string }

export function isRecorded(execution: StoredExecution): execution is ExecutionRecord & { replayOf?: string } {
  return 'usage' in execution
}

export function hasEnded(status: ExecutionStatus): boolean {
  return status !== 'queued' && status !== 'running'
}

/** As its caller sees it. */
export function unrecordedView({
  id,
  agentId,
  version,
  tier,
  seed,
  startTime,
  status,
  failure,
  finishedAt,
  program,
  replayOf,
}: UnrecordedExecution & { replayOf?: string }): Execution {
  return {
    id,
    agentId,
    version,
    tier,
    seed,
    startTime,
    status,
    ...(failure === null ? {} : { error: { message: failure } }),
    logs: { stdout: '', stderr: '', truncated: false },
    artifacts: [],
    usage: { fuel: null, wallMicros: 0, memoryBytesPeak: 0, costMicroUsd: null },
    engine: null,
    scriptMode: scriptModeOf(program),
    finishedAt,
    receipt: null,
    ...(replayOf === undefined ? {} : { replayOf }),
  }
}
