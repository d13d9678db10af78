// Counts requests in the isolate's memory and tells the shared counter about them afterwards, at most once a second for each subject and when
// they are worth telling: no request waits for a count, and a caller far from its limit costs Upstash next to nothing. The price: isolates do
// not know of one another's last second, nor of the last fiftieth of a limit. Without Upstash each isolate counts for itself.
//
//   take ─▶ own + others' of this window < limit? ─▶ answer          own ──(later, once a second)──▶ shared counter ─▶ others'
import type { UsageCounter } from '../shared/ports.ts'
import { windowStart, type RateLimit } from '../shared/rate-limit.ts'
import type { Counters } from './counters.ts'
import { MemoryCache } from './memory-cache.ts'

const reportEveryMs = 1_000
/**
 * Share of a limit that an isolate keeps to itself. A report is two or three commands, each dearer than six requests to the Worker; a caller
 * that asks once a second would cause one each time.
 */
const untoldShare = 0.02
/** A report that has not come to its end by now never will: the request that it ran behind was cancelled. */
const reportMsMax = 5_000
/** About 200 bytes each. Beyond, the subject that began its window first is forgotten, and counted from the shared counter again. */
const subjectsMax = 20_000

/** `reset` is when the window ends, in ms since 1970. `report` is there when the shared counter is to be told; run it in the background. */
export type Take = { isAllowed: boolean; remaining: number; reset: number; report: (() => Promise<void>) | undefined }

/** Requests of one subject in one window. */
type Use = {
  start: number
  /** By everybody, as far as the shared counter knew at the last report. */
  shared: number
  /** By this isolate, and nobody else knows yet. */
  unreported: number
  /** By this isolate, on its way to the shared counter or lost on it. */
  sent: number
  reportingSince: number | undefined
}

export type RateLimiterOptions = {
  counter: UsageCounter
  counters: Counters
  now?: () => number
  sleep?: (ms: number) => Promise<void>
}

export class RateLimiter {
  readonly #counter: UsageCounter
  readonly #counters: Counters
  readonly #now: () => number
  readonly #sleep: (ms: number) => Promise<void>
  readonly #uses: MemoryCache<Use>

  constructor({ counter, counters, now = Date.now, sleep = wait }: RateLimiterOptions) {
    this.#counter = counter
    this.#counters = counters
    this.#now = now
    this.#sleep = sleep
    // An entry is only ever read within its window.
    this.#uses = new MemoryCache({ entriesMax: subjectsMax, lifetimeMs: Number.POSITIVE_INFINITY, now })
  }

  take(subject: string, limit: RateLimit): Take {
    const now = this.#now()
    const use = this.#useOf(subject, windowStart(limit, now))
    const left = limit.requests - (use.shared + use.sent + use.unreported)
    const reset = use.start + limit.windowMs
    if (left <= 0) {
      this.#counters.add('rate_limited_total', { limit: limit.name })
      return { isAllowed: false, remaining: 0, reset, report: undefined }
    }
    use.unreported++
    if (!isWorthTelling(use, limit)) return { isAllowed: true, remaining: left - 1, reset, report: undefined }
    const isReporting = use.reportingSince !== undefined && now - use.reportingSince < reportMsMax
    if (!isReporting) use.reportingSince = now
    const report = isReporting ? undefined : () => this.#report(subject, use, limit)
    return { isAllowed: true, remaining: left - 1, reset, report }
  }

  #useOf(subject: string, start: number): Use {
    const held = this.#uses.get(subject)
    if (held?.start === start) return held
    const fresh = { start, shared: 0, unreported: 0, sent: 0, reportingSince: undefined }
    this.#uses.set(subject, fresh)
    return fresh
  }

  async #report(subject: string, use: Use, limit: RateLimit): Promise<void> {
    while (isWorthTelling(use, limit) && use.start === windowStart(limit, this.#now())) {
      const amount = use.unreported
      use.unreported = 0
      use.sent += amount
      use.reportingSince = this.#now()
      try {
        use.shared = await this.#counter.add(subject, { amount, limit })
        use.sent -= amount
      } catch {
        // It may have arrived all the same, so it is not sent again; here it stays counted.
        this.#counters.add('rate_limit_errors_total')
      }
      await this.#sleep(reportEveryMs)
    }
    use.reportingSince = undefined
  }
}

function isWorthTelling({ unreported }: Use, { requests }: RateLimit): boolean {
  return unreported > Math.floor(requests * untoldShare)
}

async function wait(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
}
