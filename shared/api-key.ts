// Keys and what they may do. A key is shown once, when it is made; only its SHA-256 is kept. A key can make no key that may more, or lives
// longer, than itself.
import { z } from 'zod'
import { idSchema } from './ids.ts'
import { textSchema } from './text.ts'

/** `ab_` + 43 characters of base64url (256 random bits). */
export const apiKeySchema = z.string().regex(/^ab_[A-Za-z0-9_-]{43}$/)

/**
 * What a key may be made for; no scope includes another. What needs no key at all needs no scope either.
 * read: what belongs to the account; run: executions; deploy: agents and versions; bounties: bounties, submissions, awards; keys: keys;
 * webhooks: webhooks and their deliveries.
 */
export const scopes = ['read', 'run', 'deploy', 'bounties', 'keys', 'webhooks'] as const
export const scopeSchema = z.enum(scopes).meta({
  description:
    'read: what the account owns; run: executions; deploy: agents; bounties: bounties and submissions; keys: other keys; webhooks: webhooks',
})
export type Scope = z.infer<typeof scopeSchema>

/** An account that needs more keys has one that it should have deleted. */
export const keysPerAccountMax = 20

export const keyCreateSchema = z.strictObject({
  name: textSchema(80).trim().min(1).meta({ description: 'For whoever reads the list', example: 'ci' }),
  scopes: z
    .array(scopeSchema)
    .min(1)
    .max(scopes.length)
    .optional()
    .meta({ description: 'What the key may do; all that the calling key may when absent, and never more', example: ['read', 'run'] }),
  expiresAt: z.iso
    .datetime()
    .optional()
    .meta({ description: 'When it stops to work; that of the calling key when absent, and never later', example: '2099-12-31T00:00:00Z' }),
})
export type KeyCreate = z.infer<typeof keyCreateSchema>

/** A key as lists show it: everything but the secret. */
export const keySchema = z.object({
  id: idSchema('apiKey'),
  name: z.string(),
  scopes: z.array(scopeSchema),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().nullable(),
})
export type ApiKey = z.infer<typeof keySchema>

/** Answer of POST /keys; the only time that `key` is seen: an answer that is replayed has none. */
export const keyCreatedSchema = keySchema.extend({ key: z.string() })

/** What a key is good for, as far as admitting a request needs it. */
export type KeyGrant = {
  keyId: string
  accountId: string
  scopes: readonly Scope[]
  expiresAt: string | null
  /** False: no rate limit counts its requests. */
  isRateLimited: boolean
}
