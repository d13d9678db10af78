// The shared cache over a map, with a switch that turns it off and a count of round trips.
import type { SharedCache } from '../../shared/ports.ts'

export type MemorySharedCache = SharedCache & { isDown: boolean; calls: number }

export function memorySharedCache(): MemorySharedCache {
  const entries = new Map<string, string>()
  const cache: MemorySharedCache = {
    isDown: false,
    calls: 0,
    async read(keys) {
      begin()
      return keys.map((key) => entries.get(key) ?? null)
    },
    async write(key, { text }) {
      begin()
      entries.set(key, text)
    },
    async ping() {
      begin()
    },
  }
  function begin() {
    cache.calls++
    if (cache.isDown) throw new Error('the cache is down')
  }
  return cache
}
