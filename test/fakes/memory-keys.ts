// Keys over a map, for whichever accounts there are.
import { keysPerAccountMax, type ApiKey } from '../../shared/api-key.ts'
import type { KeyStore, NewKey } from '../../shared/ports.ts'

type Kept = NewKey & { accountId: string }

export function memoryKeyStore(): KeyStore & { add: (accountId: string, key: NewKey) => void } {
  const keys = new Map<string, Kept>()
  const ofAccount = (accountId: string) => [...keys.values()].filter((key) => key.accountId === accountId)
  const add = (accountId: string, key: NewKey) => {
    if (keys.has(key.id)) throw new Error(`key ${key.id} is there already`)
    keys.set(key.id, { ...key, accountId })
  }
  return {
    add,
    async create(accountId, key) {
      if (ofAccount(accountId).length >= keysPerAccountMax) return false
      add(accountId, key)
      return true
    },
    async findGrant(sha256) {
      const found = [...keys.values()].find((key) => key.sha256 === sha256)
      if (!found) return undefined
      const { id, accountId, scopes, expiresAt, isRateLimited } = found
      return { keyId: id, accountId, scopes, expiresAt, isRateLimited }
    },
    async list(accountId, { limit, after }) {
      const newestFirst = ofAccount(accountId).toSorted((a, b) => (a.id < b.id ? 1 : -1))
      return newestFirst
        .filter(({ id }) => after === undefined || id < after)
        .slice(0, limit)
        .map(shown)
    },
    async remove(id, accountId) {
      const found = keys.get(id)
      if (!found || (accountId !== undefined && found.accountId !== accountId)) return undefined
      keys.delete(id)
      return found.sha256
    },
  }
}

function shown({ id, name, scopes, createdAt, expiresAt }: NewKey): ApiKey {
  return { id, name, scopes, createdAt, expiresAt }
}
