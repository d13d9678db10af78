// No-op programs in process: what one start + run + teardown costs before HTTP, journal and validation come on top, with the program
// loaded (an instance is made for the run) and pooled (one waits). The kinds alternate, so that a slow moment of the machine falls on all.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { loadNativeEngine } from '../../sandbox-host/engine/native-engine.ts'
import type { BenchAnswer, Percentiles } from '../../sandbox-host/engine/native-engine.ts'
import { runLimits } from '../../sandbox-host/sandbox-engine.ts'
import { tiers } from '../../shared/tiers.ts'
import type { Figure, ScenarioResult } from '../run.ts'
import { median, quantile } from '../statistics.ts'

const rounds = 15
const runsPerRound = 4_000
const inFlight = 80
const throughputRuns = 60_000

export async function engine(): Promise<ScenarioResult> {
  const native = loadNativeEngine(path('../../sandbox-host/engine/agent-engine.node'), {
    scriptModulePath: createRequire(import.meta.url).resolve('quickjs-wasi/quickjs.wasm'),
    preludeSource: readFileSync(path('../../sandbox-host/guest/prelude.js'), 'utf8'),
    threads: 2,
    slots: 128,
    memoryBytesMax: tiers.enterprise.memoryBytesMax,
    queueMax: 1_000,
    warmPerProgram: 10,
    warmTotal: 64,
    warmLifetimeMs: 60_000,
  })
  try {
    const handles = {
      script: await prepare('script', Buffer.from('export default (input) => input')),
      command: await prepare('command', readFileSync(path('../../test/fixtures/agents/echo.wasm'))),
    }
    const kinds = ['script', 'command'] as const
    const states = { loaded: false, pooled: true } as const
    const cells = kinds.flatMap((kind) => Object.entries(states).map(([state, warm]) => ({ kind, state, warm, all: [] as BenchAnswer[] })))
    for (const { kind, warm } of cells) native.bench(handles[kind], request, { count: runsPerRound, warm })
    for (let round = 0; round < rounds; round++) {
      for (const { kind, warm, all } of cells) all.push(native.bench(handles[kind], request, { count: runsPerRound, warm }))
    }
    const busy = kinds.map((kind) => ({ kind, all: [] as Load[] }))
    for (let round = 0; round < 5; round++) for (const { kind, all } of busy) all.push(await load(handles[kind]))
    const figures: Figure[] = [...cells.flatMap(cellFigures), ...busy.flatMap(busyFigures)]
    return { figures, raw: { cells, busy, stats: native.stats() } }
  } finally {
    native.close()
  }

  async function prepare(kind: 'script' | 'command', code: Buffer): Promise<number> {
    const outcome = await native.prepare(kind, code, runLimits('basic'))
    if (!outcome.ok) throw new Error(outcome.message)
    return outcome.handle
  }

  /** Through the engine's threads and Node's event loop, as the host runs guests; instances that were pooled have been made meanwhile. */
  async function load(handle: number): Promise<Load> {
    let begun = 0
    const before = native.stats()
    const millis: number[] = []
    const started = performance.now()
    await Promise.all(
      Array.from({ length: inFlight }, async () => {
        while (begun++ < throughputRuns) {
          const at = performance.now()
          await native.run(handle, request)
          millis.push(performance.now() - at)
        }
      }),
    )
    const perSecond = (throughputRuns / (performance.now() - started)) * 1000
    const pooled = (native.stats().warmHits - before.warmHits) / throughputRuns
    return { perSecond, p50Micros: quantile(millis, 0.5) * 1e3, p99Micros: quantile(millis, 0.99) * 1e3, pooled }
  }
}

type Load = { perSecond: number; p50Micros: number; p99Micros: number; pooled: number }
type Cell = { kind: 'script' | 'command'; state: string; all: BenchAnswer[] }

const request = { input: '{"n":1}', seed: 0, startTimeMs: 0, limits: runLimits('basic') }

const targets: Record<string, { total: string; start: string; busy: string }> = {
  script: { total: '<= 40', start: '<= 20', busy: '<= 4,000' },
  command: { total: '<= 10', start: '<= 20', busy: '<= 500' },
}

function path(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url))
}

function cellFigures({ kind, state, all }: Cell): Figure[] {
  const micros = (pick: (answer: BenchAnswer) => Percentiles, at: keyof Percentiles) => median(all.map((answer) => pick(answer)[at])) / 1000
  const total = state === 'loaded' ? { target: targets[kind]?.total ?? '' } : {}
  return [
    { name: `no-op ${kind}, ${state}, concurrency 1: p50, µs`, value: micros((answer) => answer.total, 'p50Nanos'), ...total },
    { name: `no-op ${kind}, ${state}, concurrency 1: p99, µs`, value: micros((answer) => answer.total, 'p99Nanos') },
    {
      name: `no-op ${kind}, ${state}: claim to first guest instruction, p50, µs`,
      value: micros((answer) => answer.start, 'p50Nanos'),
      target: state === 'pooled' ? '<= 3' : (targets[kind]?.start ?? ''),
    },
  ]
}

function busyFigures({ kind, all }: { kind: string; all: Load[] }): Figure[] {
  const of = (pick: (load: Load) => number) => median(all.map(pick))
  const perSecond = kind === 'script' ? { target: '>= 20,000' } : {}
  return [
    { name: `no-op ${kind}, concurrency ${inFlight}: p50, µs`, value: of((load) => load.p50Micros), target: targets[kind]?.busy ?? '' },
    { name: `no-op ${kind}, concurrency ${inFlight}: p99, µs`, value: of((load) => load.p99Micros) },
    { name: `no-op ${kind}: runs per second, both cores, pool refills counted`, value: of((load) => load.perSecond), ...perSecond },
    { name: `no-op ${kind}: share of those runs that found an instance waiting`, value: of((load) => load.pooled) },
  ]
}
