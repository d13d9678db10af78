// Compiles a stranger's module or component to machine code, in a process of its own (engine/src/bin/agent-compiler.rs): that compiling
// ends, and within which memory, is not Wasmtime's promise but ours.
import type { ProgramKind } from '../shared/agent.ts'
import type { BoundedProcesses } from './bounded-process.ts'

export type CompiledModule = { ok: true; code: Buffer } | { ok: false; message: string }
/** Of a script it takes what the engine's `compilerInput` gives. */
export type ModuleCompiler = (kind: ProgramKind, wasm: Buffer) => Promise<CompiledModule>

/** Code is up to twenty times as large as the densest module; what is larger would not fit into the budget of programs anyway. */
const codeBytesMax = 256 * 1024 * 1024

/** @param executable path of `agent-compiler`, which belongs to the same build as the addon */
export function createModuleCompiler({ executable, processes }: { executable: string; processes: BoundedProcesses }): ModuleCompiler {
  const { memoryBytesMax, secondsMax } = processes
  return async (kind, wasm) => {
    const { code, signal, output, errors } = await processes.run({ executable, args: [kind], input: wasm, outputBytesMax: codeBytesMax })
    if (code === 0) return { ok: true, code: output }
    const refusal = errors.trim()
    if (code === 1 && refusal !== '') return { ok: false, message: refusal }
    // Time ends a process by SIGXCPU or SIGKILL. One that cannot have more memory aborts, or panics as a thread that it needs does not start.
    const isTime = signal === 'SIGXCPU' || signal === 'SIGKILL' || code === 128 + 9 || code === 128 + 24
    if (isTime) return { ok: false, message: `the program takes longer than ${secondsMax} s of processor time to compile` }
    if (signal === 'SIGABRT' || code === 128 + 6 || /memory|thread/.test(refusal)) {
      return { ok: false, message: `the program needs more than ${Math.floor(memoryBytesMax / 1024 ** 2)} MiB to compile: it is too large` }
    }
    throw new Error(`the compiler ended with ${signal ?? code}: ${refusal.slice(0, 500)}`)
  }
}
