// Public reads through three levels: isolate memory (seconds), Upstash (minutes), and whatever `load` asks (Postgres). What is cached is
// the JSON text of the answer. Every entry belongs to a group and carries the group's version; a write replaces the version, and with it
// forgets every page at once.
//
//   read ─▶ memory ─▶ [version, entry] in one Upstash round trip ─▶ load ─▶ both are filled
//
// Upstash that is slow or away costs a bounded time: an adapter's call gives up (adapters/upstash-redis.ts), and after a few of those nobody
// waits for it any more (circuit-breaker.ts).
import { z } from 'zod'
import type { SharedCache } from '../shared/ports.ts'
import { CircuitBreaker } from './circuit-breaker.ts'
import { Collapse } from './collapse.ts'
import type { Counters } from './counters.ts'
import { etagOf } from './etag.ts'
import { MemoryCache } from './memory-cache.ts'

/** How long another isolate may show what was true before a write. */
const memoryLifetimeMs = 2_000
/** How much longer it may, to those who wait in vain for another request's load. */
const staleMsMax = 10_000
const memoryEntriesMax = 1_000
/** An isolate has 128 MB for everything. */
const memoryCharactersMax = 16 * 1024 * 1024
/** A version outlives every entry that names it. */
const versionLifetimeSeconds = 3_600
/** Groups whose version could not be replaced; more than this and they wait for their entries to expire. */
const unsentMax = 1_000
/** They are sent again behind the answer, for as long as the platform lets a request go on: 30 s. */
const resendEveryMs = 5_000
const resendsMax = 5

export type CachedRead = { key: string; group: string; lifetimeSeconds: number }
export type TaggedText = { text: string; etag: string }

const entrySchema = z.tuple([z.string(), z.string()])

export type ReadCacheOptions = {
  shared: SharedCache
  counters: Counters
  /** Of all that is asked of `shared`. */
  breaker?: CircuitBreaker
  /** Lets what nobody waits for go on when the request has ended. */
  later?: (work: Promise<unknown>) => void
  sleep?: (ms: number) => Promise<void>
  now?: () => number
  randomText?: () => string
}

export class ReadCache {
  readonly #shared: SharedCache
  readonly #counters: Counters
  readonly #later: (work: Promise<unknown>) => void
  readonly #sleep: (ms: number) => Promise<void>
  readonly #randomText: () => string
  readonly #now: () => number
  readonly #breaker: CircuitBreaker
  readonly #memory: MemoryCache<TaggedText & { epoch: number; freshUntil: number }>
  readonly #collapse = new Collapse<TaggedText>()
  /** Writes of this isolate per group, so that its own memory forgets at once. */
  readonly #epochs = new Map<string, number>()
  readonly #unsent = new Set<string>()
  #resendingUntil = 0

  constructor(options: ReadCacheOptions) {
    const { shared, counters, later = () => {}, sleep = wait, now = Date.now, randomText = () => crypto.randomUUID() } = options
    const { breaker = new CircuitBreaker(now) } = options
    this.#shared = shared
    this.#counters = counters
    this.#later = later
    this.#sleep = sleep
    this.#randomText = randomText
    this.#now = now
    this.#breaker = breaker
    const lifetimeMs = memoryLifetimeMs + staleMsMax
    this.#memory = new MemoryCache({ entriesMax: memoryEntriesMax, lifetimeMs, sizeMax: memoryCharactersMax, now })
  }

  /** @returns what `read` would answer at once */
  peek(wanted: CachedRead): TaggedText | undefined {
    const known = this.#known(wanted)
    return known && known.freshUntil > this.#now() ? known : undefined
  }

  async read(wanted: CachedRead, load: () => Promise<string>): Promise<TaggedText> {
    const epoch = this.#epochOf(wanted.group)
    const known = this.#known(wanted)
    if (known && known.freshUntil > this.#now()) {
      this.#counters.add('cache_reads_total', { level: 'memory' })
      return known
    }
    const fresh = async () => {
      const text = await this.#readShared(wanted, load)
      // Here, so that it is made once for all who are answered from memory.
      const tagged = { text, etag: await etagOf(text) }
      this.#memory.set(wanted.key, { ...tagged, epoch, freshUntil: this.#now() + memoryLifetimeMs }, { size: text.length })
      return tagged
    }
    const stale = () => {
      if (known) this.#counters.add('cache_reads_total', { level: 'stale' })
      return known
    }
    return this.#collapse.load(`${epoch} ${wanted.key}`, fresh, stale)
  }

