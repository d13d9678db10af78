// Ten minutes of a realistic mix at twenty connections: throughput, latency and errors all along, and the memory of every process. Every
// execution and every verdict also goes through journal, Postgres and R2 meanwhile.
import { withLocalCloud, type LocalCloud } from '../local-cloud.ts'
import { latencyAt, load, LatencyRecorder, percentiles, type Latencies, type LoadRound } from '../load.ts'
import { memoryGrowth, warmUpShare, type MemorySample } from '../memory-growth.ts'
import { treeMemoryMiB } from '../process-tree.ts'
import { sustainedPromise } from '../promised.ts'
import { mix, requestMix, rotated, type MixedRequest } from '../request-mix.ts'
import type { BenchRun, ScenarioResult, Table } from '../scenario.ts'
import { showNumber } from '../text-table.ts'

const { connections } = sustainedPromise
const quickSeconds = 20
const intervals = 120
/** Their memory is what they keep of the data: Postgres fills its shared buffers up to what it is set to. */
const stores = new Set(['postgres', 'redis'])
const growthMiBMax = 10
const executionP99MsMax = 500

type Interval = { atSeconds: number; perSecond: number; p50Ms: number; p99Ms: number }
type Memory = Map<string, MemorySample[]>

export async function sustained(run: BenchRun): Promise<ScenarioResult> {
  const seconds = run.quick ? quickSeconds : sustainedPromise.seconds
  run.plan(run.quick ? 10 : 60)
  return withLocalCloud(async (cloud) => {
    const { kinds, requests } = await requestMix(cloud)
    const byKind = new Map(Object.keys(mix).map((kind) => [kind as MixedRequest, new LatencyRecorder()]))
    const sampler = sample(cloud, { seconds, run })
    let started = 0
    const total = await load({
      url: cloud.directUrl,
      connections,
      duration: seconds,
      onAnswer: sampler.answered,
      setupClient(client) {
        const from = Math.round((started++ / connections) * requests.length)
        client.setRequests(rotated(requests, from))
        // Each connection goes through its list in order.
        let at = from
        client.on('response', (_status: number, _bytes: number, ms: number) =>
          byKind.get(kinds[at++ % kinds.length] ?? 'health')?.record(ms),
        )
      },
    })
    const { series, memory } = sampler.stop()
    const kindRows = [...byKind].map(([kind, recorder]) => ({ kind, requests: recorder.count, ...recorder.latencies() }))
    return resultOf({ seconds, total, series, memory, kindRows })
  })
}

/** Looks at what was answered and at the processes, so many times in a run. */
function sample(cloud: LocalCloud, { seconds, run }: { seconds: number; run: BenchRun }) {
  const everyMs = (seconds * 1e3) / (run.quick ? 20 : intervals)
  const began = performance.now()
  const series: Interval[] = []
  const memory: Memory = new Map()
  let recorder = new LatencyRecorder()
  let lookedAt = began
  const look = () => {
    const now = performance.now()
    const atSeconds = (now - began) / 1e3
    const latencies = recorder.latencies()
    series.push({
      atSeconds,
      perSecond: (recorder.count / (now - lookedAt)) * 1e3,
      p50Ms: latencyAt(latencies, 50),
      p99Ms: latencyAt(latencies, 99),
    })
    recorder = new LatencyRecorder()
    lookedAt = now
    for (const [name, pid] of Object.entries(cloud.processes())) {
      const samples = memory.get(name) ?? []
      samples.push({ atSeconds, mib: treeMemoryMiB(pid) })
      memory.set(name, samples)
    }
    if (series.length % 2 === 0) run.step(`${Math.round(atSeconds)} of ${seconds} s`)
  }
  const timer = setInterval(look, everyMs)
  return {
    answered: (ms: number) => recorder.record(ms),
    stop() {
      clearInterval(timer)
      return { series, memory }
    },
  }
}

type KindRow = Latencies & { kind: MixedRequest; requests: number }
type Measured = { seconds: number; total: LoadRound; series: Interval[]; memory: Memory; kindRows: KindRow[] }

