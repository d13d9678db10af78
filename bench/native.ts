// The native engine for measurements, straight behind its border: no port, no store, no processes.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { loadNativeEngine } from '../sandbox-host/engine/native-engine.ts'
import type { NativeEngine, NativeEngineOptions } from '../sandbox-host/engine/native-engine.ts'

export function createNativeForBench(options: Partial<NativeEngineOptions> = {}): NativeEngine {
  return loadNativeEngine(fileURLToPath(new URL('../sandbox-host/engine/agent-engine.node', import.meta.url)), {
    scriptModulePath: fileURLToPath(new URL('../sandbox-host/engine/script-module/quickjs.wasm', import.meta.url)),
    preludeSource: readFileSync(new URL('../sandbox-host/guest/prelude.js', import.meta.url), 'utf8'),
    threads: 2,
    slots: 16,
    memoryBytesMax: 128 * 2 ** 20,
    queueMax: 1_000,
    warmPerProgram: 10,
    warmTotal: 64,
    warmLifetimeMs: 60_000,
    ...options,
  })
}
