// Time that passes as fast as the processor allows: a queue of what happens when. Code that awaits runs to its next wait between two happenings,
// so the product's own, which knows only `now` and promises, lives in it as it is.

type Happening = { at: number; order: number; happen: () => void }

export class VirtualTime {
  #now = 0
  #order = 0
  /** A binary heap by instant, then by order of planning. */
  readonly #heap: Happening[] = []

  get now(): number {
    return this.#now
  }

  /** @param ms from now */
  after(ms: number, happen: () => void): void {
    const heap = this.#heap
    heap.push({ at: this.#now + Math.max(ms, 0), order: this.#order++, happen })
    for (let i = heap.length - 1; i > 0;) {
      const parent = (i - 1) >> 1
      if (!isBefore(heap[i], heap[parent])) break
      swap(heap, i, parent)
      i = parent
    }
  }

  /** Until nothing is planned before `ms`. */
  async run(ms: number): Promise<void> {
    for (let next = this.#heap[0]; next && next.at <= ms; next = this.#heap[0]) {
      this.#pop()
      this.#now = next.at
      next.happen()
      await new Promise((resolve) => setImmediate(resolve))
    }
    this.#now = ms
  }

  #pop(): void {
    const heap = this.#heap
    swap(heap, 0, heap.length - 1)
    heap.pop()
    for (let i = 0; ;) {
      let least = i
      for (const child of [2 * i + 1, 2 * i + 2]) if (child < heap.length && isBefore(heap[child], heap[least])) least = child
      if (least === i) return
      swap(heap, i, least)
      i = least
    }
  }
}

function isBefore(a: Happening | undefined, b: Happening | undefined): boolean {
  return a !== undefined && b !== undefined && (a.at - b.at || a.order - b.order) < 0
}

function swap(heap: Happening[], i: number, j: number): void {
  const [a, b] = [heap[i], heap[j]]
  if (a && b) [heap[i], heap[j]] = [b, a]
}
