// The native engine as TypeScript sees it: types, and a thin caller that turns the addon's one completion callback into
// promises. What the fields mean is said in `src/limits.rs` and `src/outcome.rs`; guests run on the engine's own threads.
import { createRequire } from 'node:module'

export type ProgramKind = 'script' | 'command' | 'component'

export interface NativeEngineOptions {
  /** `script-module/quickjs.wasm`. */
  scriptModulePath: string
  /** Text of `../guest/prelude.js`. */
  preludeSource: string
  /** What `scriptImage` gave to a process of the same build. It is machine code: pass what is authenticated, or nothing. */
  scriptImage?: Buffer
  threads: number
  /** Runs that exist at once, each with an instance of its own. */
  slots: number
  /** Largest linear memory of any run. */
  memoryBytesMax: number
  /** Runs that wait to begin. */
  queueMax: number
  /** Instances that wait for each hot program; beyond `slots`, as `warmTotal` is. */
  warmPerProgram: number
  warmTotal: number
  warmLifetimeMs: number
}

export interface RunLimits {
  memoryBytes: number
  /** Time on a thread; waiting for a turn does not count. */
  wallMs: number
  fuel: number
  inputBytes: number
  outputBytes: number
  /** stdout and stderr each. */
  logBytes: number
  artifactBytes: number
  artifactCount: number
}

export interface RunRequest {
  /** JSON text. */
  input: string
  /** 0 to 2^53-1. */
  seed: number
  startTimeMs: number
  limits: RunLimits
  /** Arguments of a command after its name. */
  args?: string[]
}

export type PrepareOutcome =
  | {
      ok: true
      handle: number
      snapshotPages: number
      snapshotBytes: number
      memoryBytes: number
      prepareMicros: number
      /** Of a script that went through the compiler: what became of its functions, as JSON. */
      report?: string
    }
  | { ok: false; reason: 'invalid-program' | 'limit'; message: string }

export interface GuestError {
  name?: string
  message: string
  stack?: string
  exitCode?: number
}

export interface RunOutcome {
  status: 'completed' | 'threw' | 'trapped' | 'out-of-fuel' | 'deadline' | 'memory-limit' | 'output-limit' | 'invalid-program'
  /** JSON text; present when completed. */
  output?: string
  error?: GuestError
  stdout: Buffer
  stderr: Buffer
  logsTruncated: boolean
  artifacts: { name: string; bytes: Buffer }[]
  fuel: number
  /** From claim to result; queueing excluded. */
  wallMicros: number
  /** From claim to the first guest instruction. */
  startMicros: number
  /** Whether an instance of the warm pool was used. */
  wasWarm: boolean
  memoryBytesPeak: number
}

export interface NativeEngineStats {
  running: number
  queued: number
  slots: number
  programs: number
  programBytes: number
  warmWaiting: number
  warmHits: number
  warmMisses: number
  warmMade: number
  warmExpired: number
  warmEvicted: number
}

export interface Percentiles {
  p50Nanos: number
  p90Nanos: number
  p99Nanos: number
}

/** `total` is from claim to outcome and teardown, `start` from claim to the first guest instruction. */
export interface BenchAnswer {
  total: Percentiles
  start: Percentiles
}

/** Thrown (rejected) when nothing was run, or when the engine itself failed. */
export class NativeEngineError extends Error {
  readonly code: NativeEngineErrorCode
  constructor(code: NativeEngineErrorCode, message: string) {
    super(message)
    this.name = 'NativeEngineError'
    this.code = code
  }
}

const errorCodes = ['engine-busy', 'unknown-program', 'input-limit', 'engine-failed'] as const
export type NativeEngineErrorCode = (typeof errorCodes)[number]

export interface NativeEngine {
  /** Part of every receipt: the same version gives the same bytes and the same fuel. */
  readonly version: string
  /** Goes with `version` for scripts that are compiled. */
  readonly compilerVersion: number
  /** Scripts: evaluates the module and keeps a snapshot. Others: compiles. Refusals are values; rejects with `engine-busy`, `engine-failed`. */
  prepare(kind: ProgramKind, code: Buffer, limits: RunLimits): Promise<PrepareOutcome>
  /** Loads what `stored` gave, or what `agent-compiler` made. It is machine code: pass only what is authenticated. Rejects with `engine-failed` when it is of another build. */
  load(kind: ProgramKind, stored: Buffer): Promise<PrepareOutcome>
  /** The prepared program as `load` takes it in another process of the same build. */
  stored(handle: number): Buffer
  /** What `agent-compiler script` makes the compiled form of a prepared script of, which `load` takes. */
  compilerInput(handle: number, options: { hasCells: boolean }): Buffer
  scriptImage(): Buffer
  /** One run in an instance of its own. Rejects with `engine-busy`, `unknown-program`, `input-limit`, `engine-failed`. */
  run(handle: number, request: RunRequest): Promise<RunOutcome>
  /** The same; once `cancelled` is aborted the guest is stopped, and the run rejects with `engine-failed` unless it had ended. */
  runCancellable(handle: number, request: RunRequest, cancelled: AbortSignal): Promise<RunOutcome>
  /** Runs that have begun keep the program until they end. */
  drop(handle: number): void
  stats(): NativeEngineStats
  /** Ends the threads; what waits is rejected with `engine-failed`. */
  close(): void
  /** Runs `count` times on this thread, in process, and blocks for as long: for measurements only. @param warm whether an instance waits each time */
  bench(handle: number, request: RunRequest, options: { count: number; warm: boolean }): BenchAnswer
  /** The same program with nothing of ours around Wasmtime; commands only. */
  benchRaw(handle: number, request: RunRequest, count: number): Percentiles
  /** On the engine's own threads, without Node. */
  benchPool(handle: number, request: RunRequest, options: { count: number; inFlight: number }): PoolAnswer
}

