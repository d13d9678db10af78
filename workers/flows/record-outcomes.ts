// Takes over finished executions from a host. A batch is at-least-once and is acknowledged as a whole, so a record that can never be
// recorded must not come back for ever: it is kept aside with the reason, and named in the answer.
import { z } from 'zod'
import { executionRecordSchema, type ExecutionRecord } from '../../shared/execution.ts'
import type { RejectedOutcome } from '../../shared/ports.ts'
import { receiptKeySchema } from '../../shared/receipt.ts'
import { sha256Hex } from '../hex.ts'
import type { Services } from '../services.ts'
import { announceOutcomes } from './announce.ts'
import { registerReceiptKey } from './receipt-keys.ts'

/** The frame of outcomeBatchSchema; records are looked at one by one. */
export const outcomeFrameSchema = z.strictObject({
  host: z.string().min(1).max(63),
  receiptKey: receiptKeySchema.optional(),
  records: z.array(z.unknown()).min(1).max(500),
})

export type RecordedBatch = { acknowledged: number; rejected: { id: string; reason: string }[] }

export async function recordOutcomes(
  services: Services,
  { host, receiptKey, records }: z.infer<typeof outcomeFrameSchema>,
): Promise<RecordedBatch> {
  const { executions, log } = services
  // Before the records: a receipt that can be read has a key that can be read.
  if (receiptKey) await registerReceiptKey(services, { host, key: receiptKey })
  const good: ExecutionRecord[] = []
  const rejected: RejectedOutcome[] = []
  for (const record of records) {
    const parsed = executionRecordSchema.safeParse(record)
    if (parsed.success) good.push(parsed.data)
    else rejected.push(await rejectedOf(record, z.prettifyError(parsed.error).slice(0, 500)))
  }
  if (good.length > 0) {
    const unknown = new Set(await executions.record(good))
    announceOutcomes(
      services,
      good.filter(({ id }) => !unknown.has(id)),
    )
    for (const record of good)
      if (unknown.has(record.id)) rejected.push(await rejectedOf(record, 'the account or the agent version is not known'))
  }
  if (rejected.length > 0) {
    await executions.keepRejected(host, rejected)
    log.error('outcomes rejected', { host, count: rejected.length, first: rejected[0]?.id, reason: rejected[0]?.reason })
  }
  services.counters.add('outcomes_recorded_total', {}, records.length - rejected.length)
  return { acknowledged: records.length, rejected: rejected.map(({ id, reason }) => ({ id, reason })) }
}

const identifiedSchema = z.object({ id: z.string().regex(/^[\w-]{1,64}$/) })

async function rejectedOf(record: unknown, reason: string): Promise<RejectedOutcome> {
  const identified = identifiedSchema.safeParse(record)
  const text = JSON.stringify(record)
  // Different nonsense must not take one another's place, and the same one again must not fill the table.
  const id = identified.success ? identified.data.id : `unidentified-${(await sha256Hex(text)).slice(0, 16)}`
  return { id, reason, record: text }
}
