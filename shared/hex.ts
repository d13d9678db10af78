// Bytes out of hexadecimal text.
import { assert } from './assert.ts'

/** @param hex an even number of digits */
export function bytesOfHex(hex: string): Uint8Array<ArrayBuffer> {
  assert(/^(?:[0-9a-f]{2})*$/.test(hex), 'hexadecimal text has two lower-case digits a byte')
  const bytes = new Uint8Array(hex.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16)
  return bytes
}
