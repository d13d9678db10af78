// Turns the Authorization header into who speaks. Keys are compared by their hashes; a key that was looked up is remembered in the isolate
// for a minute, an unknown one for seconds, so that neither costs a query each time.
import { apiKeySchema, type Principal } from '../shared/account.ts'
import type { AccountStore } from '../shared/ports.ts'
import { ProblemError } from '../shared/problem.ts'
import { isSameHex, sha256Hex } from './hex.ts'
import { MemoryCache } from './memory-cache.ts'

/** So long may a key that was revoked still work in an isolate that knows it. */
const knownKeyMs = 60_000
const unknownKeyMs = 5_000
const keysMax = 10_000

/** @returns undefined without a header. Throws ProblemError `unknown-key`. */
export type Authenticate = (header: string | undefined) => Promise<Principal | undefined>

export type AuthenticateOptions = { accounts: Pick<AccountStore, 'findByKey'>; adminKeySha256: string; now?: () => number }

export function createAuthenticate({ accounts, adminKeySha256, now = Date.now }: AuthenticateOptions): Authenticate {
  const known = new MemoryCache<{ accountId: string | undefined }>({ entriesMax: keysMax, lifetimeMs: knownKeyMs, now })

  return async (header) => {
    if (header === undefined) return undefined
    const key = /^Bearer ([^\s]{1,256})$/i.exec(header)?.[1]
    if (!key) throw refusal('the header Authorization must be of the form "Bearer <key>"')
    const sha256 = await sha256Hex(key)
    if (isSameHex(sha256, adminKeySha256)) return { role: 'admin' }
    if (!apiKeySchema.safeParse(key).success) throw refusal('an API key is ab_ followed by 43 characters of A-Z a-z 0-9 _ -')
    let found = known.get(sha256)
    if (!found) {
      found = { accountId: await accounts.findByKey(sha256) }
      known.set(sha256, found, { lifetimeMs: found.accountId ? knownKeyMs : unknownKeyMs })
    }
    if (!found.accountId) throw refusal('the API key belongs to no account; keys are issued with the account')
    return { role: 'account', accountId: found.accountId }
  }
}

function refusal(detail: string): ProblemError {
  return new ProblemError('unknown-key', { detail })
}
