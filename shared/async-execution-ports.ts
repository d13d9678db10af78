// What the Worker asks of the world about asynchronous executions; how ports are to be read says ports.ts.
import type { DueExecution, NewAsyncExecution, TakenExecution } from './async-execution.ts'

/**
 * Executions that nobody waits for, in turns as JudgingStore has them: whoever's turn is over changes nothing. They end with a record
 * (ExecutionStore.record, whoever's turn it is) or by one of the two ends below, once.
 */
export interface AsyncExecutionStore {
  /** As `queued`, in its turn 1. @returns false when there is an execution with that id. @throws ProblemError `too-many-waiting` */
  create(execution: NewAsyncExecution): Promise<boolean>
  /** The same as a failed one was asked for, with its input. @returns false also when that has not failed, or is no more. @throws ProblemError `too-many-waiting` */
  replay(id: string, of: { replayOf: string; createdAt: string; dueAt: string }): Promise<boolean>
  /** Begins the turn behind `turn`, until `dueAt`, as one more attempt. @param taking.host where, when it is known */
  take(id: string, taking: { turn: number; at: string; dueAt: string; host?: string | undefined }): Promise<TakenExecution | undefined>
  /** Goes on until `dueAt`. */
  renew(id: string, renewal: { turn: number; dueAt: string }): Promise<boolean>
  /**
   * Ends the turn. `isWaiting`: it was no attempt, for want of a host; else the attempt, if one was begun, goes into the history with `why`.
   * @returns the turn to be taken by then
   */
  putBack(id: string, back: { turn: number; at: string; dueAt: string; isWaiting: boolean; why: string }): Promise<number | undefined>
  /** Ends it without an outcome, in its turn; `failure` says why, to its account, and `why` how the attempt that is under way ended, if one is. */
  fail(id: string, end: { turn: number; at: string; failure: string; why?: string | undefined }): Promise<boolean>
  /** Ends it without an outcome, whoever's turn it is. @returns false when it has ended */
  cancel(id: string, end: { at: string }): Promise<boolean>
  /** Whose turn is over without a word; the oldest first. */
  findDue(due: { at: string; limit: number }): Promise<DueExecution[]>
}
