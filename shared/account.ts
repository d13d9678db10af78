// Accounts and the keys that speak for them. A key is shown once, when it is made; only its SHA-256 is kept.
import { z } from 'zod'
import { idSchema } from './ids.ts'
import { textSchema } from './text.ts'

export const accountCreateSchema = z.strictObject({
  name: textSchema(80).trim().min(1).meta({ description: 'Shown on leaderboards; unique', example: 'ada' }),
})
export type AccountCreate = z.infer<typeof accountCreateSchema>

export const accountSchema = z.object({ id: idSchema('account'), name: z.string(), createdAt: z.iso.datetime() })
export type Account = z.infer<typeof accountSchema>

/** Answer of GET /accounts/me. */
export const ownAccountSchema = accountSchema.extend({ balanceCredits: z.number().int() })

/** Answer of POST /accounts; the only time that `key` is seen. */
export const accountCreatedSchema = ownAccountSchema.extend({ key: z.string() })

/** Who a request speaks for. The administrator is not an account: its key is a secret of the deployment. */
export type Principal = { role: 'account'; accountId: string } | { role: 'admin' }

/** `ab_` + 43 characters of base64url (256 random bits). */
export const apiKeySchema = z.string().regex(/^ab_[A-Za-z0-9_-]{43}$/)
