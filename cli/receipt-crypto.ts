// Hashing and Ed25519 for shared/receipt.ts, by Node.
import { createHash, createPublicKey, verify } from 'node:crypto'
import type { ReceiptCrypto } from '../shared/receipt.ts'

/** What stands before the 32 bytes of an Ed25519 key in SPKI (RFC 8410, section 4). */
const spkiHead = Buffer.from('302a300506032b6570032100', 'hex')

export const receiptCrypto: ReceiptCrypto = {
  sha256Hex: (bytes) => createHash('sha256').update(bytes).digest('hex'),
  verify({ publicKey, signature, message }) {
    const key = createPublicKey({ key: Buffer.concat([spkiHead, publicKey]), format: 'der', type: 'spki' })
    return verify(null, message, key, signature)
  },
}
