// What is sent through the event log: a topic, and for each the message. A message only says where there is work, never what is true: rows in
// the database are, so one that is lost, late or doubled costs time at most.
import { z } from 'zod'
import { idSchema } from './ids.ts'

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
