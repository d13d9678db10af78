// What Upstash counts for all isolates, over a map, with a switch that turns it off and a count of round trips.
import type { UsageCounter } from '../../shared/ports.ts'
import { windowStart } from '../../shared/rate-limit.ts'

export type MemoryUsageCounter = UsageCounter & { isDown: boolean; calls: number }

export function memoryUsageCounter(now: () => number): MemoryUsageCounter {
  const used = new Map<string, number>()
  const counter: MemoryUsageCounter = {
    isDown: false,
    calls: 0,
    async add(subject, { amount, limit }) {
      counter.calls++
      if (counter.isDown) throw new Error('the cache is down')
      const window = `${subject} ${windowStart(limit, now())}`
      used.set(window, (used.get(window) ?? 0) + amount)
      return Math.min(used.get(window) ?? 0, limit.requests)
    },
  }
  return counter
}
