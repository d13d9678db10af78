// Programs that are ready to run on this host. A hot program is one Map look-up; a cold one is fetched from the bucket, checked
// against its hash, compiled and prepared, once however many ask for it; what that made is kept (code-store.ts) for the next time. What is not in use is dropped, oldest use first, beyond a
// budget of bytes, and when nobody has asked for it for a while: memory follows what is in use, not what was ever deployed.
import { createHash } from 'node:crypto'
import { programKey, scriptModeOf } from '../shared/agent.ts'
import type { Program } from '../shared/agent.ts'
import type { Manifest } from '../shared/execution.ts'
import { functionsListedMax, type FunctionReport as ToldFunctions } from '../shared/function-report.ts'
import { ProblemError } from '../shared/problem.ts'
import { limits } from '../shared/tiers.ts'
import { createStackMapper } from './author-positions.ts'
import type { StackMapper } from './author-positions.ts'
import type { Bucket } from './bucket.ts'
import type { CodeStore } from './code-store.ts'
import type { ScriptCompiler } from './compile-script.ts'
import type { Guests } from './guests.ts'
import type { Metrics } from './metrics.ts'
import type { FunctionReport } from './function-report.ts'
import { storable } from './run-outcome.ts'
import { labelOf } from './sandbox-engine.ts'
import type { PreparedProgram, SandboxEngine } from './sandbox-engine.ts'
import { decodeStored, encodeStored } from './stored-program.ts'

/** A program in use; it is not dropped before it is disposed of. */
export type LoadedProgram = Disposable & { handle: number; manifest: Manifest; mapStack: StackMapper }

type ColdLoad = { program: Program; accountId: string }
type Entry = {
  key: string
  prepared: PreparedProgram
  manifest: Manifest
  mapStack: StackMapper
  users: number
  usedAt: number
  idleSince: number
}

/** Bookkeeping of one program beside what the engine holds; also bounds how many tiny ones are kept. */
const entryBytes = 16 * 1024

/** Different cold programs that may be loaded at once; each holds its source and its compiled form meanwhile. */
const loadsMax = 64

export type ProgramsOptions = {
  engine: Pick<SandboxEngine, 'label' | 'compiledLabel' | 'kinds' | 'build' | 'load' | 'stored' | 'drop'>
  guests: Pick<Guests, 'prepare'>
  bucket: Pick<Bucket, 'get'>
  compileScript: ScriptCompiler
  /** Without it every program is prepared anew. */
  codeStore?: Pick<CodeStore, 'read' | 'write'> | undefined
  bytesMax: number
  /** Milliseconds that never go back. */
  now?: () => number
  metrics: Pick<Metrics, 'programs' | 'started'>
}

/** What loading gives; `map` leads from the prepared code to the author's source. */
type Mapped = { prepared: PreparedProgram; map?: Buffer | undefined }

/** A program is prepared once for each build of the engine, and a script for each mode. */
function storedName(program: Program, build: string): string {
  const { kind, sha256 } = program
  return `${kind}-${sha256}-${build}${scriptModeOf(program) === 'compiled' ? '-compiled' : ''}`
}

export class Programs {
  readonly #options: ProgramsOptions
  readonly #entries = new Map<string, Entry>()
  readonly #loading = new Map<string, Promise<Entry>>()
  #bytes = 0
  #uses = 0

  constructor(options: ProgramsOptions) {
    this.#options = options
  }

  /**
   * @param accountId who waits for what a cold program's own code does while it loads
   * @throws ProblemError `invalid-program` with the compiler's message, `engine-unsupported`, `artifacts-unavailable`, `overloaded`
   */
  async use(program: Program, accountId: string): Promise<LoadedProgram> {
    const key = `${program.kind} ${scriptModeOf(program)} ${program.sha256}`
    const ready = this.#entries.get(key)
    this.#options.metrics.programs(ready ? 'hit' : 'miss')
    return this.#lease(ready ?? (await this.#loadOnce(key, { program, accountId })))
  }

