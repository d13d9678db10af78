// The native engine behind the port: translates values and errors, has modules compiled elsewhere, decides nothing.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ProblemError } from '../../shared/problem.ts'
import { programKinds } from '../../shared/agent.ts'
import type { ProgramKind } from '../../shared/agent.ts'
import type { BoundedProcesses } from '../bounded-process.ts'
import type { CodeStore } from '../code-store.ts'
import { createModuleCompiler } from '../compile-module.ts'
import { loadNativeEngine, NativeEngineError } from '../engine/native-engine.ts'
import { functionReportSchema } from '../function-report.ts'
import type { PreparedProgram, SandboxEngine } from '../sandbox-engine.ts'

export type WasmtimeOptions = {
  /** Of the addon; `agent-compiler` lies beside it. */
  path: string
  threads: number
  slots: number
  queueMax: number
  memoryBytesMax: number
  /** Without it, no instance waits. */
  warm?: WarmPoolOptions
  /** Where modules are compiled. */
  processes: BoundedProcesses
  /** Keeps the initialised script engine between processes. */
  codeStore?: CodeStore | undefined
  scriptMode?: ScriptMode
}

/** How scripts run; none can be told from another but by what it costs. Uncached is for tests: every look-up of a property fails its cache. */
export const scriptModes = ['interpreted', 'compiled', 'uncached'] as const
export type ScriptMode = (typeof scriptModes)[number]

export type WarmPoolOptions = { perProgram: number; total: number; lifetimeMs: number }

const noWarmPool: WarmPoolOptions = { perProgram: 0, total: 0, lifetimeMs: 0 }

/** @throws Error when the addon does not load */
export async function createWasmtimeEngine(options: WasmtimeOptions): Promise<SandboxEngine> {
  const { path, threads, slots, queueMax, memoryBytesMax, warm = noWarmPool, processes, codeStore, scriptMode = 'interpreted' } = options
  const scriptModulePath = fileURLToPath(new URL('../engine/script-module/quickjs.wasm', import.meta.url))
  const preludeSource = await readFile(new URL('../guest/prelude.js', import.meta.url), 'utf8')
  const build = hashOf(await readFile(path), await readFile(scriptModulePath), preludeSource)
  const image = await codeStore?.read(`image-${build}`)
  const native = loadNativeEngine(path, {
    threads,
    slots,
    queueMax,
    memoryBytesMax,
    scriptModulePath,
    preludeSource,
    warmPerProgram: warm.perProgram,
    warmTotal: warm.total,
    warmLifetimeMs: warm.lifetimeMs,
    ...(image ? { scriptImage: image } : {}),
  })
  if (codeStore && !image) await codeStore.write(`image-${build}`, native.scriptImage())
  const compileModule = createModuleCompiler({ executable: join(dirname(path), 'agent-compiler'), processes })

  async function load(kind: ProgramKind, stored: Buffer): Promise<PreparedProgram & { ok: true }> {
    const outcome = await orProblem(native.load(kind, stored))
    if (!outcome.ok) throw new ProblemError('invalid-program', { detail: outcome.message })
    const { report, ...loaded } = outcome
    if (report === undefined) return { ...loaded, heldBytes: kind === 'script' ? loaded.snapshotBytes : stored.length }
    // Machine code of a script is held twice: mapped, and as it is stored.
    const heldBytes = 2 * stored.length - loaded.snapshotBytes
    return { ...loaded, heldBytes, functions: functionReportSchema.parse(JSON.parse(report)) }
  }

  /** Whether a script is compiled is never for a host's time or memory to decide: where those end it, it is tried again. */
  async function compileScript(handle: number, mode: ScriptMode): Promise<PreparedProgram & { ok: true }> {
    const input = native.compilerInput(handle, { hasCells: mode === 'compiled' })
    native.drop(handle)
    const compiled = await compileModule('script', input).catch((error: unknown) => ({ ok: false as const, message: String(error) }))
    if (!compiled.ok) {
      const detail = 'the script could not be compiled just now'
      throw new ProblemError('sandbox-unavailable', { detail, internal: compiled.message, retryAfterSeconds: 1 })
    }
    return load('script', compiled.code)
  }

  const isInterpreted = scriptMode === 'interpreted'
  return {
    compiledLabel: `${native.version}+compiled-${native.compilerVersion}`,
    label: isInterpreted ? native.version : `${native.version}+${scriptMode}-${native.compilerVersion}`,
    build: isInterpreted ? build : `${build}-${scriptMode}`,
    kinds: programKinds,
    async prepare(kind, code, limits, asked) {
      const mode: ScriptMode = asked ?? scriptMode
      const began = performance.now()
      if (kind === 'script') {
        const outcome = await orProblem(native.prepare(kind, code, limits))
        if (!outcome.ok) return outcome
        if (mode === 'interpreted') return { ...outcome, heldBytes: outcome.snapshotBytes }
        const compiled = await compileScript(outcome.handle, mode)
        return { ...compiled, prepareMicros: (performance.now() - began) * 1000 }
      }
      const compiled = await compileModule(kind, code)
      if (!compiled.ok) return { ok: false, reason: 'invalid-program', message: compiled.message }
      const outcome = await orProblem(native.load(kind, compiled.code))
      if (!outcome.ok) return outcome
      return { ...outcome, heldBytes: compiled.code.length, prepareMicros: (performance.now() - began) * 1000 }
    },
    load: (kind, stored) =>
      load(kind, stored).catch((error: unknown) => {
        // Of a processor with other features, say. It is prepared from the program, then.
        if (error instanceof NativeEngineError && error.code === 'engine-failed') return undefined
        throw error
      }),
    stored: (handle) => native.stored(handle),
    run: (handle, request, cancelled) =>
      orProblem(cancelled ? native.runCancellable(handle, request, cancelled) : native.run(handle, request)),
    drop: (handle) => native.drop(handle),
    stats: () => ({ ...native.stats() }),
    close: async () => native.close(),
  }
}

/** Machine code and snapshots belong to what was built, not to a version that somebody may have forgotten to raise. */
function hashOf(...parts: (Buffer | string)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${part.length}\0`).update(part)
  return hash.digest('hex').slice(0, 32)
}

function orProblem<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((error: unknown) => {
    if (!(error instanceof NativeEngineError) || error.code !== 'engine-busy') throw error
    throw new ProblemError('overloaded', { detail: 'the queue of the sandbox is full', retryAfterSeconds: 1, cause: error })
  })
}
