// The second cache level: Upstash Redis over REST. One short try; a cache that has to be waited for is none.
import { Redis } from '@upstash/redis/cloudflare'
import type { SharedCache } from '../../shared/ports.ts'

/** Upstash answers in under 50 ms within a continent (p99); beyond five times that the database is the faster way. */
const callMsMax = 250

/** Slow is not down: a probe waits longer than a read, and still shows an outage within 2 s. */
const pingMsMax = 800

/** Upstash refuses requests over 1 MB; entries stay well below. */
export const entryCharactersMax = 256 * 1024

export function upstashSharedCache({ url, token }: { url: string; token: string }): SharedCache {
  const options = {
    url,
    token,
    retry: false,
    // Values are text that we made ourselves, and plain JSON carries it.
    automaticDeserialization: false,
    responseEncoding: false,
    // It would gather commands of several requests into one, and a Worker's request must not wait on another's I/O.
    enableAutoPipelining: false,
    enableTelemetry: false,
  } as const
  const redis = new Redis({ ...options, signal: () => AbortSignal.timeout(callMsMax) })
  const probe = new Redis({ ...options, signal: () => AbortSignal.timeout(pingMsMax) })
  return {
    async read(keys) {
      return redis.mget<(string | null)[]>(...keys)
    },
    async write(key, { text, lifetimeSeconds }) {
      if (text.length > entryCharactersMax) return
      await redis.set(key, text, { ex: lifetimeSeconds })
    },
    async ping() {
      await probe.ping()
    },
  }
}
