// The host's own R2 bucket, over the S3 protocol: programs come out of it, bundles go into it. One attempt per call; whoever calls
// knows whether and when to repeat.
import { createHash } from 'node:crypto'
import { AwsClient } from 'aws4fetch'
import { ProblemError } from '../shared/problem.ts'

export type BucketOptions = {
  /** URL up to and including the bucket. */
  url: string
  accessKeyId: string
  secretAccessKey: string
  timeoutMs?: number
}

export interface Bucket {
  /** @returns undefined when there is no such object; @throws ProblemError `artifacts-unavailable` */
  get(key: string, bytesMax: number): Promise<Buffer | undefined>
  /** @throws ProblemError `artifacts-unavailable` */
  put(key: string, bytes: Buffer): Promise<void>
  /** Whether the bucket answers and takes our key. @throws ProblemError `artifacts-unavailable` */
  probe(): Promise<void>
}

export function createBucket({ url, accessKeyId, secretAccessKey, timeoutMs = 15_000 }: BucketOptions): Bucket {
  // `auto` is R2's region. Its own retries would hide failures for a minute.
  const client = new AwsClient({ accessKeyId, secretAccessKey, service: 's3', region: 'auto', retries: 0 })

  async function request(
    method: string,
    key: string,
    { body, waitMs = timeoutMs }: { body?: Buffer; waitMs?: number } = {},
  ): Promise<Response> {
    const sha256 = createHash('sha256')
      .update(body ?? '')
      .digest('hex')
    const headers: Record<string, string> = { 'x-amz-content-sha256': sha256 }
    if (body) {
      headers['content-type'] = 'application/octet-stream'
      // Whoever is given a presigned URL saves a stranger's bytes, and never opens them.
      headers['content-disposition'] = 'attachment'
    }
    try {
      // BodyInit names ArrayBuffer views and Buffer is one; the cast only drops the type parameter that allows shared memory.
      const init = { method, headers, signal: AbortSignal.timeout(waitMs), ...(body ? { body: body as Uint8Array<ArrayBuffer> } : {}) }
      return await client.fetch(`${url}/${key}`, init)
    } catch (cause) {
      throw unavailable(`${method} ${key} got no answer within ${waitMs} ms`, cause)
    }
  }

  return {
    async get(key, bytesMax) {
      const response = await request('GET', key)
      if (response.status === 404) {
        await response.body?.cancel()
        return undefined
      }
      if (!response.ok) throw await refused('GET', key, response)
      return await readAtMost(response, bytesMax)
    },
    async put(key, body) {
      const response = await request('PUT', key, { body })
      if (!response.ok) throw await refused('PUT', key, response)
      await response.body?.cancel()
    },
    async probe() {
      const response = await request('HEAD', 'probe', { waitMs: 1_500 })
      if (!response.ok && response.status !== 404) throw await refused('HEAD', 'probe', response)
    },
  }
}

async function refused(method: string, key: string, response: Response): Promise<ProblemError> {
  const text = (await response.text().catch(() => '')).slice(0, 200)
  return unavailable(`${method} ${key} was answered ${response.status}`, new Error(text))
}

function unavailable(internal: string, cause: unknown): ProblemError {
  return new ProblemError('artifacts-unavailable', { detail: 'the bucket does not answer as it should', internal, cause })
}

async function readAtMost(response: Response, bytesMax: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > bytesMax) throw unavailable(`object is larger than ${bytesMax} bytes`, undefined)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
