// Start-time fair queueing over accounts: each account has a tag, in microseconds of virtual time, that grows by what its runs took; whoever
// has the smallest tag is next. An account that was away starts at the present virtual time: it is owed nothing for its absence.
// The bound: two accounts that always have something waiting differ by no more than what each may have running at once.

/** What an account's next run is taken to need before any of its runs has been measured. */
const firstEstimateMicros = 1_000

/** Weight of the newest run in an account's estimate. */
const newestWeight = 0.25

/** One account's place in the order. `estimateMicros` is of its next run. */
export type Share = { tagMicros: number; estimateMicros: number }

export class FairShare {
  /** Largest tag with which a run was begun. */
  #virtualMicros = 0

  create(): Share {
    return { tagMicros: this.#virtualMicros, estimateMicros: firstEstimateMicros }
  }

  /** To be called when an account that had nothing waiting has something again. */
  wake(share: Share): void {
    share.tagMicros = Math.max(share.tagMicros, this.#virtualMicros)
  }

  /** Charges a run that begins by what it is expected to take; `settle` puts that right. */
  begin(share: Share, expectedMicros: number): void {
    this.#virtualMicros = Math.max(this.#virtualMicros, share.tagMicros)
    share.tagMicros += expectedMicros
  }

  /** Replaces the charge by what the run took. */
  settle(share: Share, { chargedMicros, tookMicros }: { chargedMicros: number; tookMicros: number }): void {
    share.tagMicros += tookMicros - chargedMicros
    share.estimateMicros += (tookMicros - share.estimateMicros) * newestWeight
  }

  /** Whether forgetting the account changes nothing: it would start at the present anyway. */
  isSettled({ tagMicros }: Share): boolean {
    return tagMicros <= this.#virtualMicros
  }
}
