// Public reads through three levels: isolate memory (seconds), Upstash (minutes), and whatever `load` asks (Postgres). What is cached is
// the JSON text of the answer. Every entry belongs to a group and carries the group's version; a write replaces the version, and with it
// forgets every page at once.
//
//   read ─▶ memory ─▶ [version, entry] in one Upstash round trip ─▶ load ─▶ both are filled
import { z } from 'zod'
import type { SharedCache } from '../shared/ports.ts'
import type { Counters } from './counters.ts'
import { Collapse } from './collapse.ts'
import { etagOf } from './etag.ts'
import { MemoryCache } from './memory-cache.ts'

/** How long another isolate may show what was true before a write. */
const memoryLifetimeMs = 2_000
const memoryEntriesMax = 1_000
/** An isolate has 128 MB for everything. */
const memoryCharactersMax = 16 * 1024 * 1024
/** A version outlives every entry that names it. */
const versionLifetimeSeconds = 3_600
/** Groups whose version could not be replaced; more than this and they wait for their entries to expire. */
const unsentMax = 1_000

export type CachedRead = { key: string; group: string; lifetimeSeconds: number }
export type TaggedText = { text: string; etag: string }

const entrySchema = z.tuple([z.string(), z.string()])

export type ReadCacheOptions = { shared: SharedCache; counters: Counters; now?: () => number; randomText?: () => string }

export class ReadCache {
  readonly #shared: SharedCache
  readonly #counters: Counters
  readonly #randomText: () => string
  readonly #memory: MemoryCache<TaggedText & { epoch: number }>
  readonly #collapse = new Collapse<TaggedText>()
  /** Writes of this isolate per group, so that its own memory forgets at once. */
  readonly #epochs = new Map<string, number>()
  readonly #unsent = new Set<string>()

  constructor({ shared, counters, now = Date.now, randomText = () => crypto.randomUUID() }: ReadCacheOptions) {
    this.#shared = shared
    this.#counters = counters
    this.#randomText = randomText
    this.#memory = new MemoryCache({ entriesMax: memoryEntriesMax, lifetimeMs: memoryLifetimeMs, sizeMax: memoryCharactersMax, now })
  }

  async read(wanted: CachedRead, load: () => Promise<string>): Promise<TaggedText> {
    const held = this.#memory.get(wanted.key)
    if (held && held.epoch === this.#epochOf(wanted.group)) {
      this.#counters.add('cache_reads_total', { level: 'memory' })
      return held
    }
    const epoch = this.#epochOf(wanted.group)
    return this.#collapse.load(`${epoch} ${wanted.key}`, async () => {
      const text = await this.#readShared(wanted, load)
      // Here, so that it is made once for all who are answered from memory.
      const tagged = { text, etag: await etagOf(text) }
      this.#memory.set(wanted.key, { ...tagged, epoch }, { size: text.length })
      return tagged
    })
  }

  /** Called after a write and before its answer. Never throws: a cache that is down forgets when it is back. */
  async forget(...groups: string[]): Promise<void> {
    for (const group of groups) {
      if (this.#epochs.size >= unsentMax && !this.#epochs.has(group)) this.#forgetAll()
      this.#epochs.set(group, this.#epochOf(group) + 1)
    }
    await Promise.all(groups.map((group) => this.#replaceVersion(group)))
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
      await this.#shared.write(versionKey(group), { text: this.#randomText(), lifetimeSeconds: versionLifetimeSeconds })
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
      const [first = null, second = null] = await this.#shared.read([versionKey(group), entryKey(key)])
      version = first
      entry = second
    } catch {
      this.#counters.add('cache_errors_total', { call: 'read' })
      return this.#loaded(load)
    }
    const text = entry === null ? undefined : textOfVersion(entry, version ?? '')
    if (text !== undefined) {
      this.#counters.add('cache_reads_total', { level: 'shared' })
      return text
    }
    const fresh = await this.#loaded(load)
    // The version is the one from before the load: had there been a write meanwhile, nobody will read this entry.
    await this.#fill(entryKey(key), { text: JSON.stringify([version ?? '', fresh]), lifetimeSeconds })
    return fresh
  }

  async #fill(key: string, entry: { text: string; lifetimeSeconds: number }): Promise<void> {
    try {
      await this.#shared.write(key, entry)
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
