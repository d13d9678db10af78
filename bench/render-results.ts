// `RESULTS.md` and its plots, made from result files: tables, what was promised beside what was reached, and on what machine. Never by hand.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { drawChart } from './draw-chart.ts'
import { isReached } from './figure-target.ts'
import { showSeconds } from './progress.ts'
import { readResults, type BenchResult } from './result-files.ts'
import { showNumber, textTable } from './text-table.ts'

/** Work of others on the machine makes times longer: above this share of its cores the figures are marked. */
const quietLoadMax = 0.5

/** Writes `RESULTS.md` and `plots/` @param from where results lie @param into where the document goes @param plots relative to it */
export async function renderResults({ from, into, plots }: { from: string; into: string; plots: string }): Promise<void> {
  const results = readResults(from)
  const directory = join(into, plots)
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  for (const chart of results.flatMap(({ charts }) => charts)) {
    if (chart.points.length > 0) writeFileSync(join(directory, `${chart.name}.svg`), `${await drawChart(chart)}\n`)
  }
  writeFileSync(join(into, 'RESULTS.md'), resultsDocument(results, plots))
}

export function resultsDocument(results: readonly BenchResult[], plots: string): string {
  const sections = results.map((result) => section(result, plots))
  return `${[head(results), ...sections].join('\n\n')}\n`
}

function head(results: readonly BenchResult[]): string {
  const machines = [
    ...new Set(results.map(({ machine: { cpu, cores, memoryGiB, system } }) => `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}`)),
  ]
  return [
    '# Results',
    '',
    '`npm run bench` writes this file from the JSON beside it; nothing here is written by hand. Medians of interleaved rounds; intervals hold 95 of 100 repetitions (bootstrap).',
    'What was promised was promised for other hardware, with services in the same data centre and a load generator of its own. Here everything shares the cores of one',
    'machine, the load generator too: compare columns of one table, which were measured in the same minutes, and read absolute figures as orders of magnitude.',
    '',
    ...machines.map((machine) => `Measured on: ${machine}.`),
  ].join('\n')
}

function section(result: BenchResult, plots: string): string {
  const { scenario, scale, at, seconds, machine, figures, tables, charts } = result
  const load = [machine.loadBefore, machine.loadAfter].flatMap((value) => (value === undefined ? [] : [value.toFixed(1)])).join(' → ')
  const isNoisy = machine.loadBefore > machine.cores * quietLoadMax
  const command = `npm run bench -- ${scenario}${scale === 'quick' ? ' --quick' : ''}`
  return [
    `## ${scenario}`,
    '',
    `\`${command}\` · ${at.slice(0, 10)} · commit ${machine.commit}${machine.dirty ? ' and changes' : ''} · ${showSeconds(seconds)} · Node ${machine.node} · load ${load}`,
    ...(isNoisy
      ? [
          '',
          `**Other work was running (load ${machine.loadBefore.toFixed(1)} before it began): absolute figures are noise here, ratios less so.**`,
        ]
      : []),
    ...tables.flatMap(({ title, columns, rows, note }) => ['', `### ${title}`, '', textTable(columns, rows), ...(note ? ['', note] : [])]),
    ...charts.filter(({ points }) => points.length > 0).flatMap(({ name, title }) => ['', `![${title}](${plots}/${name}.svg)`]),
    ...(figures.length > 0 ? ['', '### Figures', '', figuresTable(figures)] : []),
  ].join('\n')
}

export function figuresTable(figures: BenchResult['figures']): string {
  const hasTargets = figures.some(({ target }) => target !== undefined)
  const rows = figures.map(({ name, value, target }) => {
    const reached = isReached({ value, target })
    return [name, showNumber(value), ...(hasTargets ? [target ?? '', reached === undefined ? '' : reached ? 'yes' : '**no**'] : [])]
  })
  return textTable(['figure', 'value', ...(hasTargets ? ['must reach', 'reached'] : [])], rows)
}

const begin = '<!-- figures: written by `npm run bench` from bench/results -->'
const end = '<!-- end of figures -->'

/** Puts the figures of the README between their marks. */
export function updateReadme(path: string, text: string): void {
  const readme = readFileSync(path, 'utf8')
  const [before, rest] = readme.split(begin)
  const after = rest?.split(end)[1]
  if (before === undefined || after === undefined) throw new Error(`${path} has no place for figures: ${begin} … ${end}`)
  writeFileSync(path, `${before}${begin}\n${text}\n${end}${after}`)
}
