import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { signatureWindowMs } from '../../shared/signing.ts'
import { NonceMemory } from '../../sandbox-host/nonce-memory.ts'

const nonce = () => randomBytes(16).toString('hex')

test('a nonce is new once', () => {
  const memory = new NonceMemory()
  const [a, b] = [nonce(), nonce()]
  expect(memory.remember(a, { at: 0, now: 0 })).toBe('new')
  expect(memory.remember(b, { at: 0, now: 0 })).toBe('new')
  expect(memory.remember(a, { at: 0, now: signatureWindowMs })).toBe('seen')
})

test('it is forgotten when its signature is stale anyway, not before', () => {
  const memory = new NonceMemory()
  const at = 1_000_000
  const a = nonce()
  memory.remember(a, { at, now: at - signatureWindowMs })
  for (let now = at; now <= at + signatureWindowMs; now += 1_000) expect(memory.remember(a, { at, now })).toBe('seen')
  memory.remember(nonce(), { at: at + 2 * signatureWindowMs, now: at + 2 * signatureWindowMs })
  expect(memory.size).toBe(1)
})

test('a full memory refuses what it could not recognise again', () => {
  const memory = new NonceMemory(2)
  memory.remember(nonce(), { at: 0, now: 0 })
  memory.remember(nonce(), { at: 0, now: 0 })
  expect(memory.remember(nonce(), { at: 0, now: 0 })).toBe('full')
  const later = signatureWindowMs + 10_000
  expect(memory.remember(nonce(), { at: later, now: later })).toBe('new')
})
