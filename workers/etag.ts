// Entity tags: what a caller holds already is not sent again.
import { sha256Hex } from './hex.ts'

/** Weak: it is of the text, and the platform may compress what it sends. */
export async function etagOf(text: string): Promise<string> {
  return `W/"${(await sha256Hex(text)).slice(0, 32)}"`
}

/** @param header `If-None-Match`; compared weakly, as RFC 9110 (section 13.1.2) says */
export function holdsAlready(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  const bare = (tag: string) => tag.trim().replace(/^W\//, '')
  return header.trim() === '*' || header.split(',').some((tag) => bare(tag) === bare(etag))
}
