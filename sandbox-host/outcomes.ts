// Delivers finished executions to the Worker, which owns the truth: in journal order, in batches, signed, until acknowledged. At
// least once: recording one twice changes nothing.
import { z } from 'zod'
import { BackgroundLoop } from './background-loop.ts'
import type { Journal } from './journal.ts'
import type { Log } from './log.ts'
import type { ReceiptKey } from '../shared/receipt.ts'
import type { Metrics } from './metrics.ts'
import { signRequest } from './signature.ts'

/** Bounds of outcomeBatchSchema and of the Worker's body limit, the latter with room for the frame around the records. */
const batchRecordsMax = 500
const batchBytesMax = 8 * 1024 * 1024 - 1024
/** A batch this full goes out at once; a smaller one waits to grow. */
const pauseMs = 200

const answerSchema = z.object({ rejected: z.array(z.object({ id: z.string(), reason: z.string() })).default([]) })

export type OutcomesOptions = {
  journal: Journal
  host: string
  workerUrl: string
  secret: string
  /** Its public half goes with every batch, so that whoever knows an execution can know its key. */
  receiptKey: ReceiptKey
  log: Log
  metrics: Pick<Metrics, 'outcomeBatches'>
}

export function createOutcomes({ journal, host, workerUrl, secret, receiptKey, log, metrics }: OutcomesOptions): BackgroundLoop {
  const url = new URL('/internal/outcomes', workerUrl)
  const { id, publicKey } = receiptKey
  const prefix = Buffer.from(`${JSON.stringify({ host, receiptKey: { id, publicKey } }).slice(0, -1)},"records":[`)
  const comma = Buffer.from(',')
  const suffix = Buffer.from(']}')

  async function deliver(records: Buffer[]): Promise<void> {
    const body = Buffer.concat([prefix, ...records.flatMap((record, i) => (i === 0 ? [record] : [comma, record])), suffix])
    const signature = signRequest({ secret, audience: 'worker', method: 'POST', path: url.pathname, body, now: Date.now() })
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...signature },
      body,
      signal: AbortSignal.timeout(15_000),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`POST ${url.pathname} was answered ${response.status}: ${text.slice(0, 300)}`)
    // The Worker keeps what it cannot take apart from the rest; sending it again would not help.
    const { rejected } = answerSchema.parse(JSON.parse(text))
    if (rejected.length > 0) log.error({ rejected: rejected.slice(0, 10), count: rejected.length }, 'the Worker could not record outcomes')
  }

  const step = async () => {
    const batch = await journal.backlog.nextToDeliver({ count: batchRecordsMax, bytes: batchBytesMax })
    if (!batch) return false
    try {
      await deliver(batch.records)
      metrics.outcomeBatches('acknowledged', batch.count)
    } catch (error) {
      metrics.outcomeBatches('failed', 0)
      throw error
    }
    await journal.backlog.acknowledge(batch)
    // Batches end with their segment: behind a sealed one there may be more.
    return batch.count === batchRecordsMax || batch.segment.sealed
  }
  const loop = new BackgroundLoop('outcomes', { step, log, idleMs: pauseMs })
  journal.onChange(() => {
    if (journal.backlog.recordsNotDelivered() >= batchRecordsMax) loop.wake()
  })
  return loop
}
