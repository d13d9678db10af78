// No-op programs in process: what one start + run + teardown costs before HTTP, journal and validation come on top. The two kinds
// alternate, so that a slow moment of the machine falls on both.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { loadNativeEngine } from '../../sandbox-host/engine/native-engine.ts'
import { runLimits } from '../../sandbox-host/sandbox-engine.ts'
import { tiers } from '../../shared/tiers.ts'
import type { ScenarioResult } from '../run.ts'
import { median } from '../statistics.ts'

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
  })
  try {
    const script = await prepare('script', Buffer.from('export default (input) => input'))
    const command = await prepare('command', readFileSync(path('../../test/fixtures/agents/echo.wasm')))
    const samples = { script: [] as Quantiles[], command: [] as Quantiles[], scriptsPerSecond: [] as number[] }
    native.bench(script, request, runsPerRound)
    native.bench(command, request, runsPerRound)
    for (let round = 0; round < rounds; round++) {
      samples.script.push(native.bench(script, request, runsPerRound))
      samples.command.push(native.bench(command, request, runsPerRound))
    }
    for (let round = 0; round < 3; round++) samples.scriptsPerSecond.push(await throughput(script))
    return {
      figures: [...figures('script', samples.script, '<= 60'), ...figures('command', samples.command, '<= 20'), perSecond()],
      raw: samples,
    }

    function perSecond() {
      return { name: `script: runs per second in process, both cores, ${inFlight} in flight`, value: median(samples.scriptsPerSecond) }
    }
  } finally {
    native.close()
  }

  async function prepare(kind: 'script' | 'command', code: Buffer): Promise<number> {
    const outcome = await native.prepare(kind, code, runLimits('basic'))
    if (!outcome.ok) throw new Error(outcome.message)
    return outcome.handle
  }

  async function throughput(handle: number): Promise<number> {
    let begun = 0
    const started = performance.now()
    await Promise.all(
      Array.from({ length: inFlight }, async () => {
        while (begun++ < throughputRuns) await native.run(handle, request)
      }),
    )
    return (throughputRuns / (performance.now() - started)) * 1000
  }
}

type Quantiles = { p50Nanos: number; p90Nanos: number; p99Nanos: number }

const request = { input: '{"n":1}', seed: 0, startTimeMs: 0, limits: runLimits('basic') }

function path(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url))
}

function figures(kind: string, all: Quantiles[], target: string) {
  const micros = (pick: (quantiles: Quantiles) => number) => median(all.map(pick)) / 1000
  return [
    { name: `no-op ${kind}, concurrency 1: p50, µs`, value: micros((q) => q.p50Nanos), target },
    { name: `no-op ${kind}, concurrency 1: p99, µs`, value: micros((q) => q.p99Nanos) },
  ]
}
