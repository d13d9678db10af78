// Accounts, and who a request speaks for; the keys of accounts are in api-key.ts.
import { z } from 'zod'
import type { KeyGrant } from './api-key.ts'
import { idSchema } from './ids.ts'
import { textSchema } from './text.ts'

export const accountCreateSchema = z.strictObject({
  name: textSchema(80).trim().min(1).meta({ description: 'Shown on leaderboards; unique', example: 'ada' }),
  rateLimited: z.boolean().default(true).meta({ description: 'false: rate limits do not count the requests of the key that is made here' }),
})
export type AccountCreate = z.infer<typeof accountCreateSchema>

export const accountSchema = z.object({ id: idSchema('account'), name: z.string(), createdAt: z.iso.datetime() })
export type Account = z.infer<typeof accountSchema>

export const ownAccountSchema = accountSchema.extend({ balanceCredits: z.number().int() })

const quotaSchema = z.object({ used: z.number().int(), max: z.number().int() })

/** Answer of GET /accounts/me. */
export const accountPageSchema = ownAccountSchema.extend({
  quotas: z
    .object({
      agents: quotaSchema,
      openBounties: quotaSchema,
      executionsWaiting: quotaSchema.meta({ description: 'Asynchronous ones that have not ended' }),
      keys: quotaSchema,
      webhooks: quotaSchema,
    })
    .meta({ description: 'How many the account has, and may have' }),
})
export type AccountPage = z.infer<typeof accountPageSchema>
export type QuotaName = keyof AccountPage['quotas']

/** Answer of POST /accounts; the only time that `key` is seen: an answer that is replayed has none. */
export const accountCreatedSchema = ownAccountSchema.extend({ key: z.string() })

/** Who a request speaks for. The administrator is not an account: its key is a secret of the deployment, and needs no scope. */
export type Principal = ({ role: 'account' } & KeyGrant) | { role: 'admin' }
