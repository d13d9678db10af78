// The signed parts of submissions' receipts, and what opens their commitments, in Postgres.
import { z } from 'zod'
import { judgementReceiptSchema } from '../../shared/judgement-receipt.ts'
import type { JudgementReceiptStore } from '../../shared/ports.ts'
import type { Database } from './neon.ts'
import { bigintSchema } from './neon-rows.ts'

const receiptRowSchema = z.object({ receipt: judgementReceiptSchema }).transform(({ receipt }) => receipt)

const statedRowSchema = z
  .object({
    id: z.string(),
    input: z.string(),
    expected: z.string(),
    salt: z.string(),
    status: z.string(),
    fuel: bigintSchema.nullable(),
    output_sha256: z.string().nullable(),
  })
  .transform(({ output_sha256, ...row }) => ({ ...row, outputSha256: output_sha256 }))

export function neonJudgementReceiptStore(database: Database): JudgementReceiptStore {
  return {
    list: (submissionId) =>
      database.query(receiptRowSchema, {
        text: `select r.receipt from judgement_receipts r join cases c on c.id = r.first_case_id
          where r.submission_id = $1 order by c.position, r.first_revision, r.engine`,
        parameters: [submissionId],
      }),

    statedCases: (submissionId, { withHidden }) =>
      database.query(statedRowSchema, {
        text: `select c.id, i.input::text as input, i.expected::text as expected, i.salt, v.status, v.fuel, v.output_sha256
          from verdicts v join cases c on c.id = v.case_id
          join lateral (
            select c.input, c.expected, c.salt where v.revision = c.revision
            union all
            select r.input, r.expected, r.salt from case_revisions r where r.case_id = c.id and r.revision = v.revision
          ) i on true
          where v.submission_id = $1 and (not c.hidden or $2) order by c.position, v.revision, v.engine`,
        parameters: [submissionId, withHidden],
      }),
  }
}
