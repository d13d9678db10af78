// `npm run bench`: runs scenarios one after the other, prints their figures, keeps the raw results and renders them. See bench/README.md.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { benchCommand, type BenchCommand } from './bench-command.ts'
import { compareDirectories } from './compare-directories.ts'
import { describeMachine, loadNow } from './machine.ts'
import { Progress } from './progress.ts'
import { readmeFigures } from './readme-figures.ts'
import { figuresTable, renderResults, updateReadme } from './render-results.ts'
import { quickDirectory, readResults, resultsDirectory, writeResult, type BenchResult } from './result-files.ts'
import type { BenchRun, Scenario } from './scenario.ts'
import { api } from './scenarios/api.ts'
import { cost } from './scenarios/cost.ts'
import { demo } from './scenarios/demo.ts'
import { durability } from './scenarios/durability.ts'
import { engine } from './scenarios/engine.ts'
import { http } from './scenarios/http.ts'
import { peers } from './scenarios/peers.ts'
import { pool } from './scenarios/pool.ts'
import { queue } from './scenarios/queue.ts'
import { sandbox } from './scenarios/sandbox.ts'
import { scale } from './scenarios/scale.ts'
import { soak } from './scenarios/soak.ts'
import { start } from './scenarios/start.ts'
import { sustained } from './scenarios/sustained.ts'
import { textTable } from './text-table.ts'

const scenarios: Record<string, Scenario> = {
  api,
  sandbox,
  pool,
  peers,
  engine,
  soak,
  http,
  durability,
  queue,
  cost,
  scale,
  demo,
  start,
  sustained,
}

/** Of those above, what `--quick` runs when nothing is named: all tables of the sheet within three minutes. */
const quickOnes = ['api', 'sandbox', 'pool', 'sustained', 'cost', 'peers']

const command = benchCommand(process.argv.slice(2), { scenarios: Object.keys(scenarios), quickOnes })
switch (command.what) {
  case 'help':
    console.log(command.text)
    process.exitCode = command.exitCode
    break
  case 'compare':
    process.exitCode = compareDirectories(command)
    break
  case 'render':
    await render(command.directory)
    break
  case 'measure':
    await measure(command)
    break
}

async function measure({ names, quick, directory }: Extract<BenchCommand, { what: 'measure' }>): Promise<void> {
  const before = [...readResults(directory), ...readResults(quick ? quickDirectory : resultsDirectory)]
  const progress = new Progress(names.map((name) => ({ name, seconds: before.find(({ scenario }) => scenario === name)?.seconds })))
  try {
    for (const name of names) {
      const scenario = scenarios[name]
      if (!scenario) continue
      try {
        const result = await measureOne(name, { scenario, run: progress.begin(quick), directory })
        for (const { title, columns, rows, note } of result.tables) {
          progress.print(`\n${title}\n${textTable(columns, rows)}${note ? `\n${note}` : ''}`)
        }
        progress.print(`\n${name}\n${figuresTable(result.figures)}`)
      } catch (error) {
        // What fails, as where there is no Java for a broker, leaves the others to be measured.
        process.exitCode = 1
        progress.print(`\n${name} failed: ${error instanceof Error ? error.stack : String(error)}`)
      }
    }
  } finally {
    progress.end()
  }
  await render(directory)
}

async function measureOne(
  name: string,
  { scenario, run, directory }: { scenario: Scenario; run: BenchRun; directory: string },
): Promise<BenchResult> {
  const machine = describeMachine()
  const began = performance.now()
  const measured = await scenario(run)
  return writeResult(directory, {
    scenario: name,
    scale: run.quick ? 'quick' : 'full',
    at: new Date().toISOString(),
    seconds: Math.round((performance.now() - began) / 1000),
    machine: { ...machine, loadAfter: loadNow() },
    ...measured,
  })
}

/** Results that are kept have their document beside this file, and figures in the README; others have theirs among them. */
async function render(directory: string): Promise<void> {
  const isKept = directory === resultsDirectory
  const into = isKept ? join(directory, '..') : directory
  await renderResults({ from: directory, into, plots: isKept ? 'results/plots' : 'plots' })
  if (isKept) updateReadme(fileURLToPath(new URL('../README.md', import.meta.url)), readmeFigures(readResults(directory)))
  console.log(`\nwrote ${join(into, 'RESULTS.md')}`)
}
