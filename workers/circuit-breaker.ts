// Keeps requests from waiting, one after the other, for something that does not answer: after a few failures in a row calls fail at once,
// and one call in every few seconds tries whether it is back.

const failuresMax = 3
const restMs = 5_000

export class CircuitBreaker {
  readonly #now: () => number
  #failures = 0
  #restUntil = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /** @throws Error of `work`, or at once while nothing is tried */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#failures >= failuresMax) {
      if (this.#now() < this.#restUntil) throw new Error(`not tried: the last ${this.#failures} calls failed`)
      // This call is the trial. One that is cancelled leaves the next to the time after.
      this.#restUntil = this.#now() + restMs
    }
    try {
      const result = await work()
      this.#failures = 0
      return result
    } catch (error) {
      this.#failures++
      this.#restUntil = this.#now() + restMs
      throw error
    }
  }
}
