// The signed parts of submissions' receipts, and what opens their commitments, in Postgres.
import { z } from 'zod'
import { judgementReceiptSchema } from '../../shared/judgement-receipt.ts'
import type { JudgementReceiptStore } from '../../shared/ports.ts'
import type { Database } from './neon.ts'
import { bigintSchema, ignoredRowSchema } from './neon-rows.ts'

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
    async record(receipt) {
      const { submissionId, entries } = receipt.statement
      await database.query(ignoredRowSchema, {
        text: `insert into judgement_receipts (submission_id, first_case_id, receipt) values ($1, $2, $3::json) on conflict do nothing`,
        parameters: [submissionId, entries[0]?.caseId ?? null, JSON.stringify(receipt)],
      })
    },

    list: (submissionId) =>
      database.query(receiptRowSchema, {
        text: `select r.receipt from judgement_receipts r join cases c on c.id = r.first_case_id
          where r.submission_id = $1 order by c.position`,
        parameters: [submissionId],
      }),

    statedCases: (submissionId, { withHidden }) =>
      database.query(statedRowSchema, {
        text: `select c.id, c.input::text as input, c.expected::text as expected, c.salt, v.status, v.fuel, v.output_sha256
          from verdicts v join cases c on c.id = v.case_id
          where v.submission_id = $1 and (not c.hidden or $2) order by c.position`,
        parameters: [submissionId, withHidden],
      }),
  }
}
