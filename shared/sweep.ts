// The clean-up of storage as an administrator sees it: steps that look at a bounded part of what is kept, and delete what may go.
import { z } from 'zod'
import { cursorSchema } from './page.ts'

/** In this order: rows first, so that what they named is free. */
export const sweepPhases = ['executions', 'programs', 'artifacts', 'bundles'] as const

/** Body of POST /admin/sweeps. */
export const sweepSchema = z.strictObject({
  dryRun: z.boolean().default(false).meta({ description: 'Deletes nothing, and tells what would be deleted' }),
  cursor: cursorSchema.optional().meta({ description: 'The `nextCursor` of the step before; the walk begins without one' }),
})

export const sweepStepSchema = z.object({
  phase: z.enum(sweepPhases),
  dryRun: z.boolean(),
  looked: z.number().int().meta({ description: 'Objects or rows that this step looked at' }),
  deleted: z.number().int().meta({ description: 'How many it deleted, or would have' }),
  bytes: z.number().int().meta({ description: 'Of the deleted objects; 0 for rows' }),
  examples: z.array(z.string()).meta({ description: 'Keys of the first few' }),
  nextCursor: z.string().nullable().meta({ description: 'Null when the walk has come to its end' }),
})
export type SweepStep = z.infer<typeof sweepStepSchema>
