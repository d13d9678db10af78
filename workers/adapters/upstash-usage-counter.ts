// What callers used, counted in Upstash by @upstash/ratelimit: one script a report, in windows of the clock. Its own cache, time-out and
// analytics are off: workers/rate-limiter.ts keeps the counts that requests are answered from.
import { Ratelimit } from '@upstash/ratelimit'
import { Redis } from '@upstash/redis/cloudflare'
import type { UsageCounter } from '../../shared/ports.ts'
import type { RateLimit } from '../../shared/rate-limit.ts'

/** Nobody waits for it; it only must not go on for ever. */
const callMsMax = 1_000

export function upstashUsageCounter({ url, token }: { url: string; token: string }): UsageCounter {
  const redis = new Redis({
    url,
    token,
    retry: false,
    enableAutoPipelining: false,
    enableTelemetry: false,
    signal: () => AbortSignal.timeout(callMsMax),
  })
  const counters = new Map<string, Ratelimit>()

  function counterOf({ name, requests, windowMs }: RateLimit): Ratelimit {
    const key = `${name} ${requests} ${windowMs}`
    let counter = counters.get(key)
    if (!counter) {
      const limiter = Ratelimit.fixedWindow(requests, `${windowMs} ms`)
      counter = new Ratelimit({ redis, limiter, prefix: `rate:${name}`, ephemeralCache: false, timeout: 0, analytics: false })
      counters.set(key, counter)
    }
    return counter
  }

  return {
    async add(subject, { amount, limit }) {
      const { remaining } = await counterOf(limit).limit(subject, { rate: amount })
      return limit.requests - Math.max(0, remaining)
    },
  }
}
