// Programs and bundles in R2, through the Worker's binding.
import { programKey } from '../../shared/agent.ts'
import type { ArtifactStore, ByteRange } from '../../shared/ports.ts'
import { ProblemError } from '../../shared/problem.ts'

/** What is used of an R2 binding. */
export type R2Binding = {
  head: (key: string) => Promise<object | null>
  get: (key: string, options: { range: ByteRange }) => Promise<{ body: ReadableStream<Uint8Array<ArrayBuffer>> } | null>
  put: (key: string, bytes: Uint8Array, options: { sha256: string }) => Promise<object | null>
}

export function r2ArtifactStore(bucket: R2Binding): ArtifactStore {
  return {
    async putProgram(sha256, bytes) {
      const key = programKey(sha256)
      // A look costs a twelfth of a write, and most deploys of the same bytes are repetitions.
      if (await answered(() => bucket.head(key))) return
      await answered(() => bucket.put(key, bytes, { sha256 }))
    },
    async read(key, { offset, length }) {
      const object = await answered(() => bucket.get(key, { range: { offset, length } }))
      return object?.body
    },
    async ping() {
      await answered(() => bucket.head('ready'))
    },
  }
}

async function answered<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw new ProblemError('artifacts-unavailable', {
      detail: 'the artifact store did not answer; the request may be repeated',
      retryAfterSeconds: 1,
      internal: cause instanceof Error ? cause.message : String(cause),
      cause,
    })
  }
}
