// A sandbox engine without a sandbox: a program is the name of a behaviour, given by the test. Keeps handles like a real one, and
// complains about what no caller may do.
import { programKinds } from '../../shared/agent.ts'
import { ProblemError } from '../../shared/problem.ts'
import type { RunOutcome, RunRequest, SandboxEngine } from '../../sandbox-host/sandbox-engine.ts'

export type Behaviour = (request: RunRequest) => Partial<RunOutcome> | Promise<Partial<RunOutcome>>

export type FakeEngineOptions = {
  /** By the text of the program, behind which stands [compiled] where it was compiled; others complete with their input. */
  behaviours?: Record<string, Behaviour>
  heldBytes?: number
  /** Runs at once beyond which it is full. */
  runsMax?: number
}

export type FakeEngine = SandboxEngine & { prepared: string[]; loaded: string[]; dropped: string[]; runs: number; runningPeak: number }

export function createFakeEngine({ behaviours = {}, heldBytes = 1000, runsMax = 1000 }: FakeEngineOptions = {}): FakeEngine {
  const programs = new Map<number, string>()
  let running = 0
  const engine: FakeEngine = {
    label: 'fake 1',
    compiledLabel: 'fake 1+compiled',
    build: 'fake-1',
    kinds: programKinds,
    prepared: [],
    loaded: [],
    dropped: [],
    runs: 0,
    runningPeak: 0,
    async prepare(_kind, code, _limits, scriptMode) {
      const text = `${code.toString().trim()}${scriptMode === 'compiled' ? ' [compiled]' : ''}`
      await new Promise((resolve) => setImmediate(resolve))
      if (text.includes('invalid')) return { ok: false, reason: 'invalid-program', message: '1:1: this is invalid' }
      engine.prepared.push(text)
      programs.set(engine.prepared.length, text)
      return { ok: true, handle: engine.prepared.length, snapshotBytes: heldBytes, heldBytes, prepareMicros: 5 }
    },
    async load(_kind, stored) {
      const text = stored.toString()
      if (text.includes('of another machine')) return undefined
      engine.loaded.push(text)
      programs.set(-engine.loaded.length, text)
      return { handle: -engine.loaded.length, snapshotBytes: heldBytes, heldBytes, prepareMicros: 1 }
    },
    stored: (handle) => Buffer.from(programs.get(handle) ?? ''),
    async run(handle, request, cancelled) {
      const text = programs.get(handle)
      if (text === undefined) throw new Error(`run of the dropped or unknown program ${handle}`)
      if (running >= runsMax) throw new ProblemError('overloaded', { detail: 'the queue of the sandbox is full', retryAfterSeconds: 1 })
      engine.runs++
      engine.runningPeak = Math.max(engine.runningPeak, ++running)
      try {
        const behaviour = Object.entries(behaviours).find(([name]) => text.includes(name))?.[1]
        const stopped = Promise.withResolvers<never>()
        const stop = () => stopped.reject(new Error('the run was cancelled'))
        if (cancelled?.aborted) stop()
        cancelled?.addEventListener('abort', stop)
        return { ...completed(request.input), ...(await Promise.race([behaviour?.(request), stopped.promise])) }
      } finally {
        running--
      }
    },
    drop(handle) {
      engine.dropped.push(programs.get(handle) ?? `unknown ${handle}`)
      programs.delete(handle)
    },
    stats: () => ({ running, queued: 0 }),
    async close() {},
  }
  return engine
}

export function completed(output: string): RunOutcome {
  const nothing = Buffer.alloc(0)
  return {
    status: 'completed',
    output,
    stdout: nothing,
    stderr: nothing,
    logsTruncated: false,
    artifacts: [],
    fuel: 10,
    wallMicros: 20,
    startMicros: 1,
    wasWarm: false,
    memoryBytesPeak: 65_536,
  }
}
