// A session of the pages: the hash of the key that somebody signed in with, and when the session ends, encrypted (AES-256-GCM) for a cookie
// that scripts cannot read. It holds nothing that signs in anywhere else, and is worth what its key is worth: the key is looked up on each
// use like one in a header, so a session ends within a minute of its key. Calls under /api know no cookies.
import { fromBase64Url, toBase64Url } from './base64.ts'
import { createCipherKey } from './cipher-key.ts'
import { toHex } from './hex.ts'

/** A working day. */
export const sessionSeconds = 12 * 3_600

const ivBytes = 12
const hashBytes = 32
const timeBytes = 4
/** Of AES-GCM. */
const tagBytes = 16
const sealedForm = new RegExp(`^[A-Za-z0-9_-]{${Math.ceil(((ivBytes + hashBytes + timeBytes + tagBytes) * 4) / 3)}}$`)

export type Sessions = {
  seal(keySha256: string): Promise<string>
  /** @returns the hash of the key; undefined when the session has ended, or is none of ours */
  open(sealed: string): Promise<string | undefined>
}

/** @param secret of the Worker alone: whoever has it, and the hash of a key, can speak for the key */
export function createSessions({ secret, now }: { secret: string; now: () => number }): Sessions {
  const cipherKey = createCipherKey({ secret, purpose: 'session v1' })

  return {
    async seal(keySha256) {
      const plain = new Uint8Array(timeBytes + hashBytes)
      new DataView(plain.buffer).setUint32(0, Math.floor(now() / 1_000) + sessionSeconds)
      plain.set(
        Array.from({ length: hashBytes }, (_, i) => Number.parseInt(keySha256.slice(2 * i, 2 * i + 2), 16)),
        timeBytes,
      )
      const iv = crypto.getRandomValues(new Uint8Array(ivBytes))
      const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, await cipherKey(), plain)
      return toBase64Url(new Uint8Array([...iv, ...new Uint8Array(sealed)]))
    },

    async open(sealed) {
      if (!sealedForm.test(sealed)) return undefined
      const bytes = fromBase64Url(sealed)
      const opening = { name: 'AES-GCM', iv: bytes.subarray(0, ivBytes) }
      const plain = await crypto.subtle.decrypt(opening, await cipherKey(), bytes.subarray(ivBytes)).catch(() => undefined)
      if (plain === undefined || new DataView(plain).getUint32(0) * 1_000 <= now()) return undefined
      return toHex(new Uint8Array(plain).subarray(timeBytes))
    },
  }
}
