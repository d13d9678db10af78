// What happened to an account's bounties, submissions and asynchronous executions, as its webhooks are told: ids and statuses, never what a case holds. The database
// writes an event in the transaction of the change that it tells of (workers/migrations/0008-webhooks.sql), so these schemas say what stands
// there. The form is that of https://www.standardwebhooks.com.
import { z } from 'zod'
import { guestStatuses } from './guest-status.ts'
import { idSchema } from './ids.ts'

/** What a webhook can be made for. */
export const eventTypes = ['submission.finished', 'execution.finished', 'bounty.awarded', 'bounty.expired', 'bounty.cancelled'] as const
export const eventTypeSchema = z.enum(eventTypes)
export type EventType = z.infer<typeof eventTypeSchema>

const timestampSchema = z.iso.datetime().meta({ description: 'When it happened' })

/** To the author and to the owner of the bounty. */
const submissionFinishedSchema = z.object({
  type: z.literal('submission.finished'),
  timestamp: timestampSchema,
  data: z.object({
    submissionId: idSchema('submission'),
    bountyId: idSchema('bounty'),
    agentId: idSchema('agent'),
    version: z.number().int(),
    round: z.number().int().meta({ description: 'Of judging: a submission that is judged again finishes again' }),
    status: z.enum(['accepted', 'rejected', 'failed']),
    casesTotal: z.number().int(),
    casesPassed: z.number().int(),
  }),
})

/** To the account of an asynchronous execution; GET /executions/{id} has the rest. */
const executionFinishedSchema = z.object({
  type: z.literal('execution.finished'),
  timestamp: timestampSchema,
  data: z.object({
    executionId: idSchema('execution'),
    agentId: idSchema('agent'),
    version: z.number().int(),
    status: z.enum([...guestStatuses, 'cancelled', 'failed']),
  }),
})

/** To the owner and to the author who got the reward. */
const bountyAwardedSchema = z.object({
  type: z.literal('bounty.awarded'),
  timestamp: timestampSchema,
  data: z.object({
    bountyId: idSchema('bounty'),
    status: z.literal('awarded'),
    rewardCredits: z.number().int(),
    submissionId: idSchema('submission'),
  }),
})

const bountyReturnedDataSchema = z.object({ bountyId: idSchema('bounty'), rewardCredits: z.number().int() })

/** Both to the owner, who has the reward back. */
const bountyExpiredSchema = z.object({
  type: z.literal('bounty.expired'),
  timestamp: timestampSchema,
  data: bountyReturnedDataSchema.extend({ status: z.literal('expired') }),
})
const bountyCancelledSchema = z.object({
  type: z.literal('bounty.cancelled'),
  timestamp: timestampSchema,
  data: bountyReturnedDataSchema.extend({ status: z.literal('cancelled') }),
})

/** Sent to one webhook when its account asks for it, whatever it was made for. */
const pingSchema = z.object({
  type: z.literal('webhook.ping'),
  timestamp: timestampSchema,
  data: z.object({ webhookId: idSchema('webhook') }),
})

/** Body of a delivery. Receivers should let types pass that they do not know. */
export const webhookEventSchema = z.discriminatedUnion('type', [
  submissionFinishedSchema,
  executionFinishedSchema,
  bountyAwardedSchema,
  bountyExpiredSchema,
  bountyCancelledSchema,
  pingSchema,
])
export type WebhookEvent = z.infer<typeof webhookEventSchema>
