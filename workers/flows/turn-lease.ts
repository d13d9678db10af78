// Whose turn it is: says every few seconds that its holder still works, and is told by each write whether it may go on.

/** Somebody else's: nothing that is written counts any more. */
export class TurnOver extends Error {
  constructor() {
    super('the turn is over')
    this.name = 'TurnOver'
  }
}

/** So long a turn is given to whoever says nothing. */
const lengthMs = 15_000

export type TurnLeaseOptions = {
  now: () => number
  /** Goes on until then. @returns whether the turn is held */
  renew: (dueAt: string) => Promise<boolean>
}

export class TurnLease {
  static readonly lengthMs = lengthMs
  readonly #options: TurnLeaseOptions
  readonly #timer: ReturnType<typeof setInterval>
  readonly #over = Promise.withResolvers<never>()
  #isOver = false

  constructor(options: TurnLeaseOptions) {
    this.#options = options
    this.#timer = setInterval(() => void this.#renew(), lengthMs / 3)
    // Most never wait for it.
    this.#over.promise.catch(() => {})
  }

  /** When it ends unless it is renewed: whatever is written in the turn moves it on, too. */
  dueAt(): string {
    return new Date(this.#options.now() + lengthMs).toISOString()
  }

  /** @throws TurnOver */
  requireTurn(): void {
    if (this.#isOver) throw new TurnOver()
  }

  /** @param isHeld as a write answered. @throws TurnOver */
  require(isHeld: boolean): void {
    if (!isHeld) this.#end()
    this.requireTurn()
  }

  /** The work's result, unless the turn is over before it is there. @throws TurnOver */
  while<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#over.promise])
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  #end(): void {
    this.#isOver = true
    this.#over.reject(new TurnOver())
  }

  async #renew(): Promise<void> {
    // A renewal that fails is tried again; while none arrives the turn passes to somebody else.
    const isHeld = await this.#options.renew(this.dueAt()).catch(() => true)
    if (!isHeld) this.#end()
  }
}
