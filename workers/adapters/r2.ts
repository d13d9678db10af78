// Programs, bundles and artifacts in R2, through the Worker's binding. A binding signs no URLs: for those there is R2's S3 protocol.
import { AwsClient } from 'aws4fetch'
import { programKey } from '../../shared/agent.ts'
import type { ArtifactStore, ByteRange } from '../../shared/ports.ts'
import { ProblemError } from '../../shared/problem.ts'

/** What is used of an R2 binding. */
export type R2Binding = {
  head: (key: string) => Promise<object | null>
  get: (key: string, options: { range: ByteRange }) => Promise<{ body: ReadableStream<Uint8Array<ArrayBuffer>> } | null>
  put: (key: string, bytes: Uint8Array, options: { sha256: string }) => Promise<object | null>
  list: (options: { prefix: string; startAfter?: string; limit: number }) => Promise<{ objects: R2Listed[]; truncated: boolean }>
  delete: (keys: string[]) => Promise<void>
}
type R2Listed = { key: string; size: number; uploaded: Date }

/** `url` up to and including the bucket. */
export type S3Access = { url: string; accessKeyId: string; secretAccessKey: string }

export function r2ArtifactStore(bucket: R2Binding, s3?: S3Access): ArtifactStore {
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
    async presign(key, { seconds }) {
      if (!s3)
        throw new ProblemError('presigning-unavailable', {
          detail: 'this deployment has no S3 key to sign with; read the artifact through the API',
        })
      if (!(await answered(() => bucket.head(key)))) return undefined
      // `auto` is R2's region.
      const client = new AwsClient({ accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey, service: 's3', region: 'auto' })
      const url = new URL(`${s3.url.replace(/\/+$/, '')}/${key}`)
      url.searchParams.set('X-Amz-Expires', String(seconds))
      return (await client.sign(url, { aws: { signQuery: true } })).url
    },
    async list(prefix, { after, limit }) {
      const page = { prefix, limit, ...(after === '' ? {} : { startAfter: after }) }
      const { objects, truncated } = await answered(() => bucket.list(page))
      return {
        objects: objects.map(({ key, size, uploaded }) => ({ key, bytes: size, storedAt: uploaded.getTime() })),
        hasMore: truncated,
      }
    },
    async remove(keys) {
      await answered(() => bucket.delete(keys))
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
