// The native engine behind the port: translates values and errors, decides nothing.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { programKinds } from '../../shared/agent.ts'
import { ProblemError } from '../../shared/problem.ts'
import { loadNativeEngine, NativeEngineError } from '../engine/native-engine.ts'
import type { SandboxEngine } from '../sandbox-engine.ts'

export type WasmtimeOptions = { path: string; threads: number; slots: number; queueMax: number; memoryBytesMax: number }

/** Machine code that Cranelift makes, against the bytes of a module or component: an upper estimate for the budget of programs. */
const codeBytesPerModuleByte = 6

/** @throws Error when the addon does not load */
export async function createWasmtimeEngine({ path, threads, slots, queueMax, memoryBytesMax }: WasmtimeOptions): Promise<SandboxEngine> {
  const scriptModulePath = createRequire(import.meta.url).resolve('quickjs-wasi/quickjs.wasm')
  const preludeSource = await readFile(new URL('../guest/prelude.js', import.meta.url), 'utf8')
  const native = loadNativeEngine(path, { threads, slots, queueMax, memoryBytesMax, scriptModulePath, preludeSource })
  return {
    label: native.version,
    kinds: programKinds,
    async prepare(kind, code, limits) {
      const outcome = await orProblem(native.prepare(kind, code, limits))
      if (!outcome.ok) return outcome
      const { handle, snapshotBytes, prepareMicros } = outcome
      return {
        ok: true,
        handle,
        snapshotBytes,
        prepareMicros,
        heldBytes: kind === 'script' ? snapshotBytes : code.length * codeBytesPerModuleByte,
      }
    },
    run: (handle, request) => orProblem(native.run(handle, request)),
    drop: (handle) => native.drop(handle),
    stats: () => ({ ...native.stats() }),
    close: async () => native.close(),
  }
}

function orProblem<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((error: unknown) => {
    if (!(error instanceof NativeEngineError) || error.code !== 'engine-busy') throw error
    throw new ProblemError('overloaded', { detail: 'the queue of the sandbox is full', retryAfterSeconds: 1, cause: error })
  })
}
