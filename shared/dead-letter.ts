// Work that was given up, with what was tried: a submission or an execution that failed, and messages of the event log that nobody can take.
// What replaying one means is said by the route (workers/routes/dead-letters.ts).
import { z } from 'zod'
import { versionSchema } from './agent.ts'
import { idSchema } from './ids.ts'
import { pageQuerySchema } from './page.ts'

export const deadLetterKinds = ['submission', 'execution', 'message'] as const
export const deadLetterKindSchema = z.enum(deadLetterKinds)
export type DeadLetterKind = z.infer<typeof deadLetterKindSchema>

/** Why a message of the event log can be taken by nobody. */
export const messageRefusals = ['forged', 'stale', 'malformed', 'too-large'] as const
export const messageRefusalSchema = z.enum(messageRefusals)
export type MessageRefusal = z.infer<typeof messageRefusalSchema>

/** As long as events of webhooks. */
export const deadLettersKeptMs = 30 * 24 * 3_600_000

/** So many are kept: somebody who writes to a topic what is not ours, or a log that was not read for days, fills no table. */
export const refusedMessagesMax = 1_000
/** Of a message that was refused, so much is kept; it may hold anything. */
export const keptMessageCharsMax = 4_096

const refusedMessageFields = {
  topic: z.string().max(249),
  partition: z.number().int().nonnegative(),
  offset: z.number().int().nonnegative(),
  refusal: messageRefusalSchema,
  bytes: z.number().int().nonnegative(),
  text: z
    .string()
    .max(keptMessageCharsMax)
    .meta({ description: `Its first ${keptMessageCharsMax} characters; what is no text is replaced` }),
}

/** POST /internal/dead-letters at the Worker: at least once; keeping one twice changes nothing. */
export const messageRefusedSchema = z.strictObject({
  ...refusedMessageFields,
  host: z.string().min(1).max(63),
  detail: z.string().max(1_000),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})
export type RefusedMessage = z.infer<typeof messageRefusedSchema>

/** Of a submission or an execution. */
const workIdSchema = z.string().meta({ example: 'exe_01kaxxt5f00000000000000000' })

/** Work that was begun, and how that ended. */
const attemptSchema = z.object({
  beganAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  host: z.string().nullable().meta({ description: 'Which host took it from the event log; null where the Worker did' }),
  end: z.string().meta({ description: 'How it ended' }),
})
export type DeadLetterAttempt = z.infer<typeof attemptSchema>

export const deadLetterSchema = z.object({
  id: idSchema('deadLetter'),
  kind: deadLetterKindSchema,
  accountId: idSchema('account').nullable().meta({ description: 'Whose work it was; null for a message' }),
  submissionId: idSchema('submission').nullable(),
  executionId: idSchema('execution').nullable(),
  agentId: idSchema('agent').nullable(),
  version: versionSchema.nullable(),
  reason: z.string().meta({ description: 'Why it was given up' }),
  attempts: z.array(attemptSchema).meta({ description: 'Every attempt since it last made progress, the first one first' }),
  message: z.object(refusedMessageFields).nullable().meta({ description: 'What was refused, for the administrator' }),
  replayedAs: workIdSchema.nullable().meta({ description: 'The submission or execution that its last replay made' }),
  createdAt: z.iso.datetime(),
})
export type DeadLetter = z.infer<typeof deadLetterSchema>

/** Query of GET /dead-letters. */
export const deadLetterListQuerySchema = pageQuerySchema.extend({
  kind: deadLetterKindSchema.optional(),
  agent: idSchema('agent').optional().describe('Work of this agent'),
})

/** Answer of POST /dead-letters/{id}/replay; the work itself is at its Location. */
export const deadLetterReplaySchema = z.object({
  id: workIdSchema,
  kind: deadLetterKindSchema.exclude(['message']),
  status: z.string().meta({ description: 'Of that submission or execution, at this moment', example: 'queued' }),
  replayOf: workIdSchema.meta({ description: 'What failed' }),
})
export type DeadLetterReplay = z.infer<typeof deadLetterReplaySchema>
