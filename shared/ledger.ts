// Credits: whole numbers that an administrator mints, a bounty holds in escrow, and its winner gets. An account's ledger is what came and
// went, each entry with the balance after it. The rules are constraints of the database: workers/migrations/0005-ledger.sql.
import { z } from 'zod'
import { idSchema } from './ids.ts'
import { textSchema } from './text.ts'

export const transferKindSchema = z.enum(['mint', 'escrow', 'award', 'refund']).meta({
  description: 'mint: issued by the administrator; escrow: held for a bounty; award: won; refund: back from a bounty without a winner',
})

/** A thousand of the largest rewards; all credits together stay within safe integers. */
export const mintCreditsMax = 1_000_000_000_000

export const creditsMintSchema = z.strictObject({
  credits: z.number().int().min(1).max(mintCreditsMax).meta({ example: 1_000 }),
  reason: textSchema(200).trim().min(1).optional().meta({ description: 'Shown in the ledger of the account', example: 'prize money' }),
})
export type CreditsMint = z.infer<typeof creditsMintSchema>

export const ledgerEntrySchema = z.object({
  id: idSchema('transfer'),
  at: z.iso.datetime(),
  kind: transferKindSchema,
  credits: z.number().int().meta({ description: 'Negative when they went' }),
  balanceAfter: z.number().int(),
  bountyId: idSchema('bounty').nullable(),
  reason: z.string().nullable(),
})
export type LedgerEntry = z.infer<typeof ledgerEntrySchema>

/** Answer of POST /accounts/{id}/credits. */
export const creditsMintedSchema = z.object({
  id: idSchema('transfer'),
  accountId: idSchema('account'),
  credits: z.number().int(),
  balanceCredits: z.number().int().meta({ description: 'After it' }),
  at: z.iso.datetime(),
})
