// Remembers the nonces of accepted signatures for as long as each could be replayed. Each isolate has its own memory: a replay against
// another isolate is accepted, which is harmless because recording outcomes twice changes nothing.
import { signatureWindowMs } from '../shared/signing.ts'

/** The host sends a handful of batches a second; this is a hundred times as many for the whole window. */
const noncesMax = 50_000

export class NonceMemory {
  /** In the order of their arrival, so the oldest come first. */
  readonly #seenAt = new Map<string, number>()

  /** @returns false when the nonce was seen before, or when there is no room to tell */
  remember(nonce: string, now: number): boolean {
    // Signed up to one window ahead, a nonce can be replayed for two.
    for (const [old, at] of this.#seenAt) {
      if (now - at <= 2 * signatureWindowMs) break
      this.#seenAt.delete(old)
    }
    if (this.#seenAt.has(nonce) || this.#seenAt.size >= noncesMax) return false
    this.#seenAt.set(nonce, now)
    return true
  }
}
