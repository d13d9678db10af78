// One text for one value: JSON as RFC 8785 (JCS) writes it, with numbers restricted to safe integers, whose form every language agrees on.
// What is signed or hashed is this text, so whoever holds the value can rebuild the bytes.
import { assert } from './assert.ts'

export type CanonicalValue =
  | null
  | boolean
  | number
  | string
  | readonly CanonicalValue[]
  /** A property that is undefined is absent. */
  | { readonly [name: string]: CanonicalValue | undefined }

/** Assertion fails on fractions, unsafe integers and lone surrogates, which have no canonical form here. */
export function canonicalJson(value: CanonicalValue): string {
  if (typeof value === 'string') {
    assert(value.isWellFormed(), 'a text with half a character has no canonical form')
    return JSON.stringify(value)
  }
  if (typeof value === 'number') {
    assert(Number.isSafeInteger(value), 'only safe integers have a canonical form')
    // -0 is 0 here as in RFC 8785.
    return String(value)
  }
  if (value === null || typeof value === 'boolean') return String(value)
  let text = ''
  if (isList(value)) {
    for (const item of value) text += `${text === '' ? '' : ','}${canonicalJson(item)}`
    return `[${text}]`
  }
  // Sorting without a comparator is by UTF-16 code units, which is the order that the RFC asks for.
  for (const name of Object.keys(value).toSorted()) {
    const member = value[name]
    if (member !== undefined) text += `${text === '' ? '' : ','}${canonicalJson(name)}:${canonicalJson(member)}`
  }
  return `{${text}}`
}

function isList(value: object): value is readonly CanonicalValue[] {
  return Array.isArray(value)
}
