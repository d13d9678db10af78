// What is told to whoever listens on a topic of its own (EVENT_LOG=kafka): that something has come to pass, and where to read about it. Rows
// in the database are the truth. Inputs, outputs and logs are not told, as whoever reads a topic reads all of it.
import { z } from 'zod'
import { versionSchema } from './agent.ts'
import { deadLetterSchema } from './dead-letter.ts'
import { webhookEventSchema } from './events.ts'
import { guestStatusSchema, usageSchema } from './execution.ts'
import { idSchema } from './ids.ts'

/** An execution that a host has finished. */
const outcomeAnnouncementSchema = z.strictObject({
  topic: z.literal('outcomes'),
  executionId: idSchema('execution'),
  accountId: idSchema('account'),
  agentId: idSchema('agent'),
  version: versionSchema,
  status: guestStatusSchema,
  usage: usageSchema.pick({ fuel: true, wallMicros: true }),
  finishedAt: z.iso.datetime(),
})

/** What webhooks hear, for all accounts. */
const notificationSchema = z.strictObject({ topic: z.literal('notifications'), event: webhookEventSchema })

/** As GET /dead-letters/{id} has it. Told at least once. */
const deadLetterAnnouncementSchema = z.strictObject({ topic: z.literal('dead-letters'), letter: deadLetterSchema })

export const announcementSchema = z.discriminatedUnion('topic', [
  outcomeAnnouncementSchema,
  notificationSchema,
  deadLetterAnnouncementSchema,
])
export type Announcement = z.infer<typeof announcementSchema>

/** What it is about, so that all about one thing lie in their order. */
export function announcedSubject(announcement: Announcement): string {
  if (announcement.topic === 'outcomes') return announcement.executionId
  if (announcement.topic === 'dead-letters') return announcement.letter.id
  const { data } = announcement.event
  if ('executionId' in data) return data.executionId
  return 'bountyId' in data ? data.bountyId : data.webhookId
}
