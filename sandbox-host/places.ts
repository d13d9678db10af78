// So many at once; whoever comes later waits for a place, in turn.
export class Places {
  readonly #max: number
  readonly #waiting = new Set<() => void>()
  #taken = 0

  constructor(max: number) {
    this.#max = max
  }

  /** @param signal aborted: whoever waits still does so no longer. @throws its reason, then */
  async hold<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted()
    if (this.#taken < this.#max) this.#taken++
    else await this.#turn(signal)
    try {
      return await work()
    } finally {
      // A place that somebody waits for is handed on.
      const [next] = this.#waiting
      if (next) next()
      else this.#taken--
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const leave = () => {
      this.#waiting.delete(go)
      signal.removeEventListener('abort', giveUp)
    }
    const go = () => {
      leave()
      resolve()
    }
    const giveUp = () => {
      leave()
      reject(signal.reason)
    }
    this.#waiting.add(go)
    signal.addEventListener('abort', giveUp)
    return promise
  }
}
