// A key of AES-256-GCM that is derived from a secret of the Worker, when it is needed for the first time.

type CipherKey = Awaited<ReturnType<typeof crypto.subtle.deriveKey>>

/** @param purpose keeps keys for different things apart; changing it makes what was encrypted unreadable */
export function createCipherKey({ secret, purpose }: { secret: string; purpose: string }): () => Promise<CipherKey> {
  // The key itself, never a promise of it: a request must not wait for what another one began.
  let held: CipherKey | undefined

  return async () => {
    if (held) return held
    const text = new TextEncoder()
    const base = await crypto.subtle.importKey('raw', text.encode(secret), 'HKDF', false, ['deriveKey'])
    const derivation = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: text.encode(`agent-bounty ${purpose}`) }
    held = await crypto.subtle.deriveKey(derivation, base, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
    return held
  }
}
