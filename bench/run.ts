// `npm run bench -- [scenario …]`: runs scenarios one after the other, prints their figures and keeps the raw results.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { describeMachine } from './machine.ts'
import { api } from './scenarios/api.ts'
import { demo } from './scenarios/demo.ts'
import { engine } from './scenarios/engine.ts'
import { http } from './scenarios/http.ts'
import { scale } from './scenarios/scale.ts'
import { queue } from './scenarios/queue.ts'
import { soak } from './scenarios/soak.ts'
import { start } from './scenarios/start.ts'
import { states } from './scenarios/states.ts'
import { workloadSpeed } from './scenarios/workloads.ts'

/** One line of a result table. Units stand in the name. */
export type Figure = { name: string; value: number; target?: string }
export type ScenarioResult = { figures: Figure[]; raw: unknown }

const scenarios: Record<string, () => Promise<ScenarioResult>> = {
  engine,
  states,
  workloads: workloadSpeed,
  soak,
  http,
  api,
  demo,
  start,
  scale,
  queue,
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { help: { type: 'boolean', short: 'h' } } })
const unknown = positionals.filter((name) => !(name in scenarios))
if (values.help || unknown.length > 0) {
  if (unknown.length > 0) console.error(`unknown scenario ${unknown.map((name) => `"${name}"`).join(', ')}`)
  console.log(`usage: npm run bench -- [${Object.keys(scenarios).join('|')}] …   (all when none is named; see bench/README.md)`)
  process.exit(unknown.length > 0 ? 2 : 0)
}

for (const name of positionals.length > 0 ? positionals : Object.keys(scenarios)) {
  const scenario = scenarios[name]
  if (!scenario) continue
  const machine = describeMachine()
  const started = performance.now()
  console.log(`\n${name} …`)
  const { figures, raw } = await scenario()
  const seconds = Math.round((performance.now() - started) / 1000)
  for (const figure of figures) {
    const shown = figure.value >= 100 ? Math.round(figure.value).toLocaleString('en') : figure.value.toFixed(2)
    console.log(`  ${figure.name.padEnd(58)} ${shown.padStart(12)}${figure.target ? `   (must reach ${figure.target})` : ''}`)
  }
  const file = new URL(`./results/${name}.json`, import.meta.url)
  writeFileSync(file, `${JSON.stringify({ scenario: name, at: new Date().toISOString(), seconds, machine, figures, raw }, null, 1)}\n`)
}
