// Bytes as lower-case hexadecimal text, hashes, and a comparison that takes as long for a near miss as for a far one.

/** Every request makes 144 digits of hex: by a table, not by arithmetic. */
const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

export function toHex(bytes: Uint8Array): string {
  let text = ''
  // The index is a byte, so it is in the table.
  for (const byte of bytes) text += hexOfByte[byte] as string
  return text
}

export async function sha256Hex(data: Uint8Array<ArrayBuffer> | string): Promise<string> {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))
}

/** Time depends on the lengths only. */
export function isSameHex(left: string, right: string): boolean {
  if (left.length !== right.length) return false
  let difference = 0
  for (let i = 0; i < left.length; i++) difference |= left.charCodeAt(i) ^ right.charCodeAt(i)
  return difference === 0
}
