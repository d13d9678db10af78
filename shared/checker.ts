// A checker is an agent that judges outputs in the place of JSON equality (a special judge): floats within a tolerance, one of several right
// answers, a proof. It is run on its own behind each case that the author's agent completed; sandbox-host/check-output.ts says how.
import { z } from 'zod'
import { versionSchema } from './agent.ts'
import { idSchema } from './ids.ts'

/** Characters of a message that are kept and shown. */
export const checkerMessageCharsMax = 500

export const checkerCreateSchema = z
  .strictObject({
    agentId: idSchema('agent'),
    version: versionSchema.optional().meta({ description: 'The latest when absent; it stays with the bounty' }),
  })
  .meta({
    description:
      'An agent of your own that judges outputs in the place of JSON equality. It is given `{input, expected, output}` and returns ' +
      '`{accepted: boolean, message?: string}`; the message is shown for public cases',
  })

/** The version that judges, for good. */
export const checkerSchema = z.object({ agentId: idSchema('agent'), version: versionSchema })
export type Checker = z.infer<typeof checkerSchema>

/** What a checker returns. */
export const checkerAnswerSchema = z.strictObject({ accepted: z.boolean(), message: z.string().optional() })
