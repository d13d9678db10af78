// The host's receipt key: an Ed25519 key that says "this host ran it". It is made at the first start and stays in the data directory, or
// comes from RECEIPT_KEY; only its public half ever leaves.
import { createHash, createPrivateKey, createPublicKey, randomBytes } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ReceiptKey } from '../shared/receipt.ts'

export type SigningKey = ReceiptKey & { privateKey: KeyObject }

/** 32 bytes, from which Ed25519 derives the key (RFC 8032). */
export const receiptSeedForm = /^[0-9a-f]{64}$/

/** What stands before the 32 bytes in PKCS #8 (RFC 8410, section 7) and, in the public form, in SPKI. */
const pkcs8Head = Buffer.from('302e020100300506032b657004220420', 'hex')
const spkiHeadBytes = 12

/** @param given RECEIPT_KEY: 64 hex digits; without it the key of the data directory, which is made when there is none */
export async function readReceiptKey(dataDirectory: string, given: string | undefined): Promise<SigningKey> {
  return keyOfSeed(given ?? (await keptSeed(dataDirectory)))
}

export function keyOfSeed(seed: string): SigningKey {
  const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8Head, Buffer.from(seed, 'hex')]), format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(spkiHeadBytes)
  const id = createHash('sha256').update(publicKey).digest('hex').slice(0, 32)
  return { id, publicKey: publicKey.toString('hex'), privateKey }
}

async function keptSeed(dataDirectory: string): Promise<string> {
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 })
  const path = join(dataDirectory, 'receipt-key')
  const kept = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (kept !== undefined) {
    // A new key in its place would make everything that was signed look foreign, so somebody has to look.
    if (!receiptSeedForm.test(kept.trim())) throw new Error(`${path} is damaged: restore it, or remove it to begin with a new receipt key`)
    return kept.trim()
  }
  const made = randomBytes(32).toString('hex')
  await writeFile(`${path}.draft`, `${made}\n`, { mode: 0o600, flush: true })
  await rename(`${path}.draft`, path)
  return made
}
