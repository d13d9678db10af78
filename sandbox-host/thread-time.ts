// How long each guest that has begun has been on a thread, without asking the engine: it gives all of them their slices in turn, so in a
// moment in which `running` share `threads`, each gets the same part of it. One sum serves all of them: a run took what the sum grew by.
import type { Clock } from './clock.ts'

export class ThreadTime {
  readonly #threads: number
  readonly #clock: Clock
  #running = 0
  #micros = 0
  #at: number

  constructor(threads: number, clock: Clock) {
    this.#threads = threads
    this.#clock = clock
    this.#at = clock.now()
  }

  /** Of a run that was there from the beginning. */
  get micros(): number {
    const now = this.#clock.now()
    if (this.#running > 0) this.#micros += (now - this.#at) * 1_000 * Math.min(1, this.#threads / this.#running)
    this.#at = now
    return this.#micros
  }

  /** @returns `micros` at this moment */
  change(running: number): number {
    const { micros } = this
    this.#running = running
    return micros
  }
}
