// `npm run chaos`: a storm over the whole local cloud, then the question whether anything that was acknowledged is lost, doubled or stuck.
// Where to read next: chaos/storm.ts. Exit code 1 when anything is found; the seed repeats the plan of faults.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { describeMachine } from '../bench/machine.ts'
import { findingKinds } from './chaos/finding.ts'
import { runStorm, type StormResult } from './chaos/storm.ts'
import { withStormCloud } from './chaos/storm-cloud.ts'

const usage = `usage: npm run chaos -- [options]

  --seed N        of the faults and the inputs (default: drawn, and printed)
  --kills N       processes to kill; for each four there are three faults of other kinds (default 200)
  --seconds N     how long the storm lasts (default: 3 for each kill)
  --settle N      seconds in which everything has to be in order afterwards (default 150); from 100 on every request must be answered, too
  --hosts N       sandbox hosts, which the faults of a host hit in turn (default 1)
  --short         a short storm: 7 kills in 20 s, up to 90 s to settle, seed 7 unless others are given
  --result FILE   write the figures there as JSON
  --quiet         only the table
  --help`

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    kills: { type: 'string' },
    seconds: { type: 'string' },
    settle: { type: 'string' },
    hosts: { type: 'string' },
    short: { type: 'boolean', default: false },
    result: { type: 'string' },
    quiet: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (values.help) {
  console.log(usage)
  process.exit(0)
}
if (process.platform !== 'linux') {
  console.error('chaos finds processes by /proc, and needs Linux')
  process.exit(2)
}

const seed = whole('seed', values.seed ?? String(values.short ? 7 : Math.floor(Math.random() * 1_000_000)), 0)
const kills = whole('kills', values.kills ?? (values.short ? '7' : '200'), 1)
const seconds = whole('seconds', values.seconds ?? (values.short ? '20' : String(kills * 3)), 1)
const hosts = whole('hosts', values.hosts ?? '1', 1)
const settleSeconds = whole('settle', values.settle ?? (values.short ? '90' : '150'), 1)

// The cloud ends with this process when it ends by itself, which a signal alone does not make it do.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const startedAt = performance.now()
const report = (line: string) => {
  if (!values.quiet) console.log(`${((performance.now() - startedAt) / 1_000).toFixed(1).padStart(7)} s  ${line.split('\n')[0]}`)
}
console.log(`chaos: seed ${seed}, ${kills} kills in ${seconds} s`)
const isSound = ({ findings }: StormResult) => findings.length === 0
const machine = describeMachine()
const result = await withStormCloud<StormResult>({ hosts, report, isKept: (storm) => !isSound(storm) }, async (cloud) => {
  const storm = await runStorm(cloud, { seed, kills, seconds, settleSeconds, report })
  if (!isSound(storm)) console.log(`logs and data are kept in ${cloud.localDir}`)
  return storm
})
printTable(result)
if (values.result !== undefined) {
  mkdirSync(dirname(values.result), { recursive: true })
  writeFileSync(values.result, `${JSON.stringify({ scenario: 'chaos', at: new Date().toISOString(), machine, ...result }, undefined, 1)}\n`)
}
process.exitCode = isSound(result) ? 0 : 1

function whole(name: string, text: string, min: number): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= min) return value
  console.error(`--${name} is ${JSON.stringify(text)}: a whole number from ${min}\n\n${usage}`)
  process.exit(2)
}

function printTable({ faults, deeds, answers, findings, stormSeconds, settledAfterSeconds }: StormResult): void {
  const row = (name: string, ...columns: (string | number)[]) =>
    `  ${name.padEnd(34)}${columns.map((c) => String(c).padStart(14)).join('')}`
  console.log(`\n${row('faults', 'times')}`)
  for (const [name, times] of sorted(faults)) console.log(row(name, times))
  console.log(`\n${row('answers', 'times')}`)
  for (const [name, times] of sorted(answers)) console.log(row(name, times))
  console.log(`\n${row('requests', 'acknowledged', 'refused', 'unanswered')}`)
  for (const [name, { acknowledged, refused, unanswered }] of Object.entries(deeds))
    console.log(row(name, acknowledged, refused, unanswered))
  const counts = findingKinds.map((kind) => findings.filter((finding) => finding.kind === kind).length)
  console.log(`\n${row('', ...findingKinds)}\n${row('found', ...counts)}`)
  for (const { kind, what, ids } of findings) console.log(`  ${kind}: ${what}: ${ids.join(' ')}`)
  console.log(`\nstorm ${stormSeconds} s, settled after ${settledAfterSeconds} s, seed ${seed}`)
}

function sorted(counts: Record<string, number>): [name: string, times: number][] {
  return Object.entries(counts).toSorted(([a], [b]) => a.localeCompare(b))
}
