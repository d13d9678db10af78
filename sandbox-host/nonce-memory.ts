// Remembers the nonces of accepted signatures for as long as each could be replayed. Nonces lie in buckets of the time that was
// signed with them, so forgetting is dropping a bucket.
import { signatureWindowMs } from '../shared/signing.ts'

const bucketMs = 5_000

/** 4,000 requests/s over twice the window, at about 40 bytes each: 20 MB at the very worst. */
const noncesMax = 480_000

export class NonceMemory {
  readonly #buckets = new Map<number, Set<number>>()
  readonly #max: number
  #size = 0
  #sweptAt = 0

  constructor(max: number = noncesMax) {
    this.#max = max
  }

  /** @param nonce 32 hex digits; `full` means that accepting it would mean forgetting another that can still be replayed */
  remember(nonce: string, { at, now }: { at: number; now: number }): 'new' | 'seen' | 'full' {
    if (now - this.#sweptAt >= bucketMs) this.#sweep(now)
    // 52 of its 128 bits make a small exact key; a chance match (one in 10^10 requests when full) is refused like a replay.
    const key = Number.parseInt(nonce.slice(0, 13), 16)
    const index = Math.floor(at / bucketMs)
    const bucket = this.#buckets.get(index)
    if (bucket?.has(key)) return 'seen'
    if (this.#size >= this.#max) return 'full'
    this.#size++
    if (bucket) bucket.add(key)
    else this.#buckets.set(index, new Set([key]))
    return 'new'
  }

  get size(): number {
    return this.#size
  }

  #sweep(now: number): void {
    this.#sweptAt = now
    for (const [index, bucket] of this.#buckets) {
      if ((index + 1) * bucketMs > now - signatureWindowMs) continue
      this.#size -= bucket.size
      this.#buckets.delete(index)
    }
  }
}