/** Latency is from the submission to the answer, waiting included. */
export interface PoolAnswer {
  latency: Percentiles
  runsPerSecond: number
}

interface Completion {
  call: number
  prepared?: PrepareOutcome
  ran?: RunOutcome
  failure?: string
}

interface Addon {
  Engine: new (
    options: NativeEngineOptions,
    completed: (completion: Completion) => void,
  ) => {
    readonly version: string
    readonly compilerVersion: number
    prepare(call: number, kind: ProgramKind, code: Buffer, limits: RunLimits): void
    load(call: number, kind: ProgramKind, stored: Buffer): void
    stored(handle: number): Buffer
    compilerInput(handle: number, hasCells: boolean): Buffer
    scriptImage(): Buffer
    run(call: number, handle: number, request: RunRequest): void
    runCancellable(call: number, handle: number, request: RunRequest): void
    cancel(call: number): void
    dropProgram(handle: number): void
    stats(): NativeEngineStats
    close(): void
    bench(handle: number, request: RunRequest, count: number, warm: boolean): BenchAnswer
    benchRaw(handle: number, request: RunRequest, count: number): Percentiles
    benchPool(handle: number, request: RunRequest, count: number, inFlight: number): PoolAnswer
  }
}

interface Waiting {
  settle(completion: Completion): void
  reject(error: NativeEngineError): void
}

/** Loads the addon at `path` and boots the script engine, which blocks: for a second without `scriptImage`. Throws when the addon does not load. */
export function loadNativeEngine(path: string, options: NativeEngineOptions): NativeEngine {
  // The addon is built from src/node.rs, whose exports are these.
  const addon = createRequire(import.meta.url)(path) as Addon
  const waiting = new Map<number, Waiting>()
  // The addon keeps no process alive; this timer does while calls are out.
  const keepAlive = setInterval(() => {}, 2 ** 30).unref()
  let calls = 0

  const engine = new addon.Engine(options, (completion) => {
    const call = waiting.get(completion.call)
    waiting.delete(completion.call)
    if (waiting.size === 0) keepAlive.unref()
    if (completion.failure === undefined) call?.settle(completion)
    else call?.reject(new NativeEngineError('engine-failed', completion.failure))
  })

  function send<T>(begin: (call: number) => void, pick: (completion: Completion) => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const call = ++calls
      begin(call)
      if (waiting.size === 0) keepAlive.ref()
      waiting.set(call, {
        reject,
        settle(completion) {
          const answer = pick(completion)
          if (answer === undefined) reject(new NativeEngineError('engine-failed', 'the engine answered something else'))
          else resolve(answer)
        },
      })
    })
  }

  return {
    version: engine.version,
    compilerVersion: engine.compilerVersion,
    prepare: (kind, code, limits) =>
      send(
        (call) => coded(() => engine.prepare(call, kind, code, limits)),
        (completion) => completion.prepared,
      ),
    load: (kind, stored) =>
      send(
        (call) => coded(() => engine.load(call, kind, stored)),
        (completion) => completion.prepared,
      ),
    stored: (handle) => engine.stored(handle),
    compilerInput: (handle, { hasCells }) => engine.compilerInput(handle, hasCells),
    scriptImage: () => engine.scriptImage(),
    run: (handle, request) =>
      send(
        (call) => coded(() => engine.run(call, handle, request)),
        (completion) => completion.ran,
      ),
    runCancellable(handle, request, cancelled) {
      let cancel = () => {}
      const ran = send(
        (call) => {
          coded(() => engine.runCancellable(call, handle, request))
          cancel = () => engine.cancel(call)
        },
        (completion) => completion.ran,
      )
      if (cancelled.aborted) cancel()
      cancelled.addEventListener('abort', cancel)
      return ran.finally(() => cancelled.removeEventListener('abort', cancel))
    },
    drop: (handle) => engine.dropProgram(handle),
    stats: () => engine.stats(),
    close() {
      engine.close()
      clearInterval(keepAlive)
    },
    bench: (handle, request, { count, warm }) => coded(() => engine.bench(handle, request, count, warm)),
    benchRaw: (handle, request, count) => coded(() => engine.benchRaw(handle, request, count)),
    benchPool: (handle, request, { count, inFlight }) => coded(() => engine.benchPool(handle, request, count, inFlight)),
  }
}

/** The addon's messages begin with a code. */
function coded<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const code = errorCodes.find((known) => message.startsWith(`${known}: `))
    if (code === undefined) throw error
    throw new NativeEngineError(code, message.slice(code.length + 2))
  }
}
