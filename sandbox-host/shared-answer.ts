// One answer that several callers wait for. It is given up when the last of them has gone, and not before.

export class SharedAnswer<T> {
  readonly #abandoned = new AbortController()
  readonly #answer: Promise<T>
  #callers = 0

  /** @param work told by the signal when nobody waits any more */
  constructor(work: (signal: AbortSignal) => Promise<T>) {
    this.#answer = work(this.#abandoned.signal)
  }

  get isAbandoned(): boolean {
    return this.#abandoned.signal.aborted
  }

  /** @param caller aborted when the caller has gone; one without never goes */
  join(caller: AbortSignal | undefined): Promise<T> {
    this.#callers++
    const leave = () => {
      if (--this.#callers === 0) this.#abandoned.abort()
    }
    if (caller?.aborted) leave()
    else caller?.addEventListener('abort', leave, { once: true })
    return this.#answer
  }

  /** Whatever came of it. */
  async ended(): Promise<void> {
    await this.#answer.catch(() => {})
  }
}
