// Makes a key for the account that asks. It may do no more, and live no longer, than the key that makes it: whoever holds a small key, or an
// old one, cannot turn it into a large one.
import type { ApiKey, KeyCreate, KeyGrant } from '../../shared/api-key.ts'
import { keysPerAccountMax } from '../../shared/api-key.ts'
import { ProblemError } from '../../shared/problem.ts'
import { sha256Hex } from '../hex.ts'
import type { Attempt } from '../idempotency.ts'
import { newSecret } from '../new-secret.ts'
import { invalidRequest } from '../request-issues.ts'
import type { Services } from '../services.ts'

/** @returns the key with its secret; a retry that finds it made has no secret to show */
export async function makeKey(
  { keys, log, now }: Services,
  { by, key, attempt }: { by: KeyGrant; key: KeyCreate; attempt: Attempt },
): Promise<ApiKey & { key?: string }> {
  const expiresAt = expiryOf(key, { by, now: now() })
  const scopes = [...new Set(key.scopes ?? by.scopes)]
  const beyond = scopes.filter((scope) => !by.scopes.includes(scope))
  if (beyond.length > 0) {
    throw new ProblemError('forbidden', {
      detail: `the key ${by.keyId} has not the scope ${beyond.join(', ')} that the new key would have; it has ${by.scopes.join(', ')}`,
    })
  }
  const id = attempt.newId('apiKey')
  if (attempt.isRetry) {
    const made = (await keys.list(by.accountId, { limit: keysPerAccountMax })).find((candidate) => candidate.id === id)
    if (made) return made
  }
  const secret = newSecret()
  const made: ApiKey = { id, name: key.name, scopes, createdAt: new Date(now()).toISOString(), expiresAt }
  if (!(await keys.create(by.accountId, { ...made, sha256: await sha256Hex(secret), isRateLimited: true }))) {
    throw new ProblemError('too-many-keys', {
      detail: `the account has ${keysPerAccountMax} keys, which is the most it may have; delete one that is not needed`,
    })
  }
  log.info('key made', { keyId: id, accountId: by.accountId, by: by.keyId, scopes: scopes.join(' '), expiresAt })
  return { ...made, key: secret }
}

export function keyNotFound(id: string): ProblemError {
  return new ProblemError('key-not-found', { detail: `your account has no key ${id}` })
}

function expiryOf({ expiresAt }: KeyCreate, { by, now }: { by: KeyGrant; now: number }): string | null {
  const field = 'expiresAt'
  if (expiresAt === undefined) return by.expiresAt
  const given = JSON.stringify(expiresAt)
  if (Date.parse(expiresAt) <= now) throw invalidRequest([{ field, message: `is ${given}; must be in the future` }])
  if (by.expiresAt === null || Date.parse(expiresAt) <= Date.parse(by.expiresAt)) return new Date(expiresAt).toISOString()
  throw invalidRequest([{ field, message: `is ${given}; must not be later than ${by.expiresAt}, when the key that makes it expires` }])
}
