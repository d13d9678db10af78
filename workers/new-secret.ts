// Fresh API keys, from the platform's randomness.
import { toBase64Url } from './base64.ts'

/** `ab_` and 256 random bits as base64url, as apiKeySchema says. */
export function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32))
  return `ab_${toBase64Url(bytes)}`
}
