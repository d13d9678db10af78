// How a run of a program can end. Each is an answer that was paid for in fuel and is reported with its usage.
import { z } from 'zod'

export const guestStatuses = [
  'completed',
  'threw',
  'trapped',
  'out-of-fuel',
  'deadline',
  'memory-limit',
  'output-limit',
  'invalid-program',
] as const
export const guestStatusSchema = z.enum(guestStatuses)
export type GuestStatus = z.infer<typeof guestStatusSchema>
