// A key for tests, as the Worker makes them; nobody knows its secret.
import { randomBytes } from 'node:crypto'
import { scopes } from '../../shared/api-key.ts'
import type { NewKey } from '../../shared/ports.ts'
import { idOf } from './id-of.ts'

export function newKey(more: Partial<NewKey> = {}): NewKey {
  const sha256 = randomBytes(32).toString('hex')
  const granted = { scopes: [...scopes], expiresAt: null, isRateLimited: true }
  return { id: idOf('apiKey'), name: 'a key', createdAt: '2026-11-23T12:00:00.000Z', sha256, ...granted, ...more }
}
