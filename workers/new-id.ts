// Fresh identifiers, from the platform's randomness.
import { makeId, type IdKind } from '../shared/ids.ts'

export function newId(kind: IdKind, at: number): string {
  return makeId(kind, { at, random: crypto.getRandomValues(new Uint8Array(10)) })
}
