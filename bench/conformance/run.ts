// `npm run conformance`: how much of the language a script agent has. Runs every case on the native engine, prints the rate of each
// folder, writes bench/results/conformance.json. Exit code 1 when a case does otherwise than it is known to.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { compilerSecondsMax, createBoundedProcesses } from '../../sandbox-host/bounded-process.ts'
import { createWasmtimeEngine } from '../../sandbox-host/engines/wasmtime.ts'
import { tiers } from '../../shared/tiers.ts'
import { describeMachine } from '../machine.ts'
import { conformanceCases } from './cases.ts'
import { knownFailures, news } from './known-failures.ts'
import { runCases } from './run-cases.ts'
import type { ConformanceResult } from './run-cases.ts'

type Rate = { name: string; cases: number; passed: number; rate: number }

const path = fileURLToPath(new URL('../../sandbox-host/engine/agent-engine.node', import.meta.url))
const { memoryBytesMax } = tiers.basic
const processes = createBoundedProcesses({ memoryBytesMax: 2 ** 29, secondsMax: compilerSecondsMax, processesMax: 2 })
const engine = await createWasmtimeEngine({ path, threads: 2, slots: 4, queueMax: 64, memoryBytesMax, processes })
const known = knownFailures()
const results = await runCases(engine, conformanceCases())
await engine.close()

const folders = [...new Set(results.map(({ folder }) => folder))]
const isToPass = ({ id }: ConformanceResult) => !known.has(id) || known.get(id)?.startsWith('engine: ')
const rates = [
  ...folders.map((folder) => rateOf(folder, (result) => result.folder === folder)),
  rateOf('all', () => true),
  // Without what the language has changed since the suites were made, and what agents are not to have.
  rateOf('all that is to pass', isToPass),
]
for (const { name, cases, passed, rate } of rates) console.log(`${name.padEnd(24)} ${passed} of ${cases}   ${(rate * 100).toFixed(2)} %`)

const failed = results.filter(({ isPassed }) => !isPassed)
const kinds = Map.groupBy(failed, ({ id }) => known.get(id)?.split(':', 1)[0] ?? 'not known')
for (const [kind, { length }] of kinds) console.log(`${kind.padEnd(24)} ${length} of ${failed.length} failures`)

const changes = news(results, known)
for (const line of changes) console.error(line)
const report = {
  at: new Date().toISOString(),
  machine: describeMachine(),
  engine: engine.label,
  rates,
  failures: failed.map(({ id, got }) => ({ id, got: got.slice(0, 200), reason: known.get(id) ?? null })),
}
writeFileSync(new URL('../results/conformance.json', import.meta.url), `${JSON.stringify(report, null, 1)}\n`)
process.exitCode = changes.length > 0 ? 1 : 0

function rateOf(name: string, isCounted: (result: ConformanceResult) => boolean | undefined): Rate {
  const counted = results.filter((result) => isCounted(result))
  const passed = counted.filter(({ isPassed }) => isPassed).length
  return { name, cases: counted.length, passed, rate: passed / counted.length }
}
