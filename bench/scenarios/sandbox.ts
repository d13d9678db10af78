// The same work in every sandbox that one would think of: the five workloads of the sheet, and programs that nobody tuned for. Each sandbox
// is a process, and has its turn with all programs in every round, after a pause: V8 compiles and collects in the background what a
// turn leaves behind, and that would fall on whoever comes next. Outputs are compared before anything counts.
import { workloadPromises } from '../promised.ts'
import { sheetPrograms } from '../workloads/sheet-programs.ts'
import { bundleProgram, heldOutPrograms } from '../workloads/held-out/programs.ts'
import type { BenchRun, Chart, Figure, ScenarioResult, Table } from '../scenario.ts'
import type { SandboxProgram } from '../sandboxes/sandbox.ts'
import { baseline, sandboxNames, type SandboxName } from '../sandboxes/sandbox-kinds.ts'
import { startSandbox, type StartedSandbox } from '../sandboxes/start-sandbox.ts'
import { geometricMean, median, ratioOfMedians } from '../statistics.ts'
import { showRatio } from '../show-ratio.ts'

type Part = 'start' | 'run' | 'whole'
type Sample = Record<Part, number>
/** By program, by sandbox. */
type Samples = Map<string, Map<SandboxName, Sample[]>>

const full = { sheetRounds: 25, otherRounds: 9, pauseMs: 150, others: heldOutPrograms }
const quick = { sheetRounds: 5, otherRounds: 3, pauseMs: 10, others: heldOutPrograms.filter(({ half }) => half === 'held-out').slice(0, 4) }

export async function sandbox(run: BenchRun): Promise<ScenarioResult> {
  const { sheetRounds, otherRounds, pauseMs, others } = run.quick ? quick : full
  const otherPrograms = await Promise.all(
    others.map(async (program) => ({
      name: program.name,
      source: await bundleProgram(program),
      input: JSON.stringify(program.input()),
    })),
  )
  const programs = [...sheetPrograms, ...otherPrograms]
  run.plan(1 + sheetRounds + otherRounds)
  const sandboxes: StartedSandbox[] = []
  try {
    run.step('loading')
    const starting = await Promise.allSettled(sandboxNames.map((name) => startSandbox(name, programs)))
    sandboxes.push(...starting.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : [])))
    const failed = starting.find((each) => each.status === 'rejected')
    if (failed) throw failed.reason
    const samples: Samples = new Map(programs.map(({ name }) => [name, new Map(sandboxNames.map((sandboxName) => [sandboxName, []]))]))
    for (let round = 0; round < sheetRounds; round++) {
      run.step(`workloads, round ${round + 1} of ${sheetRounds}`)
      await takeTurns(sandboxes, { programs: sheetPrograms, samples, pauseMs })
    }
    for (let round = 0; round < otherRounds; round++) {
      run.step(`other programs, round ${round + 1} of ${otherRounds}`)
      await takeTurns(sandboxes, { programs: otherPrograms, samples, pauseMs })
    }
    const refused = Object.fromEntries(sandboxes.map((each) => [each.name, each.refused]))
    const sheetNames = sheetPrograms.map(({ name }) => name)
    const otherNames = otherPrograms.map(({ name }) => name)
    return {
      figures: figuresOf(samples, { sheetNames, otherNames }),
      tables: [
        promisedTable(samples, sheetNames),
        ...(['start', 'run', 'whole'] as const).map((part) => partTable(samples, { names: sheetNames, part })),
        ratioTable(samples, { names: sheetNames, title: 'Workloads of the sheet: times faster, start + run' }),
        ratioTable(samples, { names: otherNames, title: 'Programs that nobody tuned for: times faster, start + run' }),
        partTable(samples, { names: otherNames, part: 'run' }),
      ],
      charts: [ratioChart(samples, { sheetNames, otherNames })],
      raw: { refused, samples: Object.fromEntries([...samples].map(([name, of]) => [name, Object.fromEntries(of)])) },
    }
  } finally {
    await Promise.all(sandboxes.map((each) => each.stop()))
  }
}

