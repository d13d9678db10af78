// A host as far as queueing goes: threads, a line of runs that wait, and programs that are loaded, as many as its memory holds. It answers, refuses
// and dies in the words of the port, so that whoever places work on it cannot tell it from a real one.
import type { HostExecution } from '../../shared/execution.ts'
import type { HeardHost } from '../../shared/host-ports.ts'
import type { Sandbox } from '../../shared/ports.ts'
import { ProblemError } from '../../shared/problem.ts'
import type { VirtualTime } from './virtual-time.ts'

export type HostModel = {
  threads: number
  queueMax: number
  /** Loaded at once; the one that was used longest ago goes. */
  programsMax: number
  /** What a run costs beyond itself when its program was never here, and when it is on the disk. */
  compileMs: number
  loadMs: number
}

/** `begun` counts how often. */
export type SimulatedRun = { program: number; serviceMs: number; begun: number }
export type Begun = { host: string; at: number; waitMs: number; isWarm: boolean }

type Waiting = { run: SimulatedRun; since: number; end: () => void; lose: () => void }

export class SimulatedHost {
  readonly id: string
  busyMs = 0
  runs = 0
  readonly #time: VirtualTime
  readonly #model: HostModel
  readonly #begun: (begun: Begun) => void
  /** In the order of their last use. */
  readonly #loaded = new Set<number>()
  readonly #onDisk = new Set<number>()
  #line: Waiting[] = []
  #running = new Set<Waiting>()
  #isAway = false

  constructor(id: string, { time, model, begun }: { time: VirtualTime; model: HostModel; begun: (begun: Begun) => void }) {
    this.id = id
    this.#time = time
    this.#model = model
    this.#begun = begun
  }

  get load(): number {
    return this.#line.length + this.#running.size
  }

  get isAway(): boolean {
    return this.#isAway
  }

  heard(heardMs: number): HeardHost {
    return { id: this.id, instance: this.id, state: 'up', tiers: ['basic'], threads: this.#model.threads, load: this.load, heardMs }
  }

  /** Somebody deployed it. */
  prepare(program: number): void {
    this.#load(program)
  }

  /** All that was begun or waited is lost; its memory is empty afterwards, its disk is not. */
  die(): void {
    this.#isAway = true
    this.#loaded.clear()
    const lost = [...this.#running, ...this.#line]
    this.#running = new Set()
    this.#line = []
    for (const { lose } of lost) lose()
  }

  comeBack(): void {
    this.#isAway = false
  }

  execute(run: SimulatedRun): Promise<void> {
    // The proxy hands the request to another host, which says that it is not meant.
    if (this.#isAway) return Promise.reject(new ProblemError('misdirected', { detail: 'away' }))
    if (this.#line.length >= this.#model.queueMax) return Promise.reject(new ProblemError('overloaded', { detail: 'full' }))
    return new Promise((end, reject) => {
      const lose = () => reject(new ProblemError('sandbox-unavailable', { detail: 'lost' }))
      this.#line.push({ run, since: this.#time.now, end, lose })
      this.#beginWhatMay()
    })
  }

  #beginWhatMay(): void {
    while (this.#running.size < this.#model.threads) {
      const waiting = this.#line.shift()
      if (!waiting) return
      const isWarm = this.#loaded.has(waiting.run.program)
      const tookMs = waiting.run.serviceMs + this.#load(waiting.run.program)
      this.#running.add(waiting)
      waiting.run.begun++
      this.#begun({ host: this.id, at: this.#time.now, waitMs: this.#time.now - waiting.since, isWarm })
      this.#time.after(tookMs, () => {
        if (!this.#running.delete(waiting)) return
        this.busyMs += tookMs
        this.runs++
        waiting.end()
        this.#beginWhatMay()
      })
    }
  }

  /** @returns what it costs */
  #load(program: number): number {
    const { programsMax, compileMs, loadMs } = this.#model
    const isLoaded = this.#loaded.delete(program)
    this.#loaded.add(program)
    if (isLoaded) return 0
    for (const oldest of this.#loaded) {
      if (this.#loaded.size <= programsMax) break
      this.#loaded.delete(oldest)
    }
    const costMs = this.#onDisk.has(program) ? loadMs : compileMs
    this.#onDisk.add(program)
    return costMs
  }
}

/** The port to a simulated host; it runs executions and nothing else. */
export function simulatedSandbox(
  host: SimulatedHost,
  { runOf, told }: { runOf: (id: string) => SimulatedRun; told: (load: number) => void },
): Sandbox {
  const not = () => Promise.reject(new Error('the simulation does not ask for this'))
  return {
    async run(execution: HostExecution) {
      try {
        await host.execute(runOf(execution.id))
      } finally {
        // Each answer tells the load; whoever is away or lost gives none.
        if (!host.isAway) told(host.load)
      }
      // Nobody looks into it.
      return { status: 'completed', outcome: '' }
    },
    runAsync: not,
    cancel: not,
    prepare: not,
    judge: not,
    findExecution: not,
    readObject: not,
    ping: not,
    metrics: not,
  }
}
