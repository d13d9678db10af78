// Ids of runs that were cancelled a while ago: a request to run one of them may still be on its way, and begins nothing.

/** Longer than a request may take to arrive: a run of the dearest tier and its waiting. */
const keptMs = 300_000
/** At 100 bytes each this is a megabyte. */
const idsMax = 10_000

export class CancelledRuns {
  readonly #until = new Map<string, number>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  add(id: string): void {
    this.#until.delete(id)
    this.#until.set(id, this.#now() + keptMs)
    const [oldest] = this.#until.keys()
    if (oldest !== undefined && this.#until.size > idsMax) this.#until.delete(oldest)
  }

  has(id: string): boolean {
    return (this.#until.get(id) ?? 0) > this.#now()
  }
}