type Turns = { programs: SandboxProgram[]; samples: Samples; pauseMs: number }

async function takeTurns(sandboxes: StartedSandbox[], { programs, samples, pauseMs }: Turns): Promise<void> {
  const outputs = new Map<string, { output: string; by: SandboxName }>()
  for (const each of sandboxes) {
    const names = programs.map(({ name }) => name).filter((name) => !(name in each.refused))
    if (names.length === 0) continue
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
    for (const { name, output, startMs, runMs } of await each.turn(names)) {
      const first = outputs.get(name) ?? { output, by: each.name }
      outputs.set(name, first)
      if (first.output !== output) throw new Error(`${name}: ${each.name} gives ${shorten(output)}, ${first.by} ${shorten(first.output)}`)
      samples
        .get(name)
        ?.get(each.name)
        ?.push({ start: startMs, run: runMs, whole: startMs + runMs })
    }
  }
}

const shorten = (text: string) => (text.length > 200 ? `${text.slice(0, 200)}…` : text)

/** Empty where a sandbox cannot run the program. */
function partOf(samples: Samples, { name, sandbox: of, part }: { name: string; sandbox: SandboxName; part: Part }): number[] {
  return (samples.get(name)?.get(of) ?? []).map((sample) => sample[part])
}

const partTitles = { start: 'start', run: 'run', whole: 'start + run' }

function partTable(samples: Samples, { names, part }: { names: string[]; part: Part }): Table {
  return {
    title: `${names.length === sheetPrograms.length ? 'Workloads of the sheet' : 'Programs that nobody tuned for'}: ${partTitles[part]}, ms`,
    columns: ['program', ...sandboxNames],
    rows: names.map((name) => [
      name,
      ...sandboxNames.map((each) => {
        const all = partOf(samples, { name, sandbox: each, part })
        return all.length > 0 ? median(all) : null
      }),
    ]),
    ...(part === 'start'
      ? {
          note: 'Start is all that a caller waits for beside the guest’s own work: instance, program, crossing to and fro. Raw Wasmtime: the same command with nothing to do.',
        }
      : {}),
  }
}

function ratioTable(samples: Samples, { names, title }: { names: string[]; title: string }): Table {
  const others = sandboxNames.filter((name) => name !== baseline)
  return {
    title,
    columns: ['program', ...others],
    rows: [
      ...names.map((name) => [
        name,
        ...others.map((each) => showRatio(fasterThanBaseline(samples, { name, sandbox: each, part: 'whole' }))),
      ]),
      ['geometric mean', ...others.map((each) => meanFaster(samples, { names, sandbox: each, part: 'whole' }))],
    ],
    note: `How many times faster than ${baseline}, with the interval that holds 95 of 100 repetitions. isolated-vm runs V8's optimising compilers and meters nothing; the quickjs packages meter nothing and have no limits on; ours has every limit on and counts fuel. A dash: it cannot run that program, or was not built for it.`,
  }
}

type Cell = { name: string; sandbox: SandboxName; part: Part }

function fasterThanBaseline(samples: Samples, cell: Cell) {
  const all = partOf(samples, cell)
  const base = partOf(samples, { ...cell, sandbox: baseline })
  return all.length > 0 && base.length > 0 ? ratioOfMedians(base, all) : { value: Number.NaN }
}

function meanFaster(samples: Samples, { names, ...cell }: Omit<Cell, 'name'> & { names: string[] }): number | null {
  const ratios = names.map((name) => fasterThanBaseline(samples, { name, ...cell }).value).filter((ratio) => ratio > 0 && ratio < Infinity)
  return ratios.length === names.length ? geometricMean(ratios) : null
}

