// One thread of the fallback engine: takes a task, runs it in a QuickJS of its own, answers. Everything it holds is gone afterwards.
import { readFileSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { newQuickJSWASMModule } from 'quickjs-emscripten'
import type { QuickJSContext, QuickJSHandle } from 'quickjs-emscripten'
import type { GuestError, GuestStatus } from '../../shared/execution.ts'
import { assert } from '../../shared/assert.ts'
import type { RunLimits, RunRequest } from '../sandbox-engine.ts'
import { FallbackOutput } from './fallback-output.ts'

export type FallbackTask = { source: string; limits: RunLimits } & ({ type: 'prepare' } | { type: 'run'; request: RunRequest })

export type FallbackAnswer = {
  status: GuestStatus
  output?: string
  error?: GuestError
  stdout: string
  stderr: string
  logsTruncated: boolean
  artifacts: { name: string; bytes: Uint8Array }[]
  wallMicros: number
  startMicros: number
  memoryBytesPeak: number
}

/** QuickJS's own stack check; well below the 5 MiB stack of the emscripten module. */
const stackBytesMax = 1024 * 1024

/** Given to the module at deploy, where there is no request. */
const deployStartMs = Date.parse('2000-01-01T00:00:00Z')

const guestSource = readFileSync(new URL('./fallback-guest.js', import.meta.url), 'utf8')

assert(parentPort, 'the fallback engine runs in a worker thread')
const port = parentPort
port.on('message', (task: FallbackTask) => {
  void perform(task).then((answer) => port.postMessage(answer))
})
port.postMessage('ready')

async function perform(task: FallbackTask): Promise<FallbackAnswer> {
  const startedAt = performance.now()
  const { limits } = task
  const quickjs = await newQuickJSWASMModule()
  const runtime = quickjs.newRuntime()
  runtime.setMemoryLimit(limits.memoryBytes)
  runtime.setMaxStackSize(stackBytesMax)
  runtime.setModuleLoader((specifier) => ({
    error: new Error(`import of '${specifier}': bundle imports into the script before it is deployed`),
  }))
  const until = performance.now() + limits.wallMs
  let wasLate = false
  const output = new FallbackOutput(limits)
  runtime.setInterruptHandler(() => {
    wasLate = performance.now() > until
    return wasLate || output.isOverLimit
  })
  const context = runtime.newContext()
  const startMicros = (performance.now() - startedAt) * 1000
  let ended: Pick<FallbackAnswer, 'status' | 'output' | 'error'>
  try {
    ended = evaluate(context, task, output)
  } catch (error) {
    ended = failureOf(error)
  }
  if (wasLate) ended = { status: 'deadline', error: { message: `did not end within ${limits.wallMs} ms` } }
  if (output.isOverLimit) ended = { status: 'output-limit', error: { message: output.overLimit } }
  if (task.type === 'prepare' && ended.status !== 'completed') ended = { ...ended, status: 'invalid-program' }
  // No release of handles, context, runtime: the whole module instance is garbage from here on.
  return {
    ...ended,
    ...output.collected(),
    startMicros,
    wallMicros: (performance.now() - startedAt) * 1000,
    memoryBytesPeak: memoryBytesOf(quickjs),
  }
}

function evaluate(
  context: QuickJSContext,
  task: FallbackTask,
  output: FallbackOutput,
): Pick<FallbackAnswer, 'status' | 'output' | 'error'> {
  const { seed, startTimeMs, input } = task.type === 'run' ? task.request : { seed: 0, startTimeMs: deployStartMs, input: 'null' }
  const host = {
    log: (stream: string, text: string) => output.log(stream === 'stderr' ? 'stderr' : 'stdout', text),
    artifact: (name: string, bytes: Uint8Array) => output.artifact(name, bytes),
  }
  const hostLog = context.newFunction('log', (stream, text) => host.log(context.getString(stream), context.getString(text)))
  const hostArtifact = context.newFunction('artifact', (name, bytes) => {
    host.artifact(context.getString(name), new Uint8Array(context.getArrayBuffer(bytes).value))
  })
  const guest = call(context, context.unwrapResult(context.evalCode(guestSource, 'guest')), [hostLog, hostArtifact])
  const method = (name: string, args: QuickJSHandle[] = []) => call(context, context.getProp(guest, name), args)

  method('begin', [context.newNumber(0), context.newNumber(deployStartMs)])
  const evaluated = context.unwrapResult(context.evalCode(task.source, 'agent', { type: 'module' }))
  method('load', [evaluated])
  settle(context, method)
  const loaded = context.dump(method('result'))
  if (loaded.state !== 'loaded')
    return { status: loaded.state === 'failed' ? 'threw' : 'invalid-program', error: loaded.error ?? { message: neverLoads } }
  if (task.type === 'prepare') return { status: 'completed' }

  method('begin', [context.newNumber(seed), context.newNumber(startTimeMs)])
  method('call', [context.newString(input), context.newNumber(seed)])
  settle(context, method)
  const result = context.dump(method('result'))
  if (result.state === 'failed') return { status: 'threw', error: result.error }
  if (result.state !== 'returned')
    return { status: 'threw', error: { message: 'the returned promise can never settle: no job and no timer is left' } }
  output.checkOutput(result.output)
  return { status: 'completed', output: result.output }
}

const neverLoads = 'the top level of the module waits for a promise that can never settle'

/** Runs jobs; when none is left, jumps the virtual clock to the next timer; until neither is left. */
function settle(context: QuickJSContext, method: (name: string) => QuickJSHandle): void {
  do {
    const jobs = context.runtime.executePendingJobs()
    if (jobs.error) throw context.unwrapResult(jobs)
  } while (context.dump(method('advance')) === true)
}

function call(context: QuickJSContext, target: QuickJSHandle, args: QuickJSHandle[]): QuickJSHandle {
  return context.unwrapResult(context.callFunction(target, context.undefined, ...args))
}

function failureOf(error: unknown): Pick<FallbackAnswer, 'status' | 'error'> {
  // quickjs-emscripten rethrows guest errors with the guest's own name, message and stack as the cause.
  const cause = error instanceof Error && typeof error.cause === 'object' && error.cause !== null ? error.cause : error
  const { name, message, stack } = cause as { name?: unknown; message?: unknown; stack?: unknown }
  const text = typeof message === 'string' ? message : String(cause)
  if (text === 'out of memory') return { status: 'memory-limit', error: { message: 'needed more memory than its tier allows' } }
  return {
    status: 'threw',
    error: { message: text, ...(typeof name === 'string' ? { name } : {}), ...(typeof stack === 'string' ? { stack } : {}) },
  }
}

function memoryBytesOf(quickjs: Awaited<ReturnType<typeof newQuickJSWASMModule>>): number {
  return quickjs.getWasmMemory().buffer.byteLength
}
