// What an account ran and what its balance did, day by day (UTC).
import { z } from 'zod'

export const usageDaysMax = 90

export const usageQuerySchema = z.strictObject({
  days: z.coerce.number().int().min(1).max(usageDaysMax).default(30).meta({ description: 'Today and the days before' }),
})

export const dayUsageSchema = z.object({
  day: z.iso.date(),
  executions: z.number().int().meta({ description: 'That ended on this day, once they are recorded; judged cases are not among them' }),
  fuel: z.number().int(),
  wallMicros: z.number().int(),
  costMicroUsd: z.number().meta({ description: 'Estimated cost of these executions at list prices, in millionths of a US dollar' }),
  creditsIn: z.number().int(),
  creditsOut: z.number().int(),
})
export type DayUsage = z.infer<typeof dayUsageSchema>
