// Fresh API keys, from the platform's randomness.

/** `ab_` and 256 random bits as base64url, as apiKeySchema says. */
export function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32))
  return `ab_${btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')}`
}
