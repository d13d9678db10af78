// Drives one script through the prelude on quickjs-emscripten, as the native engine's driver does on its own QuickJS: load the module,
// hand over the input, run jobs, let virtual time pass, take the answer.
import type { QuickJSContext, QuickJSHandle } from 'quickjs-emscripten'
import type { FallbackOutput } from './fallback-output.ts'
import type { FallbackEnd, FallbackTask } from './quickjs-worker.ts'

/** Given to the module at deploy, where there is no request; the same as in the native engine. */
const deployment = { seed: 0, startTimeMs: Date.parse('2000-01-01T00:00:00Z') }

export type FallbackGuestOptions = { output: FallbackOutput; prelude: string; world: string }

export class FallbackGuest {
  readonly #context: QuickJSContext
  readonly #output: FallbackOutput
  readonly #sources: { prelude: string; world: string }
  #seed = deployment.seed
  #startTimeMs = deployment.startTimeMs
  #elapsedNanos = 0

  constructor(context: QuickJSContext, { output, prelude, world }: FallbackGuestOptions) {
    this.#context = context
    this.#output = output
    this.#sources = { prelude, world }
  }

  perform(task: FallbackTask): FallbackEnd {
    try {
      const agent = this.#start()
      const loaded = this.#load(agent, task.source)
      if (loaded.status !== 'completed' || task.type === 'prepare') return loaded
      this.#seed = task.request.seed
      this.#startTimeMs = task.request.startTimeMs
      this.#elapsedNanos = 0
      this.#output.forgetLogs()
      const method = this.#context.getProp(agent, 'agent_start')
      const answer = this.#text(this.#call(method, [this.#context.newString(task.request.input)])) ?? this.#settle(agent)
      return this.#endOf(answer)
    } catch (error) {
      return escaped(error)
    }
  }

  #start(): QuickJSHandle {
    const context = this.#context
    const output = this.#output
    const now = context.newFunction('now', () => context.newNumber(this.#startTimeMs + Math.floor(this.#readNanos() / 1e6)))
    const wrap = this.#call(this.#evaluate(this.#sources.world, 'world.js'), [now])
    const taking = (name: string, take: (first: Uint8Array, second: Uint8Array) => QuickJSHandle | void) =>
      this.#call(wrap, [context.newFunction(name, (first, second) => take(this.#bytes(first), this.#bytes(second)))])
    return this.#call(this.#evaluate(this.#sources.prelude, 'prelude.js'), [
      taking('out', (line) => output.log('stdout', line)),
      taking('err', (line) => output.log('stderr', line)),
      taking('artifact', (name, data) => context.newNumber(output.artifact(name, data) ? 0 : 1)),
      context.newFunction('seed', () => context.newNumber(this.#seed)),
      context.newFunction('elapsed', () => context.newNumber(this.#readNanos() / 1e6)),
      context.newFunction('sleep', (until) => {
        this.#elapsedNanos = Math.max(this.#elapsedNanos, Math.floor(Number(context.getString(until)) * 1e6))
      }),
    ])
  }

  /** As in the native engine, every reading moves the clock by a microsecond, so that busy waits end. */
  #readNanos(): number {
    const now = this.#elapsedNanos
    this.#elapsedNanos += 1_000
    return now
  }

  #load(agent: QuickJSHandle, source: string): FallbackEnd {
    const context = this.#context
    const evaluated = context.evalCode(source, 'agent.js', { type: 'module' })
    const [method, value] = evaluated.error ? ['agent_load_failed', evaluated.error] : ['agent_load', evaluated.value]
    const answer = this.#text(this.#call(context.getProp(agent, method), [value])) ?? this.#settle(agent)
    if (answer === 'L') return { status: 'completed' }
    const end = this.#endOf(answer)
    return end.status === 'completed' ? { status: 'invalid-program', error: { message: 'the module did not load' } } : end
  }

  /** Runs jobs; when none is left, the prelude ends the run or lets time pass until the next timer. */
  #settle(agent: QuickJSHandle): string {
    const step = this.#context.getProp(agent, 'agent_step')
    for (;;) {
      const jobs = this.#context.runtime.executePendingJobs()
      if (jobs.error) this.#context.unwrapResult(jobs)
      const answer = this.#text(this.#call(step, []))
      if (answer !== undefined) return answer
    }
  }

  /** Letters as in the prelude: C and JSON for completed, T and the error for threw. */
  #endOf(answer: string): FallbackEnd {
    const body = answer.slice(1)
    if (!answer.startsWith('C')) return threw(JSON.parse(body))
    this.#output.checkOutput(body)
    return { status: 'completed', output: body }
  }

  #evaluate(source: string, name: string): QuickJSHandle {
    return this.#context.unwrapResult(this.#context.evalCode(source, name, { type: 'global' }))
  }

  #call(target: QuickJSHandle, args: QuickJSHandle[]): QuickJSHandle {
    return this.#context.unwrapResult(this.#context.callFunction(target, this.#context.undefined, ...args))
  }

  /** Of text or of an ArrayBuffer; of an argument that is left out, none. */
  #bytes(handle: QuickJSHandle | undefined): Uint8Array {
    const type = handle ? this.#context.typeof(handle) : 'undefined'
    if (!handle || type === 'undefined') return new Uint8Array()
    return type === 'string' ? Buffer.from(this.#context.getString(handle)) : this.#context.getArrayBuffer(handle).value
  }

  #text(handle: QuickJSHandle): string | undefined {
    return this.#context.typeof(handle) === 'string' ? this.#context.getString(handle).toWellFormed() : undefined
  }
}

/** What the prelude says of an error. Guests can forge it; the worst they reach is an odd message of their own. */
function threw({ name, message, stack }: { name?: unknown; message?: unknown; stack?: unknown }): FallbackEnd {
  return {
    status: 'threw',
    error: {
      message: typeof message === 'string' ? message : '',
      ...(typeof name === 'string' ? { name } : {}),
      ...(typeof stack === 'string' ? { stack } : {}),
    },
  }
}

/** What the prelude did not catch, in the words of the native engine (`engine/src/script.rs`). */
function escaped(error: unknown): FallbackEnd {
  // The guest's own errors are unwrapped by quickjs-emscripten; all else is its module that trapped.
  const isGuest = error instanceof Error && error.name === 'QuickJSUnwrapError'
  if (!isGuest) return { status: 'trapped', error: { message: error instanceof Error ? error.message : String(error) } }
  return threw({ name: 'InternalError', message: 'the script ended in an error that nothing can catch, such as a stack that is used up' })
}
