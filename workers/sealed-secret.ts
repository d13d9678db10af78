// Secrets that must be read again, encrypted for the database: AES-256-GCM under a key that is derived from a secret of the Worker. Whoever
// reads the table, or a copy of it, can sign for nobody; and a sealed secret opens only as that of the row it was sealed for.
import { fromBase64, toBase64 } from './base64.ts'
import { createCipherKey } from './cipher-key.ts'

/** Of the kind that AES-GCM is made for: https://nvlpubs.nist.gov/nistpubs/Legacy/SP/nistspecialpublication800-38d.pdf, 8.2 */
const nonceBytes = 12

export type SecretBox = {
  /** @param owner id of what the secret belongs to */
  seal(secret: Uint8Array<ArrayBuffer>, owner: string): Promise<string>
  /** @throws Error when it was sealed under another key or for another owner, or was changed */
  open(sealed: string, owner: string): Promise<Uint8Array<ArrayBuffer>>
}

/** @param purpose keeps keys for different things apart; changing it makes what was sealed unreadable */
export function createSecretBox({ secret, purpose }: { secret: string; purpose: string }): SecretBox {
  const text = new TextEncoder()
  const cipherKey = createCipherKey({ secret, purpose })

  return {
    async seal(plain, owner) {
      const iv = crypto.getRandomValues(new Uint8Array(nonceBytes))
      const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: text.encode(owner) }, await cipherKey(), plain)
      return `v1.${toBase64(iv)}.${toBase64(new Uint8Array(sealed))}`
    },
    async open(sealed, owner) {
      const [version, iv = '', bytes = ''] = sealed.split('.')
      if (version !== 'v1') throw new Error(`a sealed secret of the unknown form ${JSON.stringify(version)}`)
      const opening = { name: 'AES-GCM', iv: fromBase64(iv), additionalData: text.encode(owner) }
      return new Uint8Array(await crypto.subtle.decrypt(opening, await cipherKey(), fromBase64(bytes)))
    },
  }
}
