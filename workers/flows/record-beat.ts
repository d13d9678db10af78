// A host says how it is. Its receipt key is known before anybody can be given work by it.
import type { HostBeat } from '../../shared/host.ts'
import type { Services } from '../services.ts'
import { registerReceiptKey } from './receipt-keys.ts'

export async function recordBeat(services: Services, beat: HostBeat): Promise<void> {
  await registerReceiptKey(services, { host: beat.host, key: beat.receiptKey })
  await services.hosts.beat(beat)
}
