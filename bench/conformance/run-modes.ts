// `npm run conformance:modes`: every case of the language that runs code, as a script of its own, interpreted, compiled, and compiled with every
// cache failing: the three must answer alike, right or wrong. Exit code 1 where they do not.
import { fileURLToPath } from 'node:url'
import { compilerSecondsMax, createBoundedProcesses } from '../../sandbox-host/bounded-process.ts'
import { createWasmtimeEngine, scriptModes } from '../../sandbox-host/engines/wasmtime.ts'
import { tiers } from '../../shared/tiers.ts'
import { conformanceCases } from './cases.ts'
import { differences } from './mode-differences.ts'
import { runPrepared } from './run-cases.ts'

const path = fileURLToPath(new URL('../../sandbox-host/engine/agent-engine.node', import.meta.url))
const { memoryBytesMax } = tiers.basic
const processes = createBoundedProcesses({ memoryBytesMax: 2 ** 29, secondsMax: compilerSecondsMax, processesMax: 2 })
const cases = conformanceCases()
const byMode = await Promise.all(
  scriptModes.map(async (scriptMode) => {
    const engine = await createWasmtimeEngine({ path, threads: 1, slots: 4, queueMax: 64, memoryBytesMax, processes, scriptMode })
    const results = await runPrepared(engine, cases)
    await engine.close()
    console.log(`${scriptMode.padEnd(12)} ${results.filter(({ isPassed }) => isPassed).length} of ${results.length} pass`)
    return results
  }),
)
const [interpreted = [], ...others] = byMode
const lines = others.flatMap((results) => differences(interpreted, results))
for (const line of lines) console.error(line)
console.log(`${lines.length} differ`)
process.exitCode = lines.length > 0 ? 1 : 0
