// Brings sealed segments of the journal into the bucket, oldest first, one object each, and before each the artifacts of its records that
// are objects of their own. An upload that is repeated writes the same bytes under the same key.
import { bundleKey } from '../shared/execution.ts'
import { BackgroundLoop } from './background-loop.ts'
import type { Bucket } from './bucket.ts'
import type { Journal } from './journal.ts'
import type { Log } from './log.ts'
import { readObject } from './own-objects.ts'
import type { OwnObject } from './own-objects.ts'
import type { Metrics } from './metrics.ts'

export type UploaderOptions = { journal: Journal; bucket: Bucket; log: Log; metrics: Pick<Metrics, 'uploads'> }

export function createUploader({ journal, bucket, log, metrics }: UploaderOptions): BackgroundLoop {
  async function putObject(object: OwnObject): Promise<void> {
    const bytes = await readObject(object)
    // The disk has lost it. That it is gone is no reason to hold up everything behind it.
    if (bytes?.length === object.bytes) await bucket.put(object.key, bytes)
    else log.error({ object: object.key, bytes: bytes?.length }, 'an artifact is not on the disk as it was kept; it cannot be uploaded')
    object.isUploaded = true
  }

  const step = async () => {
    const segment = journal.backlog.nextToUpload()
    if (!segment) return false
    const startedAt = performance.now()
    try {
      for (const object of segment.objects) if (!object.isUploaded) await putObject(object)
      const bytes = await segment.read(0, segment.bytes)
      await bucket.put(bundleKey(segment.bundle), bytes)
      metrics.uploads('stored', bytes.length)
    } catch (error) {
      metrics.uploads('failed', 0)
      throw error
    }
    log.debug({ bundle: segment.bundle, bytes: segment.bytes, ms: Math.round(performance.now() - startedAt) }, 'bundle stored')
    await journal.backlog.markUploaded(segment)
    return true
  }
  const loop = new BackgroundLoop('uploader', { step, log, idleMs: 1_000 })
  journal.onChange(() => {
    if (journal.backlog.nextToUpload()) loop.wake()
  })
  return loop
}
