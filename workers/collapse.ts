// Lets requests that ask for the same thing at the same time share one load, within limits: in a Worker a request that waits for what
// another one began can wait for ever, when that one is cancelled. So it waits a little, then loads for itself.
import { settledWithin } from './settled-within.ts'

/** A load takes a few ms when all is well. */
const waitMs = 50

export class Collapse<T> {
  readonly #underWay = new Map<string, Promise<T>>()

  async load(key: string, work: () => Promise<T>): Promise<T> {
    const others = this.#underWay.get(key)
    if (others) {
      const shared = await settledWithin(others, waitMs)
      // After a failure whoever waited tries for itself.
      if (shared !== 'late' && shared.status === 'fulfilled') return shared.value
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
