// Whose turn it is to judge a submission: says every few seconds that it still works, and is told by each write whether it may go on.
import type { RevisedVerdict, TakenJudging } from '../../shared/judging.ts'
import type { Services } from '../services.ts'

/** Somebody else's: nothing that is written counts any more. */
export class TurnOver extends Error {
  constructor() {
    super('the turn is over')
    this.name = 'TurnOver'
  }
}

/** So long a turn is given to whoever says nothing. */
const lengthMs = 15_000

export class TurnLease {
  static readonly lengthMs = lengthMs
  readonly #services: Pick<Services, 'judgings' | 'now'>
  readonly #judging: Pick<TakenJudging, 'id' | 'turn'>
  readonly #timer: ReturnType<typeof setInterval>
  #isOver = false
  /** Whether a verdict was stored. */
  hasProgress = false

  constructor(services: Pick<Services, 'judgings' | 'now'>, judging: Pick<TakenJudging, 'id' | 'turn'>) {
    this.#services = services
    this.#judging = judging
    this.#timer = setInterval(() => void this.#renew(), lengthMs / 3)
  }

  /** @throws TurnOver */
  requireTurn(): void {
    if (this.#isOver) throw new TurnOver()
  }

  /** @param isHeld as a write answered. @throws TurnOver */
  require(isHeld: boolean): void {
    if (!isHeld) this.#isOver = true
    this.requireTurn()
  }

  /** @throws TurnOver */
  async record({ engine, verdicts }: { engine: string; verdicts: RevisedVerdict[] }): Promise<void> {
    const { id, turn } = this.#judging
    this.require(await this.#services.judgings.record(id, { turn, dueAt: this.#dueAt(), engine, verdicts }))
    this.hasProgress = true
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  #dueAt(): string {
    return new Date(this.#services.now() + lengthMs).toISOString()
  }

  async #renew(): Promise<void> {
    const { id, turn } = this.#judging
    // A renewal that fails is tried again; while none arrives the turn passes to somebody else.
    const isHeld = await this.#services.judgings.renew(id, { turn, dueAt: this.#dueAt() }).catch(() => true)
    if (!isHeld) this.#isOver = true
  }
}
