// Names and what they stand for, in a map. `failing` = the resolver does not answer.
import type { AddressResolver } from '../../shared/webhook-ports.ts'

export type MemoryAddresses = AddressResolver & { names: Map<string, string[]>; failing: boolean }

export function memoryAddresses(): MemoryAddresses {
  const addresses: MemoryAddresses = {
    names: new Map(),
    failing: false,
    async resolve(name) {
      if (addresses.failing) throw new Error('the resolver does not answer')
      return addresses.names.get(name) ?? []
    },
  }
  return addresses
}
