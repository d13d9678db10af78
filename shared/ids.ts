// Prefixed, time-sortable identifiers: `exe_` + 26 characters of Crockford base32 over 48 bits of time and 80 random bits (the ULID
// layout), so that text order is creation order and keyset pagination can run on the id alone.
import { z } from 'zod'

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/** Every prefix there is; the name says which kind of thing carries it. */
export const idPrefixes = {
  account: 'acc',
  bounty: 'bty',
  case: 'cas',
  agent: 'agt',
  submission: 'sub',
  rejudging: 'rjd',
  execution: 'exe',
  apiKey: 'key',
  transfer: 'trf',
  webhook: 'whk',
  event: 'evt',
  delivery: 'dlv',
  deadLetter: 'dlt',
} as const
export type IdKind = keyof typeof idPrefixes

/**
 * Builds an id of `kind`.
 * @param at creation time in ms since 1970 (48 bits used)
 * @param random at least 10 random bytes from a cryptographic source
 */
export function makeId(kind: IdKind, { at, random }: { at: number; random: Uint8Array }): string {
  let text = ''
  for (let rest = at, i = 0; i < 10; i++) {
    text = alphabet.charAt(rest % 32) + text
    rest = Math.floor(rest / 32)
  }
  let bits = 0
  let held = 0
  for (let i = 0; i < 10; i++) {
    held = (held << 8) | (random[i] ?? 0)
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += alphabet.charAt((held >> bits) & 31)
    }
    held &= (1 << bits) - 1
  }
  return `${idPrefixes[kind]}_${text}`
}

/** Schema of an id of `kind`; the message names the expected form. */
export function idSchema(kind: IdKind) {
  const prefix = idPrefixes[kind]
  return z
    .string()
    .regex(new RegExp(`^${prefix}_[0-9a-hjkmnp-tv-z]{26}$`), `must be ${prefix}_ followed by 26 characters of lower-case base32`)
    .meta({ description: `Identifier of one ${kind}`, example: `${prefix}_01kaxxt5f00000000000000000` })
}
