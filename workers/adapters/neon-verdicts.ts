// A verdict of a public case as Postgres gives it in an answer that holds many: what is selected, and what becomes of it.
import { z } from 'zod'
import { numberedVerdictSchema } from '../../shared/progress.ts'
import { caseVerdictSchema } from '../../shared/submission.ts'

/** Arguments of `json_build_object` for a verdict v. */
export const verdictFields = `'caseId', v.case_id, 'status', v.status, 'message', v.message, 'usage',
  json_build_object('fuel', v.fuel, 'wallMicros', v.wall_micros, 'memoryBytesPeak', v.memory_bytes_peak)`

const message = z.string().nullable()

/** A message is there where the checker said something. */
function told<V extends { message: string | null }>({ message: said, ...verdict }: V) {
  return { ...verdict, ...(said === null ? {} : { message: said }) }
}

export const verdictRowSchema = caseVerdictSchema.extend({ message }).transform(told)
export const numberedVerdictRowSchema = numberedVerdictSchema.extend({ message }).transform(told)