  stats(): { loaded: number; bytes: number; loading: number; inUse: number } {
    let inUse = 0
    for (const entry of this.#entries.values()) if (entry.users > 0) inUse++
    return { loaded: this.#entries.size, bytes: this.#bytes, loading: this.#loading.size, inUse }
  }

  /** Drops what nobody has used for so long, unless it would have to be compiled again. */
  dropIdle(idleMs: number): void {
    if (!this.#options.codeStore) return
    const before = this.#now() - idleMs
    for (const entry of this.#entries.values()) if (entry.users === 0 && entry.idleSince <= before) this.#drop(entry)
  }

  #now(): number {
    return this.#options.now?.() ?? performance.now()
  }

  #lease(entry: Entry): LoadedProgram {
    entry.users++
    entry.usedAt = ++this.#uses
    let held = true
    return {
      handle: entry.prepared.handle,
      manifest: entry.manifest,
      mapStack: entry.mapStack,
      [Symbol.dispose]: () => {
        if (!held) return
        held = false
        entry.users--
        entry.idleSince = this.#now()
      },
    }
  }

  async #loadOnce(key: string, load: ColdLoad): Promise<Entry> {
    const others = this.#loading.get(key)
    if (others) return others
    if (this.#loading.size >= loadsMax) {
      throw new ProblemError('overloaded', { detail: `${loadsMax} programs are being loaded already`, retryAfterSeconds: 1 })
    }
    const loading = this.#load(key, load).finally(() => this.#loading.delete(key))
    this.#loading.set(key, loading)
    return loading
  }

  async #load(key: string, { program, accountId }: ColdLoad): Promise<Entry> {
    const { engine } = this.#options
    if (!engine.kinds.includes(program.kind)) {
      throw new ProblemError('engine-unsupported', {
        detail: `this host runs the engine ${engine.label}, which takes ${engine.kinds.join(', ')} only`,
      })
    }
    if (scriptModeOf(program) === 'compiled' && engine.compiledLabel === undefined) {
      throw new ProblemError('engine-unsupported', {
        detail: `this version runs compiled, and the engine of this host, ${engine.label}, has no compiler`,
      })
    }
    const began = performance.now()
    const { map, prepared } = (await this.#loadStored(program)) ?? (await this.#prepare({ program, accountId }))
    this.#options.metrics.started('cold', (performance.now() - began) / 1000)
    const mapStack = createStackMapper({ map, onDecode: (bytes) => this.#grow(key, bytes) })
    prepared.heldBytes += map?.length ?? 0
    const { prepareMicros, snapshotBytes, functions } = prepared
    const told = functions && { functions: toldFunctions(functions, mapStack) }
    const manifest = { program, engine: labelOf(engine, program), prepareMicros: Math.round(prepareMicros), snapshotBytes, ...told }
    const entry = { key, prepared, manifest, mapStack, users: 0, usedAt: ++this.#uses, idleSince: this.#now() }
    this.#entries.set(key, entry)
    this.#bytes += entryBytes + prepared.heldBytes
    this.#evictBeyondBudget(entry)
    return entry
  }

  async #loadStored(program: Program): Promise<Mapped | undefined> {
    const { engine, codeStore } = this.#options
    const file = await codeStore?.read(storedName(program, engine.build))
    const stored = file && decodeStored(file)
    const prepared = stored && (await engine.load(program.kind, stored.code))
    return prepared && { prepared, map: stored.map }
  }

  async #prepare({ program, accountId }: ColdLoad): Promise<Mapped> {
    const { engine, guests, codeStore } = this.#options
    const { code, map } = await this.#code(program)
    const prepared = await guests.prepare(program, code, accountId)
    if (!prepared.ok) throw this.#invalid(createStackMapper({ map })(prepared.message))
    const stored = codeStore && engine.stored(prepared.handle)
    if (stored) await codeStore.write(storedName(program, engine.build), encodeStored({ code: stored, map }))
    return { prepared, map }
  }

  async #code({ kind, sha256 }: Program): Promise<{ code: Buffer; map?: Buffer }> {
    const bytes = await this.#options.bucket.get(programKey(sha256), limits.programBytesMax)
    if (!bytes) throw new ProblemError('artifacts-unavailable', { detail: `program ${sha256} is not in the bucket` })
    const actual = createHash('sha256').update(bytes).digest('hex')
    if (actual !== sha256) {
      throw new ProblemError('artifacts-unavailable', {
        detail: `program ${sha256} is damaged in the bucket`,
        internal: `its bytes hash to ${actual}`,
      })
    }
    if (kind !== 'script') return { code: bytes }
    const compiled = await this.#options.compileScript(bytes)
    if (!compiled.ok) throw this.#invalid(compiled.message)
    return compiled
  }

  /** A program that takes more than it did when it was loaded. */
  #grow(key: string, bytes: number): void {
    const entry = this.#entries.get(key)
    if (!entry) return
    entry.prepared.heldBytes += bytes
    this.#bytes += bytes
    this.#evictBeyondBudget(entry)
  }

  #invalid(message: string): ProblemError {
    this.#options.metrics.programs('invalid')
    return new ProblemError('invalid-program', { detail: message })
  }

  #evictBeyondBudget(newest: Entry): void {
    if (this.#bytes <= this.#options.bytesMax) return
    const idle = [...this.#entries.values()]
      .filter((entry) => entry.users === 0 && entry !== newest)
      .toSorted((a, b) => a.usedAt - b.usedAt)
    for (const entry of idle) {
      if (this.#bytes <= this.#options.bytesMax) return
      this.#drop(entry)
    }
  }

  #drop(entry: Entry): void {
    this.#entries.delete(entry.key)
    this.#bytes -= entryBytes + entry.prepared.heldBytes
    this.#options.engine.drop(entry.prepared.handle)
    this.#options.metrics.programs('eviction')
  }
}

/** What the engine says of the functions, for their author: as many as are listed, placed in the author's source. */
function toldFunctions({ compiled, interpretedCount, interpreted, reason }: FunctionReport, mapStack: StackMapper): ToldFunctions {
  const listed = interpreted.slice(0, functionsListedMax).map(({ name, line, column, reason: why }) => ({
    name: storable(name.slice(0, 100)),
    place: line > 0 ? storable(mapStack(`agent.js:${line}:${Math.max(column, 1)}`).slice(0, 300)) : null,
    reason: why.slice(0, 300),
  }))
  return { compiled, interpretedCount, interpreted: listed, reason: reason?.slice(0, 300) ?? null }
}
