// What became of a script's functions when it was compiled, as its author reads it. It follows from the program and the engine's version alone.
import { z } from 'zod'

/** Functions that are listed; of more there is the number. */
export const functionsListedMax = 20

export const functionReportSchema = z.object({
  compiled: z.number().int().nonnegative().meta({ description: 'Functions that were compiled' }),
  interpretedCount: z
    .number()
    .int()
    .nonnegative()
    .meta({ description: 'Functions that stay interpreted; they and the others call each other freely' }),
  interpreted: z
    .array(
      z.object({
        name: z.string().max(100).meta({ description: 'Empty for a function without a name' }),
        place: z.string().max(300).nullable().meta({ description: "Where it begins in the author's source", example: 'agent.ts:12:3' }),
        reason: z.string().max(300),
      }),
    )
    .max(functionsListedMax)
    .meta({ description: `The first ${functionsListedMax} of them, and why` }),
  reason: z.string().max(300).nullable().meta({ description: 'Why the script as a whole stays interpreted' }),
})
export type FunctionReport = z.infer<typeof functionReportSchema>
