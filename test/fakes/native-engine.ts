// The real engine with what a test needs of it, which is little.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createBoundedProcesses } from '../../sandbox-host/bounded-process.ts'
import { createWasmtimeEngine } from '../../sandbox-host/engines/wasmtime.ts'
import type { WasmtimeOptions } from '../../sandbox-host/engines/wasmtime.ts'
import type { SandboxEngine } from '../../sandbox-host/sandbox-engine.ts'

const path = fileURLToPath(new URL('../../sandbox-host/engine/agent-engine.node', import.meta.url))

/** Without a Rust toolchain there is none, and what needs it is skipped. */
export const hasNativeEngine = existsSync(path)

export const testProcesses = createBoundedProcesses({ memoryBytesMax: 2 ** 29, secondsMax: 10, processesMax: 2 })

export function createNativeEngine(options: Partial<WasmtimeOptions> = {}): Promise<SandboxEngine> {
  return createWasmtimeEngine({
    path,
    threads: 2,
    slots: 16,
    queueMax: 64,
    memoryBytesMax: 128 * 2 ** 20,
    warm: { perProgram: 2, total: 8, lifetimeMs: 60_000 },
    processes: testProcesses,
    ...options,
  })
}
