// Work that goes on beside requests until it is told to stop: one step at a time, woken early when there is something to do, with
// back-off while it fails.
import type { Log } from './log.ts'
import { retryDelayMs } from './retry-delay.ts'

/** @returns true when there may be more to do at once */
export type Step = () => Promise<boolean>

export class BackgroundLoop {
  readonly #name: string
  readonly #step: Step
  readonly #log: Log
  readonly #idleMs: number
  readonly #retryMsMax: number | undefined
  #wake: (() => void) | undefined
  #woken = false
  #stopped = false
  #failures = 0
  #done: Promise<void> = Promise.resolve()

  constructor(name: string, { step, log, idleMs, retryMsMax }: { step: Step; log: Log; idleMs: number; retryMsMax?: number }) {
    this.#name = name
    this.#step = step
    this.#log = log
    this.#idleMs = idleMs
    this.#retryMsMax = retryMsMax
  }

  start(): void {
    this.#done = this.#run()
  }

  /** There is something to do. While the loop backs off after a failure this is not heard. */
  wake(): void {
    this.#woken = true
    if (this.#failures === 0) this.#wake?.()
  }

  /** Works on without pauses until there is nothing to do, an attempt fails or `until` has passed; then stops. */
  async drain(until: number): Promise<void> {
    this.#stopped = true
    this.#wake?.()
    await Promise.race([this.#done, pause(until - Date.now())])
    try {
      while (Date.now() < until && (await Promise.race([this.#step(), pause(until - Date.now())])));
    } catch (error) {
      this.#log.warn({ err: error, loop: this.#name }, 'left for the next start')
    }
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        const more = await this.#step()
        this.#failures = 0
        if (!more && !this.#woken) await this.#pause(this.#idleMs)
      } catch (error) {
        // Every attempt at first, then only the powers of two: an outage of an hour is not an hour of lines.
        const attempt = this.#failures++
        if ((attempt & (attempt - 1)) === 0)
          this.#log.warn({ err: error, loop: this.#name, attempt: attempt + 1 }, 'attempt failed, will be repeated')
        await this.#pause(retryDelayMs(attempt, { maxMs: this.#retryMsMax }))
      }
      this.#woken = false
    }
  }

  #pause(ms: number): Promise<void> {
    if (this.#stopped) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

function pause(ms: number): Promise<false> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms), false).unref())
}
