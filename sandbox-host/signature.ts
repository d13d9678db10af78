// Signs and checks requests between Worker and host with Node's crypto; what is signed stands in shared/signing.ts.
import { createHmac, createSecretKey, randomBytes, timingSafeEqual } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { formatSignature, isSignatureFresh, parseSignature, signatureHeader, signatureWindowMs, signedText } from '../shared/signing.ts'
import type { SignatureAudience, SignedHead } from '../shared/signing.ts'
import { ProblemError } from '../shared/problem.ts'
import type { NonceMemory } from './nonce-memory.ts'

type Signable = { audience: SignatureAudience; method: string; path: string; body: Uint8Array; now: number }

/** @returns the header to send with a request */
export function signRequest({ secret, body, now, ...head }: Signable & { secret: string }): Record<string, string> {
  const signed = { ...head, at: now, nonce: randomBytes(16).toString('hex') }
  const signature = hmac(createSecretKey(secret, 'utf8'), signed, body).toString('hex')
  return { [signatureHeader]: formatSignature({ ...signed, signature }) }
}

export type SignatureCheck = (request: { method: string; path: string; header: string | undefined; body: Uint8Array }) => void

/** @returns a check that throws ProblemError `invalid-signature` or `replayed-signature` */
export function createSignatureCheck({
  secret,
  audience,
  nonces,
  notBefore = 0,
  now = Date.now,
}: {
  secret: string
  audience: SignatureAudience
  nonces: NonceMemory
  /** What was signed earlier may have been seen by a process that is gone. */
  notBefore?: number
  now?: () => number
}): SignatureCheck {
  const key = createSecretKey(secret, 'utf8')
  return ({ method, path, header, body }) => {
    const parts = parseSignature(header)
    if (!parts) throw refusal(`header ${signatureHeader} must be present and of the form t=<ms>,n=<32 hex>,s=<64 hex>`)
    const expected = hmac(key, { audience, method, path, at: parts.at, nonce: parts.nonce }, body)
    // Before the clock: somebody without the secret learns nothing about it.
    if (!timingSafeEqual(expected, Buffer.from(parts.signature, 'hex'))) throw refusal('the signature does not belong to this request')
    const at = now()
    if (!isSignatureFresh(parts.at, at)) {
      throw refusal(
        `signed ${Math.round((at - parts.at) / 1000)} s ago by the host's clock; at most ${signatureWindowMs / 1000} s either way are allowed`,
      )
    }
    if (parts.at < notBefore) {
      throw new ProblemError('replayed-signature', { detail: 'it was signed before this process of the host began; sign again' })
    }
    const fate = nonces.remember(parts.nonce, { at: parts.at, now: at })
    if (fate === 'seen')
      throw new ProblemError('replayed-signature', { detail: 'a signature is good for one request; sign again to repeat it' })
    if (fate === 'full')
      throw new ProblemError('overloaded', { detail: 'more signed requests than the host can tell apart', retryAfterSeconds: 10 })
  }
}

function hmac(key: KeyObject, head: SignedHead, body: Uint8Array): Buffer {
  return createHmac('sha256', key).update(signedText(head)).update(body).digest()
}

function refusal(detail: string): ProblemError {
  return new ProblemError('invalid-signature', { detail })
}
