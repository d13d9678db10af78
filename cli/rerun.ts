// Runs an execution again as its receipt states it, in the native engine of this checkout, by the same parts as the host does.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ExecutionStatement, ReproducibleRun } from '../shared/receipt.ts'
import { limits, tiers } from '../shared/tiers.ts'
import { compilerSecondsMax, createBoundedProcesses } from '../sandbox-host/bounded-process.ts'
import { createScriptCompiler } from '../sandbox-host/compile-script.ts'
import { createWasmtimeEngine } from '../sandbox-host/engines/wasmtime.ts'
import { Programs } from '../sandbox-host/programs.ts'
import { acceptOutcome } from '../sandbox-host/run-outcome.ts'
import { labelOf, runLimits } from '../sandbox-host/sandbox-engine.ts'
import { namedArtifacts, statedRun } from '../sandbox-host/sign-receipt.ts'

const enginePath = fileURLToPath(new URL('../sandbox-host/engine/agent-engine.node', import.meta.url))

export type Rerun = { program: Buffer; /** JSON text. */ input: string }

/** @returns what it gave; undefined when it did not end in a way that repeats */
export async function rerun(statement: ExecutionStatement, { program, input }: Rerun): Promise<ReproducibleRun | undefined> {
  if (!existsSync(enginePath)) throw new Error('the native engine is not built here: `npm run setup` builds it')
  const { tier, seed, startTime, args } = statement
  const { memoryBytesMax } = tiers[tier]
  const processes = createBoundedProcesses({
    memoryBytesMax: 32 * limits.programBytesMax,
    secondsMax: compilerSecondsMax,
    processesMax: 1,
  })
  const engine = await createWasmtimeEngine({ path: enginePath, threads: 1, slots: 2, queueMax: 2, memoryBytesMax, processes })
  try {
    const programs = new Programs({
      engine,
      guests: { prepare: ({ kind, scriptMode }, code) => engine.prepare(kind, code, runLimits('basic'), scriptMode) },
      bucket: { get: async () => program },
      compileScript: createScriptCompiler(processes),
      bytesMax: memoryBytesMax,
      metrics: { programs: () => {}, started: () => {} },
    })
    using loaded = await programs.use(statement.program, 'verify')
    const request = { input, seed, startTimeMs: Date.parse(startTime), limits: runLimits(tier) }
    const outcome = acceptOutcome(await engine.run(loaded.handle, request), loaded.mapStack)
    const conditions = { program: statement.program, tier, seed, startTime, args, input, engine: labelOf(engine, statement.program) }
    return statedRun(conditions, { ...outcome, artifacts: namedArtifacts(outcome) })
  } finally {
    await engine.close()
  }
}
