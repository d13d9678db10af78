// What the key store and the idempotency store promise. Runs over maps in the fast run and over Postgres in the full one.
import { randomBytes } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { keysPerAccountMax } from '../../shared/api-key.ts'
import { claimMs, keptMs } from '../../shared/idempotency.ts'
import type { AccountStore, IdempotencyStore, KeyStore } from '../../shared/ports.ts'
import { idOf } from '../fakes/id-of.ts'
import { newKey } from '../fakes/new-key.ts'

export type KeyStores = { accounts: AccountStore; keys: KeyStore; idempotency: IdempotencyStore }

const unique = () => randomBytes(6).toString('hex')

export function keysContract(name: string, open: () => KeyStores): void {
  describe(`${name} keeps keys as the port promises`, () => {
    let stores: KeyStores
    let accountId: string
    const first = newKey()
    beforeEach(async () => {
      stores = open()
      accountId = await newAccount(newKey())
    })

    async function newAccount(key = first): Promise<string> {
      const id = idOf('account')
      await stores.accounts.create({ id, name: `ada ${unique()}`, createdAt: '2026-11-23T12:00:00.000Z' }, key)
      return id
    }

    test('a key is found by its hash with what it is good for', async () => {
      const expiresAt = '2027-01-01T00:00:00.000Z'
      const small = newKey({ scopes: ['run', 'read'], expiresAt, isRateLimited: false })
      expect(await stores.keys.create(accountId, small)).toBe(true)
      const grant = { keyId: small.id, accountId, scopes: ['run', 'read'], expiresAt, isRateLimited: false }
      expect(await stores.keys.findGrant(small.sha256)).toEqual(grant)
      expect(await stores.keys.findGrant(newKey().sha256)).toBeUndefined()
    })

    test('the key that an account opens with is a key like any other', async () => {
      const key = newKey({ isRateLimited: false })
      const id = await newAccount(key)
      expect(await stores.keys.findGrant(key.sha256)).toMatchObject({ keyId: key.id, accountId: id, isRateLimited: false })
      expect(await stores.keys.list(id, { limit: 5 })).toHaveLength(1)
    })

    test('keys are listed newest first, without hashes, and on behind an id', async () => {
      const opened = await stores.keys.list(accountId, { limit: 5 })
      const mine = [newKey({ name: 'ünïcode' }), newKey()]
      for (const key of mine) await stores.keys.create(accountId, key)
      await newAccount(newKey())
      const shown = mine.map(({ sha256: _hash, isRateLimited: _limited, ...rest }) => rest)
      const all = [...opened, ...shown].toSorted((a, b) => (a.id < b.id ? 1 : -1))
      expect(await stores.keys.list(accountId, { limit: 5 })).toEqual(all)
      expect(await stores.keys.list(accountId, { limit: 1, after: all[0]?.id })).toEqual([all[1]])
    })

    test('a key is removed once, by its account or without naming one', async () => {
      const [mine, other] = [newKey(), newKey()]
      for (const key of [mine, other]) await stores.keys.create(accountId, key)
      expect(await stores.keys.remove(mine.id, await newAccount(newKey()))).toBeUndefined()
      expect(await stores.keys.findGrant(mine.sha256)).toBeDefined()
      expect(await stores.keys.remove(mine.id, accountId)).toBe(mine.sha256)
      expect(await stores.keys.remove(mine.id, accountId)).toBeUndefined()
      expect(await stores.keys.findGrant(mine.sha256)).toBeUndefined()
      expect(await stores.keys.remove(other.id)).toBe(other.sha256)
    })

    test(`an account has ${keysPerAccountMax} keys at most, also when they are made at once`, async () => {
      const made = await Promise.all(Array.from({ length: keysPerAccountMax + 3 }, () => stores.keys.create(accountId, newKey())))
      // One is the key that the account was opened with.
      expect(made.filter(Boolean)).toHaveLength(keysPerAccountMax - 1)
      const [last] = await stores.keys.list(accountId, { limit: 1 })
      await stores.keys.remove(last?.id ?? '', accountId)
      expect(await stores.keys.create(accountId, newKey())).toBe(true)
    })
  })

  describe(`${name} keeps idempotency keys as the port promises`, () => {
    let store: IdempotencyStore
    let of: { owner: string; key: string; requestSha256: string }
    const begin = Date.parse('2026-11-23T12:00:00.000Z')
    const at = (ms: number) => new Date(begin + ms).toISOString()
    const answer = { status: 201, contentType: 'application/json', location: '/api/x', body: '{"a":"\\u0000é"}' }
    beforeEach(() => {
      store = open().idempotency
      of = { owner: idOf('account'), key: unique(), requestSha256: randomBytes(32).toString('hex') }
    })

    test('of many claims at once one is granted, and the others see that it is under way', async () => {
      const found = await Promise.all(Array.from({ length: 10 }, (_, i) => store.claim({ ...of, claim: `claim ${i}`, at: at(i) })))
      expect(found.map(({ state }) => state).toSorted()).toEqual(['claimed', ...Array.from({ length: 9 }, () => 'in-progress')])
      for (const other of found)
        if (other.state !== 'claimed') expect(other).toEqual({ state: 'in-progress', requestSha256: of.requestSha256 })
    })

    test('an answer is given again, byte for byte, also to a request that is another one', async () => {
      expect(await store.claim({ ...of, claim: 'one', at: at(0) })).toEqual({ state: 'claimed', firstAt: at(0), isRetry: false })
      await store.answer({ ...of, claim: 'one' }, answer)
      const kept = { state: 'answered', requestSha256: of.requestSha256, answer }
      expect(await store.claim({ ...of, claim: 'two', at: at(claimMs * 2) })).toEqual(kept)
      expect(await store.claim({ ...of, requestSha256: '0'.repeat(64), claim: 'three', at: at(1) })).toEqual(kept)
    })

    test('keys of another owner are other keys', async () => {
      await store.claim({ ...of, claim: 'one', at: at(0) })
      expect(await store.claim({ ...of, owner: idOf('account'), claim: 'two', at: at(0) })).toMatchObject({
        state: 'claimed',
        isRetry: false,
      })
    })

    test('a claim without an answer lapses, for the same request alone, and who had it can answer no more', async () => {
      await store.claim({ ...of, claim: 'one', at: at(0) })
      expect(await store.claim({ ...of, claim: 'two', at: at(claimMs - 1) })).toMatchObject({ state: 'in-progress' })
      expect(await store.claim({ ...of, requestSha256: '0'.repeat(64), claim: 'two', at: at(claimMs) })).toMatchObject({
        state: 'in-progress',
      })
      expect(await store.claim({ ...of, claim: 'two', at: at(claimMs) })).toEqual({ state: 'claimed', firstAt: at(0), isRetry: true })
      await store.answer({ ...of, claim: 'one' }, { ...answer, status: 200 })
      expect(await store.claim({ ...of, claim: 'three', at: at(claimMs) })).toMatchObject({ state: 'in-progress' })
      await store.answer({ ...of, claim: 'two' }, answer)
      expect(await store.claim({ ...of, claim: 'three', at: at(claimMs) })).toMatchObject({ state: 'answered', answer })
    })

    test('a claim that is released is free at once, and the next one is a retry', async () => {
      await store.claim({ ...of, claim: 'one', at: at(0) })
      await store.release({ ...of, claim: 'another' })
      expect(await store.claim({ ...of, claim: 'two', at: at(0) })).toMatchObject({ state: 'in-progress' })
      await store.release({ ...of, claim: 'one' })
      expect(await store.claim({ ...of, claim: 'two', at: at(0) })).toEqual({ state: 'claimed', firstAt: at(0), isRetry: true })
    })

    test('after a day a key is free for any request', async () => {
      await store.claim({ ...of, claim: 'one', at: at(0) })
      await store.answer({ ...of, claim: 'one' }, answer)
      expect(await store.claim({ ...of, claim: 'two', at: at(keptMs - 1) })).toMatchObject({ state: 'answered' })
      const other = { ...of, requestSha256: '1'.repeat(64), claim: 'two', at: at(keptMs) }
      expect(await store.claim(other)).toEqual({ state: 'claimed', firstAt: at(keptMs), isRetry: false })
      expect(await store.claim({ ...other, claim: 'three' })).toEqual({ state: 'in-progress', requestSha256: other.requestSha256 })
    })
  })
}
