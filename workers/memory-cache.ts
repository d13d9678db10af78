// The first cache level: a bounded map in the isolate whose entries live for seconds. Holds values only, never promises.

export type MemoryCacheOptions = {
  entriesMax: number
  lifetimeMs: number
  now?: () => number
  /** Bound on the sum of the sizes that entries are set with. */
  sizeMax?: number
}

type Entry<V> = { value: V; until: number; size: number }

export class MemoryCache<V> {
  /** In the order of setting: the first is the oldest. */
  readonly #entries = new Map<string, Entry<V>>()
  readonly #options: Required<MemoryCacheOptions>
  #size = 0

  constructor(options: MemoryCacheOptions) {
    this.#options = { now: Date.now, sizeMax: Number.POSITIVE_INFINITY, ...options }
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key)
    if (!entry) return undefined
    if (entry.until > this.#options.now()) return entry.value
    this.delete(key)
    return undefined
  }

  /** An entry larger than all that may be held is not kept. */
  set(key: string, value: V, { size = 1, lifetimeMs = this.#options.lifetimeMs }: { size?: number; lifetimeMs?: number } = {}): void {
    const { entriesMax, sizeMax, now } = this.#options
    this.delete(key)
    if (size > sizeMax) return
    this.#entries.set(key, { value, until: now() + lifetimeMs, size })
    this.#size += size
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= entriesMax && this.#size <= sizeMax) break
      this.delete(oldest)
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key)
    if (!entry) return
    this.#size -= entry.size
    this.#entries.delete(key)
  }

  clear(): void {
    this.#entries.clear()
    this.#size = 0
  }
}
