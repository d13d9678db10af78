// What a host says of itself.
import { randomBytes } from 'node:crypto'
import type { HostBeat } from '../../shared/host.ts'

export function beatOf(more: Partial<HostBeat> = {}): HostBeat {
  return {
    host: `host-${randomBytes(4).toString('hex')}`,
    instance: 'machine_1-a',
    state: 'up',
    tiers: ['basic', 'standard'],
    threads: 2,
    load: 3,
    receiptKey: { id: '0'.repeat(32), publicKey: '0'.repeat(64) },
    at: '2026-11-23T12:00:00.000Z',
    ...more,
  }
}
