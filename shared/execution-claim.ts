// What a host that takes executions from the event log itself asks of the Worker, which owns their turns (EVENT_LOG=kafka): claim one, say that it
// still works, put it back. The outcome goes the way of all outcomes.
import { z } from 'zod'
import { hostExecutionSchema } from './execution.ts'
import { idSchema } from './ids.ts'

/** How often a turn that is worked on is renewed; a third of what it is given. */
export const claimRenewMs = 5_000

const hostSchema = z.string().min(1).max(63)
const turnSchema = z.strictObject({ host: hostSchema, executionId: idSchema('execution'), turn: z.number().int().positive() })

/** POST /internal/executions/claim: `turn` is that of the message. */
export const executionClaimSchema = turnSchema
export type ExecutionClaim = z.infer<typeof executionClaimSchema>
/** What the Worker goes by when a turn is put back; the host gives it back as it was given. */
const countsSchema = z.strictObject({
  attempts: z.number().int().nonnegative(),
  waits: z.number().int().nonnegative(),
  waitingSince: z.iso.datetime(),
})
/** `claimed` is null when the turn is over, or the execution has ended; `turn` is now the host's. */
export const executionClaimedSchema = z.object({
  claimed: z.object({ turn: z.number().int(), counts: countsSchema, execution: hostExecutionSchema }).nullable(),
})
export type ClaimedExecution = NonNullable<z.infer<typeof executionClaimedSchema>['claimed']>

/** POST /internal/executions/renew */
export const executionRenewalSchema = turnSchema
/** Not held: it has ended, by a cancellation or otherwise, or somebody else has it. */
export const executionRenewedSchema = z.object({ isHeld: z.boolean(), isCancelled: z.boolean() })

/** POST /internal/executions/put-back: the run gave no outcome. `code` is that of a problem, or `internal`. */
export const executionPutBackSchema = turnSchema.extend({ counts: countsSchema, code: z.string().max(60), detail: z.string().max(20_000) })
export type ExecutionPutBack = z.infer<typeof executionPutBackSchema>
