// Finds an execution, and the bytes of its artifacts, wherever they are by now: in Postgres and R2, or, just after the run, still with the
// host. The host lets go of a thing only after it has arrived, so after both have said no the first is asked once more.
import { hasEnded, isRecorded, unrecordedView, type StoredExecution } from '../../shared/async-execution.ts'
import {
  bundledArtifactBytesMax,
  outcomeOf,
  placeOf,
  type Execution,
  type ExecutionRecord,
  type StoredArtifact,
} from '../../shared/execution.ts'
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

/** @throws ProblemError `artifact-not-found`, `artifact-expired` */
export function findArtifact({ kept, now }: Services, { id, artifacts, finishedAt }: ExecutionRecord, name: string): StoredArtifact {
  const artifact = artifacts.find((candidate) => candidate.name === name)
  if (artifact) {
    const expiredAt = Date.parse(finishedAt) + kept.artifactsMs
    if (now() < expiredAt) return artifact
    throw new ProblemError('artifact-expired', {
      detail: `artifacts of execution ${id} were kept until ${new Date(expiredAt).toISOString()}`,
    })
  }
  const names = artifacts.map((candidate) => candidate.name).join(', ')
  const detail = `execution ${id} made no artifact ${JSON.stringify(name.slice(0, 200))}; ${names ? `it made ${names}` : 'it made none'}`
  throw new ProblemError('artifact-not-found', { detail: detail.slice(0, 1_000) })
}

/** Seconds that a presigned URL is good for. */
export const presignedSeconds = 300

/**
 * A URL of an artifact that is an object of its own. None of a bundle: it would open what lies beside it.
 * @throws ProblemError `not-presignable`, `presigning-unavailable`, `artifacts-unavailable`
 */
export async function presignArtifact({ artifacts, now }: Services, artifact: StoredArtifact): Promise<{ url: string; expiresAt: string }> {
  if (!('object' in artifact)) {
    throw new ProblemError('not-presignable', {
      detail: `the artifact has ${artifact.bytes} bytes; only one with more than ${bundledArtifactBytesMax} has a URL of its own, others are read through the API`,
    })
  }
  // Of the moment before: it is good for a little longer than it says.
  const expiresAt = new Date(now() + presignedSeconds * 1_000).toISOString()
  const url = await artifacts.presign(artifact.object, { seconds: presignedSeconds })
  if (url !== undefined) return { url, expiresAt }
  throw new ProblemError('artifacts-unavailable', {
    detail: 'the artifact is on its way into the store; the request may be repeated',
    retryAfterSeconds: 1,
  })
}

/** @param range within the artifact, of at least one byte */
export async function readArtifact(
  { artifacts, sandbox }: Services,
  artifact: StoredArtifact,
  range: ByteRange,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const { key, offset } = placeOf(artifact)
  const place = { offset: offset + range.offset, length: range.length }
  const stored = await artifacts.read(key, place)
  if (stored) return stored
  const bytes = (await sandbox.readObject(key, place)) ?? (await artifacts.read(key, place))
  if (bytes) return bytes
  throw new ProblemError('artifacts-unavailable', {
    detail: 'the bytes of the artifact are on their way; the request may be repeated',
    retryAfterSeconds: 1,
    internal: `${key} is neither in the bucket nor at the host`,
  })
}
