// Finds an execution, and the bytes of its artifacts, wherever they are by now: in Postgres and R2, or, just after the run, still with the
// host. The host lets go of a thing only after it has arrived, so after both have said no the first is asked once more.
import { hasEnded, isRecorded, unrecordedView, type StoredExecution } from '../../shared/async-execution.ts'
import { outcomeOf, type Execution, type ExecutionRecord, type StoredArtifact } from '../../shared/execution.ts'
import type { ByteRange } from '../../shared/ports.ts'
import { ProblemError } from '../../shared/problem.ts'
import type { Services } from '../services.ts'

/** Of an asynchronous one the row alone is the truth: what the host has of it counts when it is recorded. */
export async function findExecution({ executions, sandbox }: Services, id: string): Promise<StoredExecution | undefined> {
  return (await executions.find(id)) ?? (await sandbox.findExecution(id)) ?? (await executions.find(id))
}

/** @throws ProblemError `execution-not-found`, also when it is somebody else's: its existence is not theirs to know */
export async function readExecution(services: Services, { id, accountId }: { id: string; accountId: string }): Promise<StoredExecution> {
  const found = await findExecution(services, id)
  if (found?.accountId !== accountId) throw new ProblemError('execution-not-found', { detail: `your account has no execution ${id}` })
  return found
}

/** As its caller sees it. */
export function viewExecution(execution: StoredExecution): Execution {
  return isRecorded(execution) ? outcomeOf(execution) : unrecordedView(execution)
}

/**
 * What came out of an execution.
 * @param missing what is said of one that was ended without an outcome: there is none, and never will be
 * @throws ProblemError `execution-not-found`, `execution-unfinished`, and `missing`
 */
export async function readRecord(
  services: Services,
  { missing, ...of }: { id: string; accountId: string; missing: 'artifact-not-found' | 'receipt-not-found' },
): Promise<ExecutionRecord> {
  const execution = await readExecution(services, of)
  if (isRecorded(execution)) return execution
  const { id, status } = execution
  if (hasEnded(status)) throw new ProblemError(missing, { detail: `execution ${id} was ended ${status}, without an outcome` })
  throw new ProblemError('execution-unfinished', {
    detail: `execution ${id} is ${status}; there is nothing of it before it has ended`,
    retryAfterSeconds: 1,
  })
}

/** @throws ProblemError `artifact-not-found` */
export function findArtifact({ id, artifacts }: ExecutionRecord, name: string): StoredArtifact {
  const artifact = artifacts.find((candidate) => candidate.name === name)
  if (artifact) return artifact
  const names = artifacts.map((candidate) => candidate.name).join(', ')
  const detail = `execution ${id} made no artifact ${JSON.stringify(name.slice(0, 200))}; ${names ? `it made ${names}` : 'it made none'}`
  throw new ProblemError('artifact-not-found', { detail: detail.slice(0, 1_000) })
}

/** @param range within the artifact, of at least one byte */
export async function readArtifact(
  { artifacts, sandbox }: Services,
  { bundle, offset }: StoredArtifact,
  range: ByteRange,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const place = { offset: offset + range.offset, length: range.length }
  const stored = await artifacts.readBundle(bundle, place)
  if (stored) return stored
  const bytes = (await sandbox.readBundle(bundle, place)) ?? (await artifacts.readBundle(bundle, place))
  if (bytes) return bytes
  throw new ProblemError('artifacts-unavailable', {
    detail: 'the bytes of the artifact are on their way; the request may be repeated',
    retryAfterSeconds: 1,
    internal: `bundle ${bundle} is neither in the bucket nor at the host`,
  })
}
