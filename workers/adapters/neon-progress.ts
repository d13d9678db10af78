// How a submission stands, and what is new about it, in one question to Postgres: sums and verdicts are of the same moment.
import { z } from 'zod'
import type { ProgressStore } from '../../shared/ports.ts'
import type { Database } from './neon.ts'
import { submissionColumns, submissionRowSchema } from './neon-submissions.ts'
import { numberedVerdictRowSchema, verdictFields } from './neon-verdicts.ts'

const progressRowSchema = z.intersection(
  submissionRowSchema,
  z
    .object({ cases_judged: z.number(), last_number: z.number(), public_verdicts: z.array(numberedVerdictRowSchema) })
    .transform(({ cases_judged, last_number, public_verdicts }) => {
      return { casesJudged: cases_judged, lastNumber: last_number, verdicts: public_verdicts }
    }),
)

export function neonProgressStore(database: Database): ProgressStore {
  return {
    async find(id, { after, limit }) {
      const [row] = await database.query(progressRowSchema, {
        text: `select ${submissionColumns}, (select coalesce(max(number), 0) from verdicts where submission_id = $1) as last_number,
            (select count(distinct case_id)::integer from verdicts v where submission_id = $1 and v.engine = submissions.engine) as cases_judged, (
              select coalesce(json_agg(json_build_object('number', v.number, ${verdictFields}) order by v.number), '[]')
              from verdicts v join cases c on c.id = v.case_id
              where v.submission_id = $1 and v.number > $2::integer and v.number <= $3::integer and not c.hidden
            ) as public_verdicts
          from submissions where id = $1`,
        parameters: [id, after, after + limit],
      })
      if (!row) return undefined
      const { lastNumber, ...progress } = row
      const upTo = Math.min(lastNumber, after + limit)
      return { ...progress, upTo, hasMore: upTo < lastNumber }
    },
  }
}
