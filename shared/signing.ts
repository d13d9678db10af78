// Requests between Worker and host are signed with a shared secret: HMAC-SHA256 over method, path, time, nonce and body. This file
// says what is signed and what makes a signature stale; each side computes the HMAC with its own platform's crypto.
import { z } from 'zod'

/** Signatures older or newer than this are refused; nonces are remembered for twice as long. */
export const signatureWindowMs = 60_000

/** `Bounty-Signature: t=<ms>,n=<nonce>,s=<hex HMAC-SHA256>` */
export const signatureHeader = 'Bounty-Signature'

/** Whom a signature is for: one host by its id, the Worker, or whoever takes messages, of which the path is their topic. It is worthless against anybody else. */
export type SignatureAudience = `host ${string}` | 'worker' | 'event-log'

/** In the place of a request's method, for a message. */
export const publishMethod = 'PUBLISH'

export type SignedHead = { audience: SignatureAudience; method: string; path: string; at: number; nonce: string }

/** Text that is signed, followed by the body's bytes. `path` includes the query. */
export function signedText({ audience, method, path, at, nonce }: SignedHead): string {
  return `agent-bounty-v1\n${audience}\n${method}\n${path}\n${at}\n${nonce}\n`
}

const headerSchema = z.string().regex(/^t=\d{1,15},n=[0-9a-f]{32},s=[0-9a-f]{64}$/)
export type SignatureParts = { at: number; nonce: string; signature: string }

export function formatSignature({ at, nonce, signature }: SignatureParts): string {
  return `t=${at},n=${nonce},s=${signature}`
}

/** @returns undefined when the header is absent or has another form */
export function parseSignature(header: string | null | undefined): SignatureParts | undefined {
  if (!headerSchema.safeParse(header).success || !header) return undefined
  const [t = '', n = '', s = ''] = header.split(',')
  return { at: Number(t.slice(2)), nonce: n.slice(2), signature: s.slice(2) }
}

export function isSignatureFresh(at: number, now: number): boolean {
  return Math.abs(now - at) <= signatureWindowMs
}
