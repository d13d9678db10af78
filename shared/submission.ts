// A submission puts one version of an agent against every case of a bounty. Verdicts of hidden cases are counted, never shown.
import { z } from 'zod'
import { versionSchema } from './agent.ts'
import { idSchema } from './ids.ts'
import { pageQuerySchema } from './page.ts'
import { verdictStatusSchema, usageSchema } from './execution.ts'
import { scriptModeSchema } from './script-mode.ts'

export const submissionStatuses = ['queued', 'running', 'accepted', 'rejected', 'failed'] as const
export const submissionStatusSchema = z.enum(submissionStatuses)
export type SubmissionStatus = z.infer<typeof submissionStatusSchema>

export const submissionCreateSchema = z.strictObject({
  agentId: idSchema('agent'),
  version: versionSchema.optional().meta({ description: 'The latest when absent' }),
  stopAtFirstFailure: z
    .boolean()
    .default(false)
    .meta({ description: 'Cases after the first one that is not accepted are not run; the submission is rejected without their verdicts' }),
})
export type SubmissionCreate = z.infer<typeof submissionCreateSchema>

/** Of public cases only. */
export const caseVerdictSchema = z.object({
  caseId: idSchema('case'),
  status: verdictStatusSchema.meta({
    description: 'checker-failed: the checker of the bounty gave no answer; the case is not accepted, and the output is not called wrong',
  }),
  usage: usageSchema,
  message: z.string().optional().meta({ description: 'What the checker of the bounty says about the output' }),
})

/** Query of GET /submissions. */
export const submissionListQuerySchema = pageQuerySchema.extend({
  bounty: idSchema('bounty').optional().describe('Submissions to this bounty'),
  status: submissionStatusSchema.optional(),
})

/** As lists show it: without verdicts. */
export const submissionSummarySchema = z.object({
  id: idSchema('submission'),
  bountyId: idSchema('bounty'),
  agentId: idSchema('agent'),
  version: z.number().int(),
  accountId: idSchema('account'),
  status: submissionStatusSchema,
  casesTotal: z.number().int(),
  casesPassed: z.number().int(),
  fuelTotal: z.number().int().nullable(),
  engine: z.string().nullable().meta({ description: 'Engine and version that judged it; null until there is a verdict' }),
  scriptMode: scriptModeSchema.nullable().meta({ description: 'How the script runs; null: it is no script' }),
  round: z.number().int().meta({ description: 'Of judging: 1, and one more each time that it is judged again' }),
  failure: z.string().nullable().meta({ description: 'Why it could not be judged, when it failed' }),
  replayOf: idSchema('submission').nullable().meta({ description: 'The failed submission whose dead letter this one replays' }),
  createdAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().nullable(),
})
export type SubmissionSummary = z.infer<typeof submissionSummarySchema>

export const submissionSchema = submissionSummarySchema.extend({
  verdicts: z.array(caseVerdictSchema).meta({ description: 'Of the public cases, in their order' }),
})
export type Submission = z.infer<typeof submissionSchema>
