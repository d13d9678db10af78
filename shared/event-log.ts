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

export const eventMessageSchema = z.discriminatedUnion('topic', [judgingMessageSchema])
export type EventMessage = z.infer<typeof eventMessageSchema>
