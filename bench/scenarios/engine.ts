// No-op programs in process: what one start + run + teardown costs before HTTP, journal and validation come on top, with the program
// loaded (an instance is made for the run) and pooled (one waits). The kinds alternate, so that a slow moment of the machine falls on all.
import { readFileSync } from 'node:fs'
import type { BenchAnswer, Percentiles, PoolAnswer } from '../../sandbox-host/engine/native-engine.ts'
import { runLimits } from '../../sandbox-host/sandbox-engine.ts'
import { tiers } from '../../shared/tiers.ts'
import { createNativeForBench } from '../native.ts'
import type { Figure, ScenarioResult } from '../scenario.ts'
import { median, quantile } from '../statistics.ts'

const rounds = 15
const runsPerRound = 4_000
const inFlight = 80
const throughputRuns = 60_000

export async function engine(): Promise<ScenarioResult> {
  const native = createNativeForBench({ slots: 128, memoryBytesMax: tiers.enterprise.memoryBytesMax })
  try {
    const handles = {
      script: await prepare('script', Buffer.from('export default (input) => input')),
      command: await prepare('command', readFileSync(new URL('../../test/fixtures/agents/echo.wasm', import.meta.url))),
    }
    const kinds = ['script', 'command'] as const
    const states = { loaded: false, pooled: true } as const
    const cells = kinds.flatMap((kind) => Object.entries(states).map(([state, warm]) => ({ kind, state, warm, all: [] as BenchAnswer[] })))
    for (const { kind, warm } of cells) native.bench(handles[kind], request, { count: runsPerRound, warm })
    for (let round = 0; round < rounds; round++) {
      for (const { kind, warm, all } of cells) all.push(native.bench(handles[kind], request, { count: runsPerRound, warm }))
    }
    const busy = kinds.map((kind) => ({ kind, pool: [] as PoolAnswer[], node: [] as Load[] }))
    const raw: Percentiles[] = []
    for (let round = 0; round < rounds; round++) {
      raw.push(native.benchRaw(handles.command, request, runsPerRound))
      for (const { kind, pool } of busy) pool.push(native.benchPool(handles[kind], request, { count: runsPerRound * 5, inFlight }))
    }
    for (let round = 0; round < 5; round++) for (const { kind, node } of busy) node.push(await load(handles[kind]))
    const figures: Figure[] = [...cells.flatMap(cellFigures), distance(cells, raw), ...busy.flatMap(busyFigures)]
    return { figures, raw: { cells, raw, busy, stats: native.stats() } }
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

/** Ours with limits, logs, files and outcome against Wasmtime with the same instruments and nothing else. */
function distance(cells: Cell[], raw: Percentiles[]): Figure {
  const loaded = cells.find(({ kind, state }) => kind === 'command' && state === 'loaded')?.all ?? []
  const ratio = median(loaded.map(({ total }) => total.p50Nanos)) / median(raw.map(({ p50Nanos }) => p50Nanos))
  return { name: 'no-op command, loaded: times the cost of raw Wasmtime', value: ratio, target: '<= 1.3' }
}

type Busy = { kind: 'script' | 'command'; pool: PoolAnswer[]; node: Load[] }

function busyFigures({ kind, pool, node }: Busy): Figure[] {
  const inPool = (pick: (answer: PoolAnswer) => number) => median(pool.map(pick))
  const inNode = (pick: (load: Load) => number) => median(node.map(pick))
  const perSecond = kind === 'script' ? { target: '>= 20,000' } : {}
  return [
    {
      name: `no-op ${kind}, concurrency ${inFlight}: p50, µs`,
      value: inPool(({ latency }) => latency.p50Nanos) / 1e3,
      target: targets[kind]?.busy ?? '',
    },
    { name: `no-op ${kind}, concurrency ${inFlight}: p99, µs`, value: inPool(({ latency }) => latency.p99Nanos) / 1e3 },
    { name: `no-op ${kind}: runs per second, both cores`, value: inPool(({ runsPerSecond }) => runsPerSecond), ...perSecond },
    { name: `no-op ${kind}, concurrency ${inFlight}, through Node: p50, µs`, value: inNode((load) => load.p50Micros) },
    { name: `no-op ${kind}, through Node: runs per second, refills counted`, value: inNode((load) => load.perSecond), ...perSecond },
    { name: `no-op ${kind}, through Node: share that found an instance waiting`, value: inNode((load) => load.pooled) },
  ]
}