  /** Called after a write and before its answer. Never throws: a cache that is down forgets when it is back. */
  async forget(...groups: string[]): Promise<void> {
    for (const group of groups) {
      if (this.#epochs.size >= unsentMax && !this.#epochs.has(group)) this.#forgetAll()
      this.#epochs.set(group, this.#epochOf(group) + 1)
    }
    await Promise.all(groups.map((group) => this.#replaceVersion(group)))
    if (this.#unsent.size > 0 && this.#resendingUntil <= this.#now()) this.#later(this.#resend())
  }

  async #resend(): Promise<void> {
    // By the clock: a request that is cancelled ends what it does behind its answer, too.
    this.#resendingUntil = this.#now() + resendsMax * resendEveryMs
    for (let i = 0; i < resendsMax && this.#unsent.size > 0; i++) {
      await this.#sleep(resendEveryMs)
      await this.#sendUnsent()
    }
    this.#resendingUntil = 0
  }

  /** One by one: the first shows whether it is worth while to go on. */
  async #sendUnsent(): Promise<void> {
    for (const group of this.#unsent) if (!(await this.#replaceVersion(group))) return
  }

  /** What is from before a write of this isolate is nothing to anybody. */
  #known({ key, group }: CachedRead) {
    const held = this.#memory.get(key)
    return held?.epoch === this.#epochOf(group) ? held : undefined
  }

  #epochOf(group: string): number {
    return this.#epochs.get(group) ?? 0
  }

  #forgetAll(): void {
    this.#memory.clear()
    this.#epochs.clear()
  }

  async #replaceVersion(group: string): Promise<boolean> {
    try {
      const version = { text: this.#randomText(), lifetimeSeconds: versionLifetimeSeconds }
      await this.#breaker.run(() => this.#shared.write(versionKey(group), version))
      this.#unsent.delete(group)
      return true
    } catch {
      this.#counters.add('cache_errors_total', { call: 'forget' })
      if (this.#unsent.size < unsentMax) this.#unsent.add(group)
      return false
    }
  }

  async #readShared({ key, group, lifetimeSeconds }: CachedRead, load: () => Promise<string>): Promise<string> {
    if (this.#unsent.has(group) && !(await this.#replaceVersion(group))) return this.#loaded(load)
    let version: string | null
    let entry: string | null
    try {
      const [first = null, second = null] = await this.#breaker.run(() => this.#shared.read([versionKey(group), entryKey(key)]))
      version = first
      entry = second
    } catch {
      this.#counters.add('cache_errors_total', { call: 'read' })
      return this.#loaded(load)
    }
    // It answers again: groups that nobody reads here are shown by other isolates as they were before.
    if (this.#unsent.size > 0) this.#later(this.#sendUnsent())
    const text = entry === null ? undefined : textOfVersion(entry, version ?? '')
    if (text !== undefined) {
      this.#counters.add('cache_reads_total', { level: 'shared' })
      return text
    }
    const fresh = await this.#loaded(load)
    // The version is the one from before the load: had there been a write meanwhile, nobody will read this entry.
    this.#later(this.#fill(entryKey(key), { text: JSON.stringify([version ?? '', fresh]), lifetimeSeconds }))
    return fresh
  }

  async #fill(key: string, entry: { text: string; lifetimeSeconds: number }): Promise<void> {
    try {
      await this.#breaker.run(() => this.#shared.write(key, entry))
    } catch {
      this.#counters.add('cache_errors_total', { call: 'fill' })
    }
  }

  #loaded(load: () => Promise<string>): Promise<string> {
    this.#counters.add('cache_reads_total', { level: 'database' })
    return load()
  }
}

function versionKey(group: string): string {
  return `version:${group}`
}

function entryKey(key: string): string {
  return `read:${key}`
}

/** @returns undefined when the entry is of another version, or of another form */
function textOfVersion(entry: string, version: string): string | undefined {
  try {
    const [of, text] = entrySchema.parse(JSON.parse(entry))
    return of === version ? text : undefined
  } catch {
    return undefined
  }
}

async function wait(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
}
