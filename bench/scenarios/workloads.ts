// The five workloads of the platform's sheet, the same sources in our sandbox with all limits on and in quickjs-emscripten: start + run (a
// fresh isolated instance each time, source or snapshot loaded) and run alone. Outputs are compared before anything counts. Each round
// gives every engine its turn with all workloads, after a pause: V8 compiles and collects in the background what a turn leaves behind,
// and that would fall on whoever comes next.
import { readFileSync } from 'node:fs'
import type { NativeEngine } from '../../sandbox-host/engine/native-engine.ts'
import { runLimits } from '../../sandbox-host/sandbox-engine.ts'
import { createNativeForBench } from '../native.ts'
import { callScript, compileQuickjs, loadScript, newQuickjs } from '../peers/quickjs-emscripten.ts'
import type { QuickJS, Script } from '../peers/quickjs-emscripten.ts'
import type { Figure, ScenarioResult } from '../scenario.ts'
import { geometricMean, median } from '../statistics.ts'

const rounds = 25
const pauseMs = 250
/** Inputs that take the baseline 2 to 6 ms on this kind of machine. */
const workloads = { arithmetic: 30_000, nested: 44, fibonacci: 18, objects: 1_300, strings: 9_000 }
type Name = keyof typeof workloads
// Object.entries forgets the names of keys.
const names = Object.keys(workloads) as Name[]

type Sample = { start: number; run: number }
const engines = ['ours', 'isolated', 'precompiled', 'shared'] as const
type Engine = (typeof engines)[number]
type Samples = Record<Engine, Sample[]>
type Case = { name: Name; input: string; handle: number; source: string; shared: Script; samples: Samples }

export async function workloadSpeed(): Promise<ScenarioResult> {
  const native = createNativeForBench({ threads: 1, warmPerProgram: 0, warmTotal: 0 })
  try {
    const precompiled = await compileQuickjs()
    const cases: Case[] = []
    for (const name of names) cases.push(await load(name, { native, shared: await precompiled() }))
    const turns: Record<Engine, (each: Case) => Promise<Sample>> = {
      ours: (each) => runOurs(native, each),
      isolated: (each) => runIsolated(each, newQuickjs),
      precompiled: (each) => runIsolated(each, precompiled),
      shared: async (each) => ({ start: 0, run: elapsed(() => callScript(each.shared, each.input)) }),
    }
    for (let round = 0; round < rounds; round++) {
      for (const engine of engines) {
        await new Promise((resolve) => setTimeout(resolve, pauseMs))
        for (const each of cases) each.samples[engine].push(await turns[engine](each))
      }
    }
    return { figures: figuresOf(cases), raw: Object.fromEntries(cases.map(({ name, samples }) => [name, samples])) }
  } finally {
    native.close()
  }
}

async function load(name: Name, { native, shared }: { native: NativeEngine; shared: QuickJS }): Promise<Case> {
  const source = readFileSync(new URL(`../workloads/${name}.js`, import.meta.url), 'utf8')
  const prepared = await native.prepare('script', Buffer.from(source), runLimits('basic'))
  if (!prepared.ok) throw new Error(prepared.message)
  const input = JSON.stringify({ n: workloads[name] })
  const loaded = {
    name,
    input,
    handle: prepared.handle,
    source,
    shared: loadScript(shared, source),
    samples: { ours: [], isolated: [], precompiled: [], shared: [] },
  }
  const ours = await run(native, loaded)
  const theirs = callScript(loaded.shared, input)
  if (ours.output !== theirs) throw new Error(`${name}: ours gives ${ours.output}, quickjs-emscripten ${theirs}`)
  return loaded
}

function run(native: NativeEngine, { handle, input }: Pick<Case, 'handle' | 'input'>) {
  return native.run(handle, { input, seed: 0, startTimeMs: 0, limits: runLimits('basic') })
}

async function runOurs(native: NativeEngine, each: Case): Promise<Sample> {
  const { startMicros, wallMicros } = await run(native, each)
  return { start: startMicros / 1e3, run: (wallMicros - startMicros) / 1e3 }
}

async function runIsolated({ source, input }: Case, newModule: () => Promise<QuickJS>): Promise<Sample> {
  const began = performance.now()
  const script = loadScript(await newModule(), source)
  const start = performance.now() - began
  return { start, run: elapsed(() => callScript(script, input)) }
}

function elapsed(work: () => unknown): number {
  const began = performance.now()
  work()
  return performance.now() - began
}

function figuresOf(cases: Case[]): Figure[] {
  const rows = cases.map(({ name, samples }) => {
    const whole = (engine: Engine) => median(samples[engine].map(({ start, run: ran }) => start + ran))
    const ran = (engine: Engine) => median(samples[engine].map((sample) => sample.run))
    const start = (engine: Engine) => median(samples[engine].map((sample) => sample.start))
    return { name, whole, ran, start }
  })
  const ratio = (of: (row: (typeof rows)[number]) => number) => geometricMean(rows.map(of))
  return [
    ...rows.flatMap(({ name, whole, ran }) => [
      { name: `${name}: start + run, ours, ms`, value: whole('ours') },
      { name: `${name}: start + run, isolated quickjs-emscripten, ms`, value: whole('isolated') },
      { name: `${name}: start + run, times faster`, value: whole('isolated') / whole('ours'), target: '>= 1.3' },
      { name: `${name}: run only, times faster than shared quickjs-emscripten`, value: ran('shared') / ran('ours') },
    ]),
    {
      name: 'start + run: geometric mean, times faster',
      value: ratio((row) => row.whole('isolated') / row.whole('ours')),
      target: '>= 1.7',
    },
    { name: '  where it compiles its module only once', value: ratio((row) => row.whole('precompiled') / row.whole('ours')) },
    { name: 'run only: geometric mean, times faster', value: ratio((row) => row.ran('shared') / row.ran('ours')), target: '>= 0.8' },
    {
      name: 'start only: geometric mean, times faster',
      value: ratio((row) => row.start('isolated') / row.start('ours')),
      target: '>= 100',
    },
    { name: '  where it compiles its module only once', value: ratio((row) => row.start('precompiled') / row.start('ours')) },
  ]
}
