// Which sandbox hosts this isolate knows, and how busy each is: the rows that hosts write by their beats, read every 2 s beside a request and
// never in front of it, and, fresher, what each answer of a host says. A host that did not answer as it should, or said that it drains, is asked
// last until it is heard of again.
import { holdsMs, lostMs, restingMs } from '../shared/host.ts'
import type { HeardHost, HostStore } from '../shared/host-ports.ts'
import { Collapse } from './collapse.ts'
import { settledWithin } from './settled-within.ts'

/** How long what was read is taken as it is. */
const freshMs = 2_000
/** With nobody to turn to, or after a time without requests, the store is asked first. */
const emptyFreshMs = 250
const staleMs = 30_000
/** Without a word from it a host is believed again after this. */
const doubtMs = 5_000
const waitMs = 2_000
const hostsMax = 1_000

export type DirectoryOptions = {
  store: Pick<HostStore, 'list'>
  now: () => number
  /** Goes on behind the answer. */
  later: (work: Promise<unknown>) => void
}

/** `load` is the best that is known now. `isDoubted`: to be asked last. */
export type KnownHost = HeardHost & { isDoubted: boolean }

/** What this isolate has seen of a host by itself. */
type Seen = { underWay: number; told?: { load: number; underWay: number; at: number }; doubtedAt?: number }

export class HostDirectory {
  readonly #options: DirectoryOptions
  readonly #collapse = new Collapse<void>()
  readonly #seen = new Map<string, Seen>()
  #heard: HeardHost[] = []
  #takers: HeardHost[] = []
  #readAt = Number.NEGATIVE_INFINITY
  #askedAt = Number.NEGATIVE_INFINITY
  #isExpired = false

  constructor(options: DirectoryOptions) {
    this.#options = options
  }

  /** Those that may be given work. @throws ProblemError `database-unavailable` when the store does not answer and none is known */
  async takers(): Promise<KnownHost[]> {
    await this.#beFresh()
    return this.#takers.map((host) => this.#known(host))
  }

  /** Those that may hold what they ran: also one that was lost, or drains. */
  async holders(): Promise<HeardHost[]> {
    await this.#beFresh()
    return this.#heard.filter(({ state }) => state !== 'left')
  }

  /** @returns to be called when it has ended */
  begin(id: string): () => void {
    const seen = this.#seenOf(id)
    seen.underWay++
    return () => {
      seen.underWay--
    }
  }

  /** An answer said so. */
  told(id: string, load: number): void {
    const seen = this.#seenOf(id)
    seen.told = { load, underWay: seen.underWay, at: this.#options.now() }
  }

  doubt(id: string): void {
    this.#seenOf(id).doubtedAt = this.#options.now()
  }

  /** What is known may be wrong: the store is asked again before the next one, unless it was just asked. */
  expire(): void {
    this.#isExpired = true
  }

  #seenOf(id: string): Seen {
    let seen = this.#seen.get(id)
    if (!seen) {
      seen = { underWay: 0 }
      this.#seen.set(id, seen)
    }
    return seen
  }

  #known(host: HeardHost): KnownHost {
    const now = this.#options.now()
    const heardAt = this.#readAt - host.heardMs
    const { underWay = 0, told, doubtedAt = Number.NEGATIVE_INFINITY } = this.#seen.get(host.id) ?? {}
    const isToldLater = told && told.at >= heardAt && now - told.at < freshMs
    // Of what others send there only the last word is known; of our own all.
    const load = Math.max(underWay, isToldLater ? told.load + underWay - told.underWay : host.load)
    const isDoubted = host.state === 'draining' || (doubtedAt >= heardAt && now - doubtedAt < doubtMs)
    return { ...host, load, isDoubted }
  }

  async #beFresh(): Promise<void> {
    const now = this.#options.now()
    const age = now - this.#readAt
    if (this.#takers.length === 0) {
      if (age >= emptyFreshMs) await this.#collapse.load('hosts', () => this.#read())
      return
    }
    // While one request reads, the others go on with what is known.
    if ((age < freshMs && !this.#isExpired) || now - this.#askedAt < freshMs) return
    const reading = this.#read()
    if (age < staleMs && !this.#isExpired) this.#options.later(reading)
    // What was known long ago beats knowing nothing.
    else await settledWithin(reading, waitMs)
  }

  async #read(): Promise<void> {
    const readAt = this.#options.now()
    this.#askedAt = readAt
    const heard = await this.#options.store.list({ heardMsMax: holdsMs, restingMsMax: restingMs, limit: hostsMax })
    this.#heard = heard
    this.#takers = heard.filter(({ state, heardMs }) => state === 'resting' || (state !== 'left' && heardMs < lostMs))
    this.#isExpired = false
    this.#readAt = readAt
    const known = new Set(heard.map(({ id }) => id))
    for (const [id, { underWay }] of this.#seen) if (!known.has(id) && underWay === 0) this.#seen.delete(id)
  }
}
