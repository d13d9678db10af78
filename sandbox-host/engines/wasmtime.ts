// The native engine behind the port: translates values, decides nothing.
import { createRequire } from 'node:module'
import { readFile } from 'node:fs/promises'
import { ProblemError } from '../../shared/problem.ts'
import { loadNativeEngine } from '../engine/native-engine.ts'
import type { SandboxEngine } from '../sandbox-engine.ts'

export type WasmtimeOptions = { path: string; threads: number; slots: number; queueMax: number; memoryBytesMax: number }

/** @throws Error when the addon does not load */
export async function createWasmtimeEngine({ path, ...sizes }: WasmtimeOptions): Promise<SandboxEngine> {
  const scriptModulePath = createRequire(import.meta.url).resolve('quickjs-wasi/quickjs.wasm')
  const preludeSource = await readFile(new URL('../guest/prelude.js', import.meta.url), 'utf8')
  const native = loadNativeEngine(path)({ ...sizes, scriptModulePath, preludeSource })
  return {
    label: native.version,
    kinds: ['script', 'command'],
    async prepare(kind, code, limits) {
      const outcome = await native.prepare(kind, code, limits)
      return outcome.ok ? { ...outcome, heldBytes: outcome.snapshotBytes } : outcome
    },
    async run(handle, request) {
      try {
        return await native.run(handle, request)
      } catch (error) {
        throw isBusy(error) ? new ProblemError('overloaded', { detail: 'the queue of the sandbox is full', retryAfterSeconds: 1 }) : error
      }
    },
    drop: (handle) => native.drop(handle),
    stats: () => ({ ...native.stats() }),
    close: async () => native.close(),
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'engine-busy'
}
