// Webhooks: where an account wants to be told what happened, and the log of what was sent there. An event arrives at least once; its id,
// in the header `webhook-id`, is the same every time.
import { z } from 'zod'
import { eventTypes, eventTypeSchema, webhookEventSchema } from './events.ts'
import { idSchema } from './ids.ts'

export const webhooksPerAccountMax = 20
/** Longer than any address that people use; what proxies take. */
const urlCharactersMax = 2_000

/** Whether the address may be called is decided by workers/webhook-address.ts. */
export const webhookCreateSchema = z.strictObject({
  url: z
    .string()
    .min(1)
    .max(urlCharactersMax)
    .meta({ description: 'https, at a public address', example: 'https://example.com/hooks/bounty' }),
  events: z
    .array(eventTypeSchema)
    .min(1)
    .max(eventTypes.length)
    .default([...eventTypes])
    .meta({ description: 'Types of events that it is told; all when absent' }),
})
export type WebhookCreate = z.infer<typeof webhookCreateSchema>

export const webhookSchema = z.object({
  id: idSchema('webhook'),
  url: z.string(),
  events: z.array(eventTypeSchema),
  createdAt: z.iso.datetime(),
})
export type Webhook = z.infer<typeof webhookSchema>

/** Answer of POST /webhooks; the only time that `secret` is seen: an answer that is replayed has none. */
export const webhookCreatedSchema = webhookSchema.extend({
  secret: z.string().meta({ description: 'Key of the signatures: whsec_ and base64, as standardwebhooks libraries take it' }),
})

export const deliveryStatuses = ['pending', 'delivered', 'failed'] as const
export const deliveryStatusSchema = z.enum(deliveryStatuses).meta({
  description: 'pending: to be sent, or sent again; delivered: answered with 2xx; failed: given up, may be sent again by hand',
})

export const deliverySchema = z.object({
  id: idSchema('delivery'),
  webhookId: idSchema('webhook'),
  eventId: idSchema('event').meta({ description: 'The same in every attempt: receivers know by it what they have seen' }),
  event: webhookEventSchema,
  status: deliveryStatusSchema,
  attempts: z.number().int().meta({ description: 'That were begun since it was last sent anew' }),
  lastAttemptAt: z.iso.datetime().nullable(),
  lastAnswerStatus: z.number().int().nullable().meta({ description: 'HTTP status of the last answer; null when there was none' }),
  lastError: z.string().nullable().meta({ description: 'Why the last attempt failed' }),
  nextAttemptAt: z.iso.datetime().nullable().meta({ description: 'Not before then; null when there is to be none' }),
  createdAt: z.iso.datetime(),
})
export type Delivery = z.infer<typeof deliverySchema>

/** A receiver that has not answered by then has failed. */
export const attemptMsMax = 10_000
/** Longer than an attempt, the look-up of the name and the note of how it went: an attempt whose Worker died is repeated after it. */
export const attemptLeaseMs = 20_000
export const attemptsMax = 18
/** Deliveries that are being sent to one webhook at once, about. */
export const sendingPerWebhookMax = 2
const waitMsMax = 4 * 3_600_000
/** Deliveries and events are kept so long. */
export const deliveriesKeptMs = 30 * 86_400_000

/**
 * 1, 2, 4, … s after the first, second, third failure, then every 4 h: 16.5 h in all.
 * @param attempts that were made, all in vain
 * @returns undefined when that is enough
 */
export function waitAfterMs(attempts: number): number | undefined {
  return attempts >= attemptsMax ? undefined : Math.min(1_000 * 2 ** (attempts - 1), waitMsMax)
}

/** How an attempt ended. `answerStatus` is null when there was no answer, `error` when the receiver took the event. */
export type AttemptEnd = { answerStatus: number | null; error: string | null }

/** What becomes of a delivery after an attempt; `dueAt`, in ms, is null when there is to be no other. */
export type AfterAttempt = { status: Delivery['status']; dueAt: number | null }

export function afterAttempt({ answerStatus, error }: AttemptEnd, { attempts, now }: { attempts: number; now: number }): AfterAttempt {
  if (error === null) return { status: 'delivered', dueAt: null }
  // 410 Gone: the receiver asks to be left alone, and time does not change that.
  const waitMs = answerStatus === 410 ? undefined : waitAfterMs(attempts)
  return waitMs === undefined ? { status: 'failed', dueAt: null } : { status: 'pending', dueAt: now + waitMs }
}
