// What became of a script's functions when it went through the compiler (engine/src/script_compiler/report.rs): how many were compiled, and
// why others are interpreted. It follows from the program and the engine's build alone, so that every host tells the same.
import { z } from 'zod'

export const functionReportSchema = z.strictObject({
  compiled: z.number().int().nonnegative(),
  interpretedCount: z.number().int().nonnegative(),
  /** The first hundred, in the order of the code. Lines and columns are of the prepared code, from 1 (0 where they are not known): a `StackMapper` leads `agent.js:line:column` to the author's. */
  interpreted: z.array(
    z.strictObject({
      /** What a stranger called it; empty for what has its name of a variable or a class. */
      name: z.string(),
      line: z.number().int().nonnegative(),
      column: z.number().int().nonnegative(),
      reason: z.string(),
    }),
  ),
  /** Why the script as a whole stays interpreted. */
  reason: z.string().nullable(),
})
export type FunctionReport = z.infer<typeof functionReportSchema>
