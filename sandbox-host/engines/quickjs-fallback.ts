// Scripts without the native engine: QuickJS compiled by emscripten, one module instance per run, in worker threads so that a looping
// guest does not hold up the host. For development: no fuel, no commands, milliseconds to start.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { ProblemError } from '../../shared/problem.ts'
import type { PrepareOutcome, RunLimits, RunOutcome, RunRequest, SandboxEngine } from '../sandbox-engine.ts'
import type { FallbackAnswer, FallbackTask } from './quickjs-worker.ts'

export type FallbackOptions = { threads: number; queueMax: number }

/** A worker that is this much later than its guest's deadline is stuck, and is replaced. */
const graceMs = 2_000

type Waiting = {
  task: FallbackTask
  cancelled?: AbortSignal | undefined
  resolve: (answer: FallbackAnswer) => void
  reject: (error: unknown) => void
}

export async function createFallbackEngine({ threads, queueMax }: FallbackOptions): Promise<SandboxEngine> {
  // QuickJS asks its surroundings for the time zone; in a sandbox there is none.
  process.env['TZ'] = 'UTC'
  const programs = new Map<number, string>()
  const idle: Worker[] = []
  const all = new Set<Worker>()
  const queue: Waiting[] = []
  let handles = 0
  let isClosed = false

  async function startWorker(): Promise<void> {
    const worker = new Worker(new URL('./quickjs-worker.ts', import.meta.url))
    worker.on('error', () => {}) // told to whoever waits, in `perform`
    all.add(worker)
    await once(worker, 'message')
    idle.push(worker)
    next()
  }

  function next(): void {
    const worker = queue.length > 0 ? idle.pop() : undefined
    const waiting = worker && queue.shift()
    if (worker && waiting) void perform(worker, waiting)
  }

  async function perform(worker: Worker, { task, cancelled, resolve, reject }: Waiting): Promise<void> {
    const late = AbortSignal.timeout(task.limits.wallMs + graceMs)
    try {
      cancelled?.throwIfAborted()
      worker.postMessage(task, [])
      const signal = cancelled ? AbortSignal.any([late, cancelled]) : late
      // The worker posts nothing but answers.
      const [answer] = (await once(worker, 'message', { signal })) as [FallbackAnswer]
      idle.push(worker)
      resolve(answer)
    } catch (error) {
      all.delete(worker)
      await worker.terminate()
      if (!isClosed) void startWorker()
      if (late.aborted && !cancelled?.aborted) resolve(lateAnswer(task.limits))
      else reject(error)
    }
    next()
  }

  function submit(task: FallbackTask, cancelled?: AbortSignal): Promise<FallbackAnswer> {
    if (queue.length >= queueMax) {
      return Promise.reject(new ProblemError('overloaded', { detail: 'the queue of the sandbox is full', retryAfterSeconds: 1 }))
    }
    return new Promise((resolve, reject) => {
      queue.push({ task, cancelled, resolve, reject })
      next()
    })
  }

  await Promise.all(Array.from({ length: threads }, startWorker))

  return {
    label: 'quickjs-fallback',
    compiledLabel: undefined,
    build: 'quickjs-fallback',
    kinds: ['script'],
    async prepare(_kind, code, limits) {
      const source = code.toString('utf8')
      const answer = await submit({ type: 'prepare', source, limits })
      if (answer.status !== 'completed') return refusalOf(answer)
      programs.set(++handles, source)
      return { ok: true, handle: handles, snapshotBytes: 0, heldBytes: code.length * 2, prepareMicros: answer.wallMicros }
    },
    async run(handle, request: RunRequest, cancelled) {
      const source = programs.get(handle)
      if (source === undefined) throw new Error(`unknown program handle ${handle}`)
      return outcomeOf(await submit({ type: 'run', source, limits: request.limits, request }, cancelled))
    },
    load: async () => undefined,
    stored: () => undefined,
    drop: (handle) => void programs.delete(handle),
    stats: () => ({ running: all.size - idle.length, queued: queue.length, slots: threads, programs: programs.size }),
    async close() {
      isClosed = true
      await Promise.all([...all].map((worker) => worker.terminate()))
    },
  }
}

/** In the words of the native engine (`describe` in `engine/src/script.rs`). */
function refusalOf({ status, error }: FallbackAnswer): PrepareOutcome {
  const { name = 'Error', message, stack = '' } = error ?? { message: status }
  if (status === 'trapped') return { ok: false, reason: 'invalid-program', message }
  if (status !== 'threw') return { ok: false, reason: 'limit', message: `while its top level ran: ${message}` }
  const isImport = message.startsWith('could not load module')
  if (isImport) {
    const advice = 'nothing can be imported at run time, so imports must be bundled into the module'
    return { ok: false, reason: 'invalid-program', message: `${message}: ${advice}` }
  }
  const [place = ''] = stack.split('\n', 1)
  return { ok: false, reason: 'invalid-program', message: `${name}: ${message}${place === '' ? '' : ` (${place.trim()})`}` }
}

function outcomeOf({ stdout, stderr, artifacts, ...rest }: FallbackAnswer): RunOutcome {
  return {
    ...rest,
    stdout: Buffer.from(stdout),
    stderr: Buffer.from(stderr),
    artifacts: artifacts.map(({ name, bytes }) => ({ name, bytes: Buffer.from(bytes) })),
    fuel: null,
    wasWarm: false,
  }
}

function lateAnswer({ wallMs }: RunLimits): FallbackAnswer {
  return {
    status: 'deadline',
    error: { message: 'the time limit was reached' },
    stdout: new Uint8Array(),
    stderr: new Uint8Array(),
    logsTruncated: false,
    artifacts: [],
    wallMicros: wallMs * 1000,
    startMicros: 0,
    memoryBytesPeak: 0,
  }
}
