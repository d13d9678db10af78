// Verdicts come one by one and are stored many at once: a call to the database costs about as much as judging a hundred small cases. The
// next verdict, or the end, moves what has waited long enough; there is no timer.
import type { RevisedVerdict } from '../../shared/judging.ts'

const verdictsMax = 64
/** So late may whoever looks on see the verdicts of cases that take long. */
const everyMs = 500

type Judged = { engine: string; verdicts: RevisedVerdict[] }
export type VerdictBatchesOptions = { store: (judged: Judged) => Promise<void>; now: () => number }

export class VerdictBatches {
  readonly #options: VerdictBatchesOptions
  #engine = ''
  #verdicts: RevisedVerdict[] = []
  #storedAt: number

  constructor(options: VerdictBatchesOptions) {
    this.#options = options
    this.#storedAt = options.now()
  }

  async add({ engine, verdicts }: Judged): Promise<void> {
    this.#engine = engine
    this.#verdicts.push(...verdicts)
    const isDue = this.#verdicts.length >= verdictsMax || this.#options.now() - this.#storedAt >= everyMs
    if (isDue) await this.flush()
  }

  async flush(): Promise<void> {
    const { store, now } = this.#options
    if (this.#verdicts.length === 0) return
    const judgement = { engine: this.#engine, verdicts: this.#verdicts }
    this.#verdicts = []
    await store(judgement)
    this.#storedAt = now()
  }
}
