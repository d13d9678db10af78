// The gate on what programs cost: fuel, memory and pages, exactly (test/budgets/budgets.json), for one version of the engine.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runLimits } from '../../sandbox-host/sandbox-engine.ts'
import type { SandboxEngine } from '../../sandbox-host/sandbox-engine.ts'
import { holdToBudget } from '../budgets/hold-to-budget.ts'
import { createNativeEngine, hasNativeEngine } from '../fakes/native-engine.ts'

const read = (path: string) => readFileSync(new URL(path, import.meta.url))
const workload = (name: string) => read(`../../bench/workloads/${name}.js`)
const script = (source: string) => Buffer.from(source)

/** Inputs as in bench/scenarios/workloads.ts. A no-op is what a start costs. */
const programs = [
  { name: 'no-op script', code: script('export default (input) => input'), n: 1 },
  { name: 'arithmetic', code: workload('arithmetic'), n: 30_000 },
  { name: 'nested', code: workload('nested'), n: 44 },
  { name: 'fibonacci', code: workload('fibonacci'), n: 18 },
  { name: 'objects', code: workload('objects'), n: 1_300 },
  { name: 'strings', code: workload('strings'), n: 9_000 },
  // An allocator that rounds up to powers of two takes 17.8 MiB.
  { name: 'a buffer of 9 MB', code: script('export default ({ n }) => new Uint8Array(n).length'), n: 9_000_000 },
]

describe.skipIf(!hasNativeEngine)('on the native engine', () => {
  let engine: SandboxEngine
  beforeAll(async () => void (engine = await createNativeEngine()))
  afterAll(() => engine.close())

  test.each(programs)('$name costs what it is known to, also in an instance that waited for it', async ({ name, code, n }) => {
    const prepared = await engine.prepare('script', code, runLimits('basic'))
    if (!prepared.ok) throw new Error(prepared.message)
    const request = { input: JSON.stringify({ n }), seed: 0, startTimeMs: 0, limits: runLimits('basic') }
    const outcome = await engine.run(prepared.handle, request)
    holdToBudget('programs', name, {
      fuel: outcome.fuel ?? 0,
      /** Linear memory of the run. */
      peakKiB: outcome.memoryBytesPeak / 1_024,
      /** A loaded program, until it is dropped. */
      heldKiB: prepared.heldBytes / 1_024,
      /** Pages that differ from the initialised engine: what each instance restores, and one that waits in the pool holds. */
      dirtyPages: prepared.snapshotBytes / 4_096,
    })
    const again = await engine.run(prepared.handle, request)
    expect([again.fuel, again.memoryBytesPeak]).toEqual([outcome.fuel, outcome.memoryBytesPeak])
  })
})
