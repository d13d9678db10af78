// One thread of the fallback engine: takes a task, runs it in a QuickJS of its own under the same prelude as the native engine,
// answers. Everything it holds is garbage afterwards.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parentPort } from 'node:worker_threads'
import { newQuickJSWASMModule, newVariant, RELEASE_SYNC } from 'quickjs-emscripten'
import { assert } from '../../shared/assert.ts'
import type { GuestError, GuestStatus } from '../../shared/execution.ts'
import type { RunLimits, RunRequest } from '../sandbox-engine.ts'
import { FallbackGuest } from './fallback-guest.ts'
import { FallbackMemory } from './fallback-memory.ts'
import { FallbackOutput } from './fallback-output.ts'

export type FallbackTask = { source: string; limits: RunLimits } & ({ type: 'prepare' } | { type: 'run'; request: RunRequest })

export type FallbackEnd = { status: GuestStatus; output?: string; error?: GuestError }
export type FallbackAnswer = FallbackEnd & {
  stdout: Uint8Array
  stderr: Uint8Array
  logsTruncated: boolean
  artifacts: { name: string; bytes: Uint8Array }[]
  wallMicros: number
  startMicros: number
  memoryBytesPeak: number
}

/** QuickJS's own stack check, as in the native engine; more of it overflows the stack of the thread first (hostile: flat-of-itself.js). */
const stackBytesMax = 512 * 1024
/** Compiled once for a thread; each run instantiates it anew. */
const wasmModule = new WebAssembly.Module(readFileSync(fileURLToPath(import.meta.resolve('@jitl/quickjs-wasmfile-release-sync/wasm'))))
const prelude = readFileSync(new URL('../guest/prelude.js', import.meta.url), 'utf8')
const world = readFileSync(new URL('./fallback-world.js', import.meta.url), 'utf8')

assert(parentPort, 'the fallback engine runs in a worker thread')
const port = parentPort
port.on('message', (task: FallbackTask) => {
  void perform(task).then((answer) => port.postMessage(answer))
})
port.postMessage('ready')

async function perform(task: FallbackTask): Promise<FallbackAnswer> {
  const startedAt = performance.now()
  const { limits } = task
  const memory = new FallbackMemory(limits.memoryBytes)
  const quickjs = await newQuickJSWASMModule(newVariant(RELEASE_SYNC, { wasmMemory: memory.wasm, wasmModule }))
  const runtime = quickjs.newRuntime()
  runtime.setMaxStackSize(stackBytesMax)
  const output = new FallbackOutput(limits)
  const until = performance.now() + limits.wallMs
  let wasLate = false
  runtime.setInterruptHandler(() => (wasLate ||= performance.now() > until) || output.isOverLimit || memory.isRefused)
  const startMicros = (performance.now() - startedAt) * 1000
  let end = new FallbackGuest(runtime.newContext(), { output, prelude, world }).perform(task)
  if (memory.isRefused)
    end = { status: 'memory-limit', error: { message: `wanted more memory than the allowed ${limits.memoryBytes} bytes` } }
  if (wasLate) end = { status: 'deadline', error: { message: 'the time limit was reached' } }
  if (output.isOverLimit) end = { status: 'output-limit', error: { message: output.overLimit } }
  const wallMicros = (performance.now() - startedAt) * 1000
  return { ...end, ...output.collected(), startMicros, wallMicros, memoryBytesPeak: memory.bytes }
}
