// What a client that follows a submission or an execution is told, as server-sent events. The id of each is a position: whoever comes back with
// it in `Last-Event-ID` goes on behind it, so every event is told once.
//
//   0+ ─ 1 ─ 2 ─ 2+ ─ 5 ─ 6+ ─ … ─ end        n: the verdict with the number n    n+: how it stood after n cases    end: it is finished
import { z } from 'zod'
import { outcomeSchema } from './execution.ts'
import { caseVerdictSchema, submissionSchema } from './submission.ts'

/** Of a public case. Numbers count the verdicts of hidden ones too, in the order in which they were stored. */
export const numberedVerdictSchema = caseVerdictSchema.extend({ number: z.number().int() })
export type NumberedVerdict = z.infer<typeof numberedVerdictSchema>

/** Hidden cases are counted, too. */
const progressSchema = z.object({ casesTotal: z.number().int(), casesJudged: z.number().int(), casesPassed: z.number().int() })

/** What follows a submission; `finished` is the last. */
export const submissionEventSchema = z.discriminatedUnion('event', [
  z.object({ event: z.literal('verdict'), id: z.string(), data: numberedVerdictSchema }),
  z.object({ event: z.literal('progress'), id: z.string(), data: progressSchema }),
  z.object({ event: z.literal('finished'), id: z.literal('end'), data: submissionSchema.omit({ verdicts: true }) }),
])
export type SubmissionEvent = z.infer<typeof submissionEventSchema>

/** What follows an execution: one event. */
export const executionEventSchema = z.object({
  event: z.literal('finished'),
  id: z.literal('end'),
  data: outcomeSchema.pick({ id: true, status: true, usage: true, finishedAt: true }),
})
export type ExecutionEvent = z.infer<typeof executionEventSchema>

/** `isTold`: the event `progress` behind the verdict with that number was sent, too. */
export type StreamPosition = { number: number; isTold: boolean } | 'end'

export const streamBegin = { number: 0, isTold: false } as const
export const streamEnd = 'end'

/** Header `Last-Event-ID`. */
export const streamPositionSchema = z
  .string()
  .regex(/^(?:\d{1,9}\+?|end)$/, 'must be the id of an event of this stream')
  .transform((text): StreamPosition => (text === streamEnd ? streamEnd : { number: Number.parseInt(text, 10), isTold: text.endsWith('+') }))
