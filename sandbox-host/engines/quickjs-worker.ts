// One thread of the fallback engine: takes a task, runs it in a QuickJS of its own under the same prelude as the native engine,
// answers. Everything it holds is garbage afterwards.
import { readFileSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import variant from '@jitl/quickjs-ng-wasmfile-release-sync'
import { newQuickJSWASMModule, newVariant } from 'quickjs-emscripten'
import type { QuickJSSyncVariant } from 'quickjs-emscripten'
import { assert } from '../../shared/assert.ts'
import type { GuestError, GuestStatus } from '../../shared/execution.ts'
import type { RunLimits, RunRequest } from '../sandbox-engine.ts'
import { FallbackGuest } from './fallback-guest.ts'
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

/** QuickJS's own stack check; well below the 5 MiB stack of the emscripten module. */
const stackBytesMax = 1024 * 1024
const pageBytes = 65_536
/** What the emscripten module asks for at its start: 16 MiB. */
const initialPages = 256

/** QuickJS-ng, as in the native engine, where versions differ. Its types are those of its CommonJS form, in which the variant is `default`. */
const quickjsNg = variant as unknown as QuickJSSyncVariant

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
  const maximum = Math.max(initialPages, Math.floor(limits.memoryBytes / pageBytes))
  const wasmMemory = new WebAssembly.Memory({ initial: initialPages, maximum })
  const quickjs = await newQuickJSWASMModule(newVariant(quickjsNg, { wasmMemory }))
  const runtime = quickjs.newRuntime()
  runtime.setMaxStackSize(stackBytesMax)
  const output = new FallbackOutput(limits)
  const until = performance.now() + limits.wallMs
  let wasLate = false
  runtime.setInterruptHandler(() => (wasLate ||= performance.now() > until) || output.isOverLimit)
  const startMicros = (performance.now() - startedAt) * 1000
  let end = new FallbackGuest(runtime.newContext(), { output, prelude, world }).perform(task)
  if (wasLate) end = { status: 'deadline', error: { message: 'the time limit was reached' } }
  if (output.isOverLimit) end = { status: 'output-limit', error: { message: output.overLimit } }
  const wallMicros = (performance.now() - startedAt) * 1000
  return { ...end, ...output.collected(), startMicros, wallMicros, memoryBytesPeak: wasmMemory.buffer.byteLength }
}
