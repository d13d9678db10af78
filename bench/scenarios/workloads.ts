// The five workloads of the platform's sheet, the same sources in our sandbox with all limits on and in quickjs-emscripten, interleaved:
// start + run (a fresh isolated instance each time, source or snapshot loaded) and run alone. Outputs are compared before anything counts.
import { readFileSync } from 'node:fs'
import type { NativeEngine } from '../../sandbox-host/engine/native-engine.ts'
import { runLimits } from '../../sandbox-host/sandbox-engine.ts'
import { createNativeForBench } from '../native.ts'
import { callScript, compileQuickjs, loadScript } from '../peers/quickjs-emscripten.ts'
import type { QuickJS, Script } from '../peers/quickjs-emscripten.ts'
import type { Figure, ScenarioResult } from '../run.ts'
import { geometricMean, median } from '../statistics.ts'

const rounds = 40
/** Inputs that take the baseline 2 to 6 ms on this kind of machine. */
const workloads = { arithmetic: 30_000, nested: 44, fibonacci: 18, objects: 1_300, strings: 9_000 }
type Name = keyof typeof workloads
// Object.entries forgets the names of keys.
const names = Object.keys(workloads) as Name[]

type Sample = { ours: number; oursRun: number; theirs: number; theirsRun: number; theirsStart: number; oursStart: number }
type Case = { name: Name; input: string; handle: number; source: string; shared: Script; samples: Sample[] }

export async function workloadSpeed(): Promise<ScenarioResult> {
  const native = createNativeForBench({ threads: 1, warmPerProgram: 0, warmTotal: 0 })
  try {
    const newModule = await compileQuickjs()
    const cases: Case[] = []
    for (const name of names) cases.push(await load(name, { native, shared: await newModule() }))
    for (let round = 0; round < rounds; round++) {
      for (const each of cases) each.samples.push(await sample(each, { native, newModule }))
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
  const loaded = { name, input, handle: prepared.handle, source, shared: loadScript(shared, source), samples: [] }
  const ours = await run(native, loaded)
  const theirs = callScript(loaded.shared, input)
  if (ours.output !== theirs) throw new Error(`${name}: ours gives ${ours.output}, quickjs-emscripten ${theirs}`)
  return loaded
}

function run(native: NativeEngine, { handle, input }: Pick<Case, 'handle' | 'input'>) {
  return native.run(handle, { input, seed: 0, startTimeMs: 0, limits: runLimits('basic') })
}

async function sample(each: Case, { native, newModule }: { native: NativeEngine; newModule: () => Promise<QuickJS> }): Promise<Sample> {
  const outcome = await run(native, each)
  const began = performance.now()
  const script = loadScript(await newModule(), each.source)
  const started = performance.now()
  callScript(script, each.input)
  const ended = performance.now()
  callScript(each.shared, each.input)
  const endedShared = performance.now()
  return {
    ours: outcome.wallMicros / 1e3,
    oursRun: (outcome.wallMicros - outcome.startMicros) / 1e3,
    oursStart: outcome.startMicros / 1e3,
    theirs: ended - began,
    theirsRun: endedShared - ended,
    theirsStart: started - began,
  }
}

function figuresOf(cases: Case[]): Figure[] {
  const rows = cases.map(({ name, samples }) => {
    const of = (pick: (sample: Sample) => number) => median(samples.map(pick))
    return { name, ours: of((s) => s.ours), theirs: of((s) => s.theirs), oursRun: of((s) => s.oursRun), theirsRun: of((s) => s.theirsRun) }
  })
  const starts = cases.flatMap(({ samples }) => samples.map((s) => s.theirsStart / s.oursStart))
  return [
    ...rows.flatMap(({ name, ours, theirs, oursRun, theirsRun }) => [
      { name: `${name}: start + run, ours, ms`, value: ours },
      { name: `${name}: start + run, isolated quickjs-emscripten, ms`, value: theirs },
      { name: `${name}: start + run, times faster`, value: theirs / ours, target: '>= 1.3' },
      { name: `${name}: run only, times faster than shared quickjs-emscripten`, value: theirsRun / oursRun },
    ]),
    { name: 'start + run: geometric mean, times faster', value: geometricMean(rows.map((r) => r.theirs / r.ours)), target: '>= 1.7' },
    { name: 'run only: geometric mean, times faster', value: geometricMean(rows.map((r) => r.theirsRun / r.oursRun)), target: '>= 0.8' },
    { name: 'start only: median, times faster than an isolated instance', value: median(starts), target: '>= 100' },
  ]
}
