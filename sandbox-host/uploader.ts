// Brings sealed segments of the journal into the bucket, oldest first, one object each. An upload that is repeated writes the same
// bytes under the same key.
import { bundleKey } from '../shared/execution.ts'
import { BackgroundLoop } from './background-loop.ts'
import type { Bucket } from './bucket.ts'
import type { Journal } from './journal.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'

export type UploaderOptions = { journal: Journal; bucket: Bucket; log: Log; metrics: Pick<Metrics, 'uploads'> }

export function createUploader({ journal, bucket, log, metrics }: UploaderOptions): BackgroundLoop {
  const step = async () => {
    const segment = journal.backlog.nextToUpload()
    if (!segment) return false
    const startedAt = performance.now()
    try {
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
