// Turns the Authorization header into who speaks. A key is looked up by its hash, so no comparison of secrets can be timed; the
// administrator's hash is compared in constant time. What was looked up is remembered in the isolate: a known key below a minute, an
// unknown one for seconds, so that neither costs a query each time.
import type { Principal } from '../shared/account.ts'
import { apiKeySchema, type KeyGrant } from '../shared/api-key.ts'
import type { KeyStore } from '../shared/ports.ts'
import { ProblemError } from '../shared/problem.ts'
import { isSameHex, sha256Hex } from './hex.ts'
import { MemoryCache } from './memory-cache.ts'

/** So long may a key that was deleted through another isolate still work in this one; the promise is a minute. */
const knownKeyMs = 50_000
const unknownKeyMs = 5_000
const keysMax = 10_000

/** By the hash of the key. Whoever deletes a key takes it out of here. */
export type KnownKeys = MemoryCache<KeyGrant | 'nobody'>

export function createKnownKeys(now: () => number): KnownKeys {
  return new MemoryCache({ entriesMax: keysMax, lifetimeMs: knownKeyMs, now })
}

/** What a request carries: the header Authorization, or a session that stands for a key by its hash (session.ts). */
export type Credential = { authorization: string } | { keySha256: string }

/**
 * @param onStranger called before a key that this isolate does not know to be good is looked up or refused; may throw
 * @returns undefined without a credential. Throws ProblemError `unknown-key`, `expired-key`.
 */
export type Authenticate = (credential: Credential | undefined, onStranger?: () => void) => Promise<Principal | undefined>

export type AuthenticateOptions = {
  keys: Pick<KeyStore, 'findGrant'>
  knownKeys: KnownKeys
  adminKeySha256: string
  now: () => number
}

export function createAuthenticate({ keys, knownKeys, adminKeySha256, now }: AuthenticateOptions): Authenticate {
  // Of keys that were good a moment ago: WebCrypto hashes on another thread, and there and back costs a request more than all else here.
  const hashes = new MemoryCache<string>({ entriesMax: keysMax, lifetimeMs: knownKeyMs, now })

  async function grantOf(sha256: string, onStranger: () => void): Promise<KeyGrant | 'nobody'> {
    const known = knownKeys.get(sha256)
    if (known === undefined || known === 'nobody') onStranger()
    if (known !== undefined) return known
    const askedAt = now()
    const found = (await keys.findGrant(sha256)) ?? 'nobody'
    // Counted from the question: what was true when it was asked may have ended before the answer came.
    const lifetimeMs = (found === 'nobody' ? unknownKeyMs : knownKeyMs) - (now() - askedAt)
    knownKeys.set(sha256, found, { lifetimeMs })
    return found
  }

  async function account(sha256: string, onStranger: () => void): Promise<Principal> {
    const grant = await grantOf(sha256, onStranger)
    if (grant === 'nobody') throw refusal('the API key belongs to no account; it was never issued, or is deleted')
    if (grant.expiresAt !== null && Date.parse(grant.expiresAt) <= now()) {
      throw new ProblemError('expired-key', { detail: `the API key ${grant.keyId} expired at ${grant.expiresAt}; make another one` })
    }
    return { role: 'account', ...grant }
  }

  return async (credential, onStranger = () => {}) => {
    if (credential === undefined) return undefined
    if ('keySha256' in credential) return account(credential.keySha256, onStranger)
    const key = /^Bearer ([^\s]{1,256})$/i.exec(credential.authorization)?.[1]
    if (!key) return refuse(onStranger, 'the header Authorization must be of the form "Bearer <key>"')
    const hashed = hashes.get(key)
    if (hashed !== undefined) return account(hashed, onStranger)
    const sha256 = await sha256Hex(key)
    if (isSameHex(sha256, adminKeySha256)) return { role: 'admin' }
    if (!apiKeySchema.safeParse(key).success) return refuse(onStranger, 'an API key is ab_ followed by 43 characters of A-Z a-z 0-9 _ -')
    const principal = await account(sha256, onStranger)
    hashes.set(key, sha256)
    return principal
  }
}

function refuse(onStranger: () => void, detail: string): never {
  onStranger()
  throw refusal(detail)
}

function refusal(detail: string): ProblemError {
  return new ProblemError('unknown-key', { detail })
}
