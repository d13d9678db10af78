// Signs requests to the host and checks those of the host, with WebCrypto; what is signed stands in shared/signing.ts.
import { ProblemError } from '../shared/problem.ts'
import { formatSignature, isSignatureFresh, parseSignature, signatureHeader, signedText } from '../shared/signing.ts'
import type { SignatureAudience, SignedHead } from '../shared/signing.ts'
import { isSameHex, toHex } from './hex.ts'
import type { NonceMemory } from './nonce-memory.ts'

type Signable = { method: string; path: string; body: Uint8Array }

/** @returns the header to send with a request to a host, or with a message */
export type Signer = (request: Signable & { audience: SignatureAudience }) => Promise<Record<string, string>>

export function createSigner({ secret, now = Date.now }: { secret: string; now?: () => number }): Signer {
  const hmac = createHmac(secret)
  return async ({ audience, method, path, body }) => {
    const at = now()
    const nonce = toHex(crypto.getRandomValues(new Uint8Array(16)))
    const signature = await hmac({ audience, method, path, at, nonce }, body)
    return { [signatureHeader]: formatSignature({ at, nonce, signature }) }
  }
}

/** Throws ProblemError `invalid-signature` or `replayed-signature`. */
export type SignatureCheck = (request: Signable & { header: string | undefined }) => Promise<void>

export type SignatureCheckOptions = { secret: string; nonces: NonceMemory; now?: () => number }

export function createSignatureCheck({ secret, nonces, now = Date.now }: SignatureCheckOptions): SignatureCheck {
  const hmac = createHmac(secret)
  return async ({ method, path, body, header }) => {
    const parts = parseSignature(header)
    if (!parts) throw refusal(`header ${signatureHeader} must be present and of the form t=<ms>,n=<32 hex>,s=<64 hex>`)
    const expected = await hmac({ audience: 'worker', method, path, at: parts.at, nonce: parts.nonce }, body)
    if (!isSameHex(expected, parts.signature)) throw refusal('the signature does not belong to this request')
    if (!isSignatureFresh(parts.at, now())) throw refusal('the signature is too old or from the future; check the clocks')
    if (!nonces.remember(parts.nonce, now())) {
      throw new ProblemError('replayed-signature', { detail: 'a signature is good for one request; sign again to repeat it' })
    }
  }
}

const encoder = new TextEncoder()

function createHmac(secret: string): (head: SignedHead, body: Uint8Array) => Promise<string> {
  // The key itself, never a promise of it: a request must not wait for what another one began.
  let key: Awaited<ReturnType<typeof crypto.subtle.importKey>> | undefined
  return async (head, body) => {
    key ??= await crypto.subtle.importKey('raw', encoder.encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
    const headBytes = encoder.encode(signedText(head))
    const signed = new Uint8Array(headBytes.length + body.length)
    signed.set(headBytes)
    signed.set(body, headBytes.length)
    return toHex(new Uint8Array(await crypto.subtle.sign('HMAC', key, signed)))
  }
}

function refusal(detail: string): ProblemError {
  return new ProblemError('invalid-signature', { detail })
}
