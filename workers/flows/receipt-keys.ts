// Which keys sign receipts. A host's public key arrives with its first word, before it is given work, and with its outcomes. It stays when the host
// is gone: receipts outlive whoever signed them.
import { receiptKeyId, type ReceiptKey, type RegisteredReceiptKey } from '../../shared/receipt.ts'
import { ProblemError } from '../../shared/problem.ts'
import { sha256Hex } from '../hex.ts'
import type { Services } from '../services.ts'

/** One for each data directory that a host ever had. */
const keysMax = 1_000

/** @throws ProblemError `invalid-request` when the id is not the key's */
export async function registerReceiptKey(services: Services, { host, key }: { host: string; key: ReceiptKey }): Promise<void> {
  const { receiptKeys, registeredKeys } = services
  if (registeredKeys.has(key.id)) return
  if (key.id !== (await receiptKeyId(key.publicKey, sha256Hex))) {
    throw new ProblemError('invalid-request', { detail: `receiptKey.id ${key.id} is not the id of that public key` })
  }
  await receiptKeys.register({ ...key, host })
  await services.reads.forget('receipt-keys')
  if (registeredKeys.size < keysMax) registeredKeys.add(key.id)
  services.log.info('receipt key registered', { host, keyId: key.id })
}

export function listReceiptKeys({ receiptKeys }: Services): Promise<RegisteredReceiptKey[]> {
  return receiptKeys.list(keysMax)
}
