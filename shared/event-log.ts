// What is sent through the event log, by topic. A message of work only says where there is some, never what is true: rows in the database are, so
// one that is lost, late or doubled costs time at most. An announcement tells whoever listens what has come to pass.
import { z } from 'zod'
import { idSchema } from './ids.ts'

/** Of a message, as it is carried. */
export const messageBytesMax = 64 * 1024

/** Whoever takes it judges on; `turn` is good for one taking (workers/migrations/0009-judging.sql). */
const judgingMessageSchema = z.strictObject({
  topic: z.literal('judgings'),
  submissionId: idSchema('submission'),
  turn: z.number().int().positive(),
})

/** The same for an asynchronous execution (workers/migrations/0012-async-executions.sql). Its input stays in the row: it may be larger than a message. */
const executionMessageSchema = z.strictObject({
  topic: z.literal('executions'),
  executionId: idSchema('execution'),
  turn: z.number().int().positive(),
})
export type JudgingMessage = z.infer<typeof judgingMessageSchema>
export type ExecutionMessage = z.infer<typeof executionMessageSchema>

export const eventMessageSchema = z.discriminatedUnion('topic', [judgingMessageSchema, executionMessageSchema])
export type EventMessage = z.infer<typeof eventMessageSchema>

/** What a message of work is about: those of one subject stay in their order where a driver has one. */
export function subjectOf(message: EventMessage): string {
  return message.topic === 'judgings' ? message.submissionId : message.executionId
}

/** A message of work where the driver cannot hold it back: whoever takes it does. */
export const heldMessageSchema = z.strictObject({
  message: eventMessageSchema,
  /** In ms since 1970. */
  notBefore: z.number().int().nonnegative().optional(),
})
export type HeldMessage = z.infer<typeof heldMessageSchema>

/** Older ones are let go: whatever they are about has had other messages since, or has ended. */
export const messageAgeMsMax = 3_600_000
/** How far the clock of who signed may be ahead. */
export const messageAheadMsMax = 60_000

/** Topics of work, each with consumers of its own: a judging of 20 s is in the way of no execution. */
export const workTopics = ['judgings', 'executions'] as const
/** Topics of what has come to pass, for whoever wants to listen: nothing of ours reads them. */
export const announcementTopics = ['outcomes', 'notifications', 'dead-letters'] as const

/** Begins the name of each topic, where others use the same cluster. */
export const topicPrefixForm = /^[a-zA-Z0-9._-]{0,64}$/
export const topicPrefixRule = 'must be at most 64 letters, digits, ".", "_" or "-"'
