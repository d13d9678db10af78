// Which keys sign receipts. A host's public key arrives with its outcomes; who asks for the keys before the first ones came gets them from
// the host itself.
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

export async function listReceiptKeys(services: Services): Promise<RegisteredReceiptKey[]> {
  const { receiptKeys, sandbox } = services
  // Without the host the keys that are known are still right.
  const [listed, current] = await Promise.all([receiptKeys.list(keysMax), sandbox.receiptKey().catch(() => undefined)])
  if (!current || listed.some(({ id }) => id === current.id)) return listed
  await registerReceiptKey(services, { host: current.host, key: { id: current.id, publicKey: current.publicKey } })
  return receiptKeys.list(keysMax)
}
