// Lets the cron leave the database alone while there is nothing for a sweep to do, so that Neon sleeps when nobody calls.
//
//   a request that writes what may be due ─▶ stir: another word in Redis, once a minute
//   a sweep, when the word has been the same for two minutes ─▶ rest: that word, and until when (what is due first, four hours at most)
//   the cron ─▶ word and rest in one round trip ─▶ the same word, and not until then? nothing to do
//
// A rest is good for one word, so a stir ends it. Whatever is doubtful (Redis away, a word or a rest that was lost) has the cron sweep. A stir
// that got lost, with everything that it was repeated for, costs time: four hours at most. Only requests stir: what a sweep, or the consumer of
// a queue, writes belongs to something that is due already.
import { z } from 'zod'
import type { SharedCache } from '../shared/ports.ts'
import type { DueTimes } from '../shared/sweep-ports.ts'
import type { CircuitBreaker } from './circuit-breaker.ts'

/** Nothing is later than this for a stir that was lost. Each look wakes Neon, for five minutes: 15 hours a month. */
export const restMsMax = 4 * 3_600_000
/** Of an isolate: what it writes meanwhile, it has told. */
export const stirEveryMs = 60_000
/** Longer than a word is good for in an isolate, and a statement on its way to the database, together. */
export const settledMs = 120_000
const retryMs = 5_000
/** So long does the platform let a request go on behind its answer. */
const retriesMax = 5
const wordLifetimeSeconds = 7 * 86_400

const wordKey = 'sweeps:word'
export const restKey = 'sweeps:rest'

/** `since`: when a cron saw the word first. */
const restSchema = z.strictObject({ word: z.string().nullable(), since: z.number(), until: z.number() })
type Rest = z.infer<typeof restSchema>

export type SweepRestOptions = {
  shared: Pick<SharedCache, 'read' | 'write'>
  /** Of all that is asked of `shared`. */
  breaker: CircuitBreaker
  due: DueTimes
  now: () => number
  sleep: (ms: number) => Promise<void>
  /** Goes on behind the answer. */
  later?: (work: Promise<unknown>) => void
  randomText?: () => string
}

export class SweepRest {
  readonly #options: SweepRestOptions
  #toldAt = Number.NEGATIVE_INFINITY
  #retryingUntil = 0

  constructor(options: SweepRestOptions) {
    this.#options = options
  }

  /** Something that a sweep may have to look for is about to be written. Nobody waits, and it never fails. */
  stir(): void {
    const { now, later } = this.#options
    // A clock that was set back counts as time that has passed.
    if (Math.abs(now() - this.#toldAt) < stirEveryMs) return
    const told = this.#tell()
    later?.(told)
  }

  /**
   * Calls `sweep`, unless it can find nothing.
   * @returns whether it was called; throws what it throws, and then the next one is called again
   */
  async sweep(sweep: () => Promise<void>): Promise<boolean> {
    const { now, due } = this.#options
    const at = now()
    const rest = await this.#read(at).catch(() => undefined)
    if (rest && rest.until > at) return false
    await sweep()
    if (!rest) return true
    // Younger words may be of rows that are on their way, and isolates write on under them.
    const until = at - rest.since < settledMs ? at : Math.min(at + restMsMax, msOf(await due.earliest()))
    await this.#write(restKey, JSON.stringify({ ...rest, until } satisfies Rest)).catch(() => {})
    return true
  }

  /** What was written for another word is none. */
  async #read(at: number): Promise<Rest> {
    const { shared, breaker } = this.#options
    const [word = null, text = null] = await breaker.run(() => shared.read([wordKey, restKey]))
    const rest = text === null ? undefined : restSchema.safeParse(parsed(text)).data
    // One from a clock that is ahead of this one would hold for longer than it says.
    const isGood = rest?.word === word && rest.since <= at && rest.until <= at + restMsMax
    return isGood ? rest : { word, since: at, until: at }
  }

  #write(key: string, text: string): Promise<void> {
    const { shared, breaker } = this.#options
    return breaker.run(() => shared.write(key, { text, lifetimeSeconds: wordLifetimeSeconds }))
  }

  async #tell(): Promise<void> {
    const { now, sleep } = this.#options
    if ((await this.#isTold()) || this.#retryingUntil > now()) return
    // One request does it for all. By the clock: a request that is cancelled ends what it does behind its answer, too.
    this.#retryingUntil = now() + (retriesMax + 1) * retryMs
    for (let retries = 0; retries < retriesMax; retries++) {
      await sleep(retryMs)
      if (await this.#isTold()) break
    }
    this.#retryingUntil = 0
  }

  async #isTold(): Promise<boolean> {
    const { now, randomText = () => crypto.randomUUID() } = this.#options
    const at = now()
    try {
      await this.#write(wordKey, randomText())
      this.#toldAt = at
      return true
    } catch {
      return false
    }
  }
}

function msOf(instant: string | undefined): number {
  return instant === undefined ? Number.POSITIVE_INFINITY : Date.parse(instant)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
