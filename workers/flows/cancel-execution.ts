// Cancels an execution: at once and for good, whatever the host does. One that waits is never begun; of one that runs the host stops the guest,
// and what it still makes of it counts for nothing. What has ended otherwise stays as it ended.
import { hasEnded, isRecorded, type UnrecordedExecution } from '../../shared/async-execution.ts'
import { ProblemError } from '../../shared/problem.ts'
import { errorText } from '../log.ts'
import type { Services } from '../services.ts'
import { readExecution } from './read-execution.ts'
import { instant } from './turns.ts'

export type CancelExecution = { id: string; accountId: string }
/** `isNew`: it was not cancelled before. */
export type Cancelled = { execution: UnrecordedExecution; isNew: boolean }

/** @throws ProblemError `execution-not-found`, `execution-finished` */
export async function cancelExecution(services: Services, of: CancelExecution): Promise<Cancelled> {
  const { asyncExecutions, now, log } = services
  const found = await readExecution(services, of)
  const isNew = !hasEnded(found.status) && (await asyncExecutions.cancel(of.id, { at: instant(now()) }))
  const execution = isNew || !hasEnded(found.status) ? await readExecution(services, of) : found
  if (isRecorded(execution) || execution.status !== 'cancelled') {
    throw new ProblemError('execution-finished', {
      detail: `execution ${of.id} has ended ${execution.status}; only what has not ended can be cancelled`,
    })
  }
  if (isNew) log.info('execution cancelled', { executionId: of.id })
  return { execution, isNew }
}

/** The row is cancelled already; a host that is not told finishes a run for nothing. */
export async function tellHostOfCancellation({ sandbox, log }: Pick<Services, 'sandbox' | 'log'>, id: string): Promise<void> {
  await sandbox.cancel(id).catch((error: unknown) => log.error('host not told to stop', { executionId: id, error: errorText(error) }))
}
