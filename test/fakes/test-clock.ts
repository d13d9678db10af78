// A clock that stands still until a test moves it.
import type { Clock } from '../../sandbox-host/clock.ts'

export type TestClock = Clock & {
  /** Moves time to the next timer after the other, up to `ms` from now. */
  advance: (ms: number) => void
  /** Timers that are set. */
  timers: () => number
}

export function testClock(): TestClock {
  let now = 1_000
  const timers = new Set<{ at: number; act: () => void }>()
  return {
    now: () => now,
    after(ms, act) {
      const timer = { at: now + ms, act }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    timers: () => timers.size,
    advance(ms) {
      const end = now + ms
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)
        if (!next) break
        timers.delete(next)
        now = Math.max(now, next.at)
        next.act()
      }
      now = end
    },
  }
}
