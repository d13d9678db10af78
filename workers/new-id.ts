// Fresh identifiers and salts, from the platform's randomness.
import { makeId, type IdKind } from '../shared/ids.ts'
import { toHex } from './hex.ts'

export function newId(kind: IdKind, at: number): string {
  return makeId(kind, { at, random: crypto.getRandomValues(new Uint8Array(10)) })
}

/** 32 hex digits. */
export function newSalt(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(16)))
}
