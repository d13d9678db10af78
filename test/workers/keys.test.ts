// Keys from the outside: shown once, no larger than their maker, and dead within a minute of their deletion, in every isolate.
import { beforeEach, describe, expect, test } from 'vitest'
import { keysPerAccountMax, scopes } from '../../shared/api-key.ts'
import { adminKey, testEdge, type TestEdge } from '../fakes/test-edge.ts'

let edge: TestEdge
let key: string
beforeEach(async () => {
  edge = testEdge()
  key = (await edge.account('ada')).key
})

const make = (body: object, by = key) => edge.call('POST', '/api/keys', { key: by, body })
const me = (as: string, of = edge) => of.call('GET', '/api/accounts/me', { key: as })
const after = (ms: number) => new Date(edge.clock.now + ms).toISOString()

test('a key is shown in the answer that makes it, and nowhere else', async () => {
  const { status, body, headers } = await make({ name: 'ci' })
  expect(status).toBe(201)
  expect(headers.get('cache-control')).toBe('no-store')
  const { key: secret, ...shown } = body
  expect(secret).toMatch(/^ab_[\w-]{43}$/)
  expect(shown).toEqual({ id: expect.stringMatching(/^key_/), name: 'ci', scopes: [...scopes], createdAt: after(0), expiresAt: null })
  expect((await me(secret)).status).toBe(200)

  const { body: list, text } = await edge.call('GET', '/api/keys', { key })
  expect(list.items).toContainEqual(shown)
  expect(list.items).toHaveLength(2)
  expect(text).not.toMatch(/ab_|sha256|[0-9a-f]{64}/)
  expect(JSON.stringify(edge.log)).not.toContain(secret)
})

test('keys of another account are neither listed nor deleted', async () => {
  const { body: made } = await make({ name: 'mine' })
  const stranger = await edge.account('eve')
  expect((await edge.call('GET', '/api/keys', { key: stranger.key })).body.items).toHaveLength(1)
  const answer = await edge.call('DELETE', `/api/keys/${made.id}`, { key: stranger.key })
  expect([answer.status, answer.body.code]).toEqual([404, 'key-not-found'])
  expect((await me(made.key)).status).toBe(200)
})

describe('a key that is deleted', () => {
  test('is dead at once in the isolate that deleted it, and within a minute in every other', async () => {
    const other = testEdge({ beside: edge })
    const { body: made } = await make({ name: 'short' })
    for (const isolate of [edge, other]) expect((await me(made.key, isolate)).status).toBe(200)
    expect((await edge.call('DELETE', `/api/keys/${made.id}`, { key })).status).toBe(204)
    expect((await me(made.key)).body.code).toBe('unknown-key')
    expect((await me(made.key, other)).status).toBe(200)
    edge.clock.now += 50_000
    expect((await me(made.key, other)).body.code).toBe('unknown-key')
  })

  test('is not brought back by an answer of the database that was on its way', async () => {
    const other = testEdge({ beside: edge })
    const { body: made } = await make({ name: 'slow' })
    const { findGrant } = edge.database.keys
    edge.database.keys.findGrant = async (sha256) => {
      const grant = await findGrant(sha256)
      edge.clock.now += 30_000
      return grant
    }
    expect((await me(made.key, other)).status).toBe(200)
    edge.database.keys.findGrant = findGrant
    await edge.call('DELETE', `/api/keys/${made.id}`, { key })
    edge.clock.now += 20_000
    expect((await me(made.key, other)).body.code).toBe('unknown-key')
  })

  test('may have deleted itself; the administrator may delete any', async () => {
    const { body: own } = await make({ name: 'own' })
    expect((await edge.call('DELETE', `/api/keys/${own.id}`, { key: own.key })).status).toBe(204)
    expect((await me(own.key)).status).toBe(401)
    const { body: any } = await make({ name: 'any' })
    expect((await edge.call('DELETE', `/api/keys/${any.id}`, { key: adminKey })).status).toBe(204)
    expect((await edge.call('DELETE', `/api/keys/${any.id}`, { key: adminKey })).body.code).toBe('key-not-found')
  })
})

test('a key works until the instant at which it expires, also where it is known', async () => {
  const { body: made } = await make({ name: 'short', expiresAt: after(10_000) })
  edge.clock.now += 9_999
  expect((await me(made.key)).status).toBe(200)
  edge.clock.now += 1
  const answer = await me(made.key)
  expect([answer.status, answer.body.code]).toEqual([401, 'expired-key'])
  expect(answer.body.detail).toContain(made.expiresAt)
})

describe('a key makes no key', () => {
  test('that may do more', async () => {
    const { body: small } = await make({ name: 'small', scopes: ['keys', 'read'] })
    const answer = await make({ name: 'large', scopes: ['read', 'run'] }, small.key)
    expect([answer.status, answer.body.code]).toEqual([403, 'forbidden'])
    expect(answer.body.detail).toMatch(/scope run .*it has keys, read/)
    expect((await make({ name: 'same' }, small.key)).body.scopes).toEqual(['keys', 'read'])
  })

  test('that lives longer', async () => {
    const { body: short } = await make({ name: 'short', expiresAt: after(10_000) })
    const answer = await make({ name: 'long', expiresAt: after(10_001) }, short.key)
    expect([answer.status, answer.body.issues[0].field]).toEqual([400, 'expiresAt'])
    expect((await make({ name: 'equal', expiresAt: after(10_000) }, short.key)).body.expiresAt).toBe(after(10_000))
    expect((await make({ name: 'silent' }, short.key)).body.expiresAt).toBe(after(10_000))
  })

  test('that is one too many', async () => {
    for (let i = 1; i < keysPerAccountMax; i++) expect((await make({ name: `${i}` })).status).toBe(201)
    const answer = await make({ name: 'one too many' })
    expect([answer.status, answer.body.code]).toEqual([409, 'too-many-keys'])
    const { body } = await edge.call('GET', '/api/keys?limit=100', { key })
    expect(body.items).toHaveLength(keysPerAccountMax)
  })
})
