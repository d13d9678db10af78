// A submission puts one version of an agent against every case of a bounty. Verdicts of hidden cases are counted, never shown.
import { z } from 'zod'
import { versionSchema } from './agent.ts'
import { idSchema } from './ids.ts'
import { verdictStatusSchema, usageSchema } from './execution.ts'

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

/** `caseId` and `usage` are of public cases only. */
export const caseVerdictSchema = z.object({ caseId: idSchema('case'), status: verdictStatusSchema, usage: usageSchema })

export const submissionSchema = z.object({
  id: idSchema('submission'),
  bountyId: idSchema('bounty'),
  agentId: idSchema('agent'),
  version: z.number().int(),
  accountId: idSchema('account'),
  status: submissionStatusSchema,
  casesTotal: z.number().int(),
  casesPassed: z.number().int(),
  fuelTotal: z.number().int().nullable(),
  engine: z.string().nullable(),
  verdicts: z.array(caseVerdictSchema).meta({ description: 'Of the public cases, in their order' }),
  createdAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().nullable(),
})
export type Submission = z.infer<typeof submissionSchema>
