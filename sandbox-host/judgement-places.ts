// How many judgements are under way, of all accounts and of each: a judgement holds its cases in memory for as long as it lasts.
import { ProblemError } from '../shared/problem.ts'

export class JudgementPlaces {
  readonly #max: number
  readonly #ofAccount = new Map<string, number>()
  #taken = 0

  constructor(max: number) {
    this.#max = max
  }

  /** @throws ProblemError `overloaded` */
  async hold<T>(accountId: string, work: () => Promise<T>): Promise<T> {
    const own = this.#ofAccount.get(accountId) ?? 0
    if (this.#taken >= this.#max) throw full(`${this.#max} judgements are under way already`)
    // An account holds at most as many as it leaves free, so that whoever comes next finds one.
    if (own > 0 && own + 1 > this.#max - this.#taken - 1)
      throw full(`the account has ${own} judgements under way, which is as many as it may`)
    this.#taken++
    this.#ofAccount.set(accountId, own + 1)
    try {
      return await work()
    } finally {
      this.#taken--
      const left = (this.#ofAccount.get(accountId) ?? 0) - 1
      if (left > 0) this.#ofAccount.set(accountId, left)
      else this.#ofAccount.delete(accountId)
    }
  }
}

function full(detail: string): ProblemError {
  return new ProblemError('overloaded', { detail, retryAfterSeconds: 2 })
}