function promisedTable(samples: Samples, names: string[]): Table {
  const whole = (name: string, of: SandboxName) => partOf(samples, { name, sandbox: of, part: 'whole' })
  return {
    title: 'Promised and reached: Wasmtime against QuickJS',
    columns: [
      'workload',
      'promised QuickJS, ms',
      'promised Wasmtime, ms',
      'promised ratio',
      'QuickJS here, ms',
      'ours: command (C), ms',
      'ratio',
      'ours: script, ms',
      'ratio ',
    ],
    rows: names.map((name) => {
      const { quickjsMs = Number.NaN, wasmtimeMs = Number.NaN } = workloadPromises[name] ?? {}
      return [
        name,
        quickjsMs,
        wasmtimeMs,
        quickjsMs / wasmtimeMs,
        median(whole(name, baseline)),
        median(whole(name, 'ours: command (C)')),
        showRatio(ratioOfMedians(whole(name, baseline), whole(name, 'ours: command (C)'))),
        median(whole(name, 'ours: script')),
        showRatio(ratioOfMedians(whole(name, baseline), whole(name, 'ours: script'))),
      ]
    }),
    note: `Milliseconds cannot be compared: the sheet does not say what its workloads do or on what machine. Ratios can: QuickJS is ${baseline}, start + run. The sheet's Wasmtime was the host's own WebAssembly; here a command is the same work compiled from C, a script is the very same source.`,
  }
}

function figuresOf(samples: Samples, { sheetNames, otherNames }: { sheetNames: string[]; otherNames: string[] }): Figure[] {
  const script = 'ours: script'
  const faster = (names: string[], part: Part, of: SandboxName = script) => meanFaster(samples, { names, sandbox: of, part }) ?? Number.NaN
  const runOnly = geometricMean(
    sheetNames.map(
      (name) =>
        ratioOfMedians(
          partOf(samples, { name, sandbox: 'quickjs-emscripten, shared', part: 'run' }),
          partOf(samples, { name, sandbox: script, part: 'run' }),
        ).value,
    ),
  )
  return [
    ...sheetNames.flatMap((name): Figure[] => [
      figure(`${name}: start + run, script, ms`, partOf(samples, { name, sandbox: script, part: 'whole' })),
      figure(`${name}: run, script, ms`, partOf(samples, { name, sandbox: script, part: 'run' })),
    ]),
    ...otherNames.map((name) => figure(`${name}: run, script, ms`, partOf(samples, { name, sandbox: script, part: 'run' }))),
    { name: 'workloads, start + run: times faster, script', value: faster(sheetNames, 'whole'), target: '>= 1.7' },
    { name: 'workloads, start + run: times faster, command (C)', value: faster(sheetNames, 'whole', 'ours: command (C)'), target: '>= 3' },
    { name: 'workloads, start: times faster, script', value: faster(sheetNames, 'start'), better: 'more' },
    { name: 'workloads, run: times faster than shared quickjs-emscripten, script', value: runOnly, target: '>= 0.8' },
    { name: 'other programs, start + run: times faster, script', value: faster(otherNames, 'whole'), better: 'more' },
    { name: 'other programs, run: times faster, script', value: faster(otherNames, 'run'), better: 'more' },
  ]
}

function figure(name: string, samples: number[]): Figure {
  return { name, value: samples.length > 0 ? median(samples) : Number.NaN, samples, better: 'less' }
}

function ratioChart(samples: Samples, { sheetNames, otherNames }: { sheetNames: string[]; otherNames: string[] }): Chart {
  const groups = { 'workloads of the sheet': sheetNames, 'programs that nobody tuned for': otherNames }
  return {
    name: 'sandbox-speed',
    title: `Times faster than ${baseline}, start + run, geometric mean`,
    kind: 'bars',
    x: { title: '' },
    y: { title: 'times faster', scale: 'log' },
    points: Object.entries(groups).flatMap(([series, names]) =>
      sandboxNames.flatMap((each) => {
        const y = meanFaster(samples, { names, sandbox: each, part: 'whole' })
        return y === null ? [] : [{ series, x: each, y }]
      }),
    ),
  }
}
