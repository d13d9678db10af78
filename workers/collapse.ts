// Lets requests that ask for the same thing at the same time share one load, within limits: in a Worker a request that waits for what
// another one began can wait for ever, when that one is cancelled. So it waits a little, then takes what is a little old, or loads itself.
import { settledWithin } from './settled-within.ts'

/** A load takes a few ms when all is well. */
const waitMs = 50

export class Collapse<T> {
  readonly #underWay = new Map<string, Promise<T>>()

  /** @param stale what may be given to whoever has waited in vain; undefined where there is nothing */
  async load(key: string, work: () => Promise<T>, stale: () => T | undefined = () => undefined): Promise<T> {
    const others = this.#underWay.get(key)
    if (others) {
      const shared = await settledWithin(others, waitMs)
      if (shared !== 'late' && shared.status === 'fulfilled') return shared.value
      const old = stale()
      if (old !== undefined) {
        // Whoever comes next begins anew: the load that was waited for may never end.
        if (this.#underWay.get(key) === others) this.#underWay.delete(key)
        return old
      }
    }
    const own = work()
    this.#underWay.set(key, own)
    try {
      return await own
    } finally {
      if (this.#underWay.get(key) === own) this.#underWay.delete(key)
    }
  }
}