function resultOf({ seconds, total, series, memory, kindRows }: Measured): ScenarioResult {
  const ours = [...memory.keys()].filter((name) => !stores.has(name))
  const growth = memoryGrowth(summed(memory, ours))
  const executions = kindRows.find(({ kind }) => kind === 'an execution')
  const { growthMiB: _, ...promised } = sustainedPromise
  return {
    figures: [
      {
        name: 'requests per second',
        value: total.perSecond,
        target: `>= ${promised.perSecond.toLocaleString('en')}`,
        samples: series.map(({ perSecond }) => perSecond),
      },
      {
        name: 'requests',
        value: total.requests,
        ...(seconds < promised.seconds ? { better: 'more' as const } : { target: `>= ${promised.requests.toLocaleString('en')}` }),
      },
      { name: 'p50, ms', value: latencyAt(total, 50), target: `<= ${promised.p50Ms}`, samples: series.map(({ p50Ms }) => p50Ms) },
      { name: 'p95, ms', value: latencyAt(total, 95), target: `<= ${promised.p95Ms}` },
      { name: 'p99, ms', value: latencyAt(total, 99), target: `<= ${promised.p99Ms}`, samples: series.map(({ p99Ms }) => p99Ms) },
      { name: 'failed requests', value: total.failed, target: '0' },
      {
        name: 'an execution among them: p99, ms',
        value: executions ? latencyAt(executions, 99) : Number.NaN,
        target: `<= ${executionP99MsMax}`,
      },
      { name: 'growth of our processes after warm-up, MiB', value: growth.grownMiB, target: `<= ${growthMiBMax}` },
    ],
    tables: [promisedTable({ seconds, total, growth: growth.grownMiB }), kindTable(kindRows), memoryTable(memory, ours)],
    charts: [
      {
        name: 'sustained-memory',
        title: `Memory of each process over ${seconds} s`,
        kind: 'lines',
        x: { title: 'seconds' },
        y: { title: 'MiB (proportional set size)' },
        points: [...memory].flatMap(([name, samples]) => samples.map(({ atSeconds, mib }) => ({ series: name, x: atSeconds, y: mib }))),
      },
      {
        name: 'sustained-throughput',
        title: `Answers per second over ${seconds} s`,
        kind: 'lines',
        x: { title: 'seconds' },
        y: { title: 'answers per second' },
        points: series.map(({ atSeconds, perSecond }) => ({ series: 'all requests', x: atSeconds, y: perSecond })),
      },
    ],
    raw: { percentiles, total, series, memory: Object.fromEntries(memory), kinds: kindRows },
  }
}

/** Sample by sample: those of one moment. */
function summed(memory: Memory, names: readonly string[]): MemorySample[] {
  const [first = []] = memory.values()
  return first.map(({ atSeconds }, at) => ({ atSeconds, mib: names.reduce((sum, name) => sum + (memory.get(name)?.[at]?.mib ?? 0), 0) }))
}

function promisedTable({ seconds, total, growth }: { seconds: number; total: LoadRound; growth: number }): Table {
  const promised = sustainedPromise
  return {
    title: 'Promised and reached: sustained load',
    columns: ['', 'promised', 'reached'],
    rows: [
      ['seconds', promised.seconds, seconds],
      ['connections', promised.connections, connections],
      ['requests', promised.requests, total.requests],
      ['requests per second', promised.perSecond, total.perSecond],
      ...([50, 95, 99] as const).map((at) => [`p${at}, ms`, promised[`p${at}Ms`], latencyAt(total, at)]),
      ['errors', 0, total.failed],
      ['growth of memory, MiB', `< ${promised.growthMiB}`, growth],
    ],
    note: `The mix, of a thousand requests: ${Object.entries(mix)
      .map(([kind, count]) => `${kind} ${count}`)
      .join(
        ', ',
      )}. The sheet does not say what its requests were, nor on what hardware. Growth: the median of the last tenth of the run less the median of the tenth after the first ${showNumber(warmUpShare * 100)} %, summed over all processes but the stores.`,
  }
}

function kindTable(rows: KindRow[]): Table {
  return {
    title: 'By kind of request',
    columns: ['request', 'answers', 'p50, ms', 'p95, ms', 'p99, ms', 'longest, ms'],
    rows: rows.map((row) => [row.kind, row.requests, ...([50, 95, 99] as const).map((at) => latencyAt(row, at)), row.maxMs]),
  }
}

function memoryTable(memory: Memory, ours: string[]): Table {
  const rows = [...memory].map(([name, samples]) => ({ name: stores.has(name) ? `${name} (a store)` : name, samples }))
  return {
    title: 'Memory of each process',
    columns: ['process', 'first, MiB', 'last, MiB', 'growth after warm-up, MiB', 'slope, MiB per hour'],
    rows: [...rows, { name: 'all but the stores', samples: summed(memory, ours) }].map(({ name, samples }) => {
      const { grownMiB, slopeMiBPerHour } = memoryGrowth(samples)
      return [name, samples[0]?.mib ?? null, samples.at(-1)?.mib ?? null, grownMiB, slopeMiBPerHour]
    }),
    note: 'Proportional set size of the process and all below it. Postgres fills its shared buffers up to their setting, Redis holds what it is given: they are stores, and left out of the sum.',
  }
}
