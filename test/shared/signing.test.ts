import { describe, expect, test } from 'vitest'
import { formatSignature, isSignatureFresh, parseSignature, signatureWindowMs, signedText } from '../../shared/signing.ts'

const parts = { at: 1_700_000_000_000, nonce: 'ab'.repeat(16), signature: 'cd'.repeat(32) }

describe('signature headers', () => {
  test('are read as they are written', () => expect(parseSignature(formatSignature(parts))).toEqual(parts))

  test.each(['', 't=1,n=2,s=3', `${formatSignature(parts)},`, formatSignature(parts).toUpperCase(), ` ${formatSignature(parts)}`])(
    'of the form "%s" are refused',
    (header) => expect(parseSignature(header)).toBeUndefined(),
  )

  test('that are absent are refused', () => expect(parseSignature(null)).toBeUndefined())
})

test('a signature is fresh up to the window on either side and not a millisecond longer', () => {
  const now = 1_700_000_000_000
  for (const side of [-1, 1]) {
    expect(isSignatureFresh(now + side * signatureWindowMs, now)).toBe(true)
    expect(isSignatureFresh(now + side * (signatureWindowMs + 1), now)).toBe(false)
  }
})

test('every part of the head changes what is signed', () => {
  const head = { audience: 'host a', method: 'POST', path: '/v1/executions', at: 1, nonce: 'n' } as const
  const texts = [
    head,
    { ...head, audience: 'worker' as const },
    { ...head, audience: 'host b' as const },
    { ...head, method: 'GET' },
    { ...head, path: '/x' },
    { ...head, at: 2 },
    { ...head, nonce: 'm' },
  ]
  expect(new Set(texts.map(signedText)).size).toBe(texts.length)
})
