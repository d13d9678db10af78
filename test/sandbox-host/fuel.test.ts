// The gate on speed: what programs cost in fuel, memory and pages, in numbers that are the same on every machine. Milliseconds are measured in
// bench/, never here. One per cent of fuel more fails; so does one per cent less, so that what was won is kept: then
// write the new number down.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runLimits } from '../../sandbox-host/sandbox-engine.ts'
import type { SandboxEngine } from '../../sandbox-host/sandbox-engine.ts'
import { createNativeEngine, hasNativeEngine } from '../fakes/native-engine.ts'

const read = (path: string) => readFileSync(new URL(path, import.meta.url))
const workload = (name: string) => read(`../../bench/workloads/${name}.js`)

/** Inputs as in bench/scenarios/workloads.ts. `heldKiB` is what a loaded program takes, `peakKiB` the linear memory of the run. */
const costs = [
  { name: 'no-op script', code: Buffer.from('export default (input) => input'), n: 1, fuel: 41_600, heldKiB: 116, peakKiB: 1728 },
  { name: 'arithmetic', code: workload('arithmetic'), n: 30_000, fuel: 67_735_925, heldKiB: 148, peakKiB: 1728 },
  { name: 'nested', code: workload('nested'), n: 44, fuel: 67_124_353, heldKiB: 172, peakKiB: 1728 },
  { name: 'fibonacci', code: workload('fibonacci'), n: 18, fuel: 5_944_129, heldKiB: 152, peakKiB: 1728 },
  { name: 'objects', code: workload('objects'), n: 1_300, fuel: 31_227_774, heldKiB: 188, peakKiB: 2304 },
  { name: 'strings', code: workload('strings'), n: 9_000, fuel: 100_363_453, heldKiB: 196, peakKiB: 2048 },
  // An allocator that rounds up to powers of two takes 17.8 MiB.
  {
    name: 'a buffer of 9 MB',
    code: Buffer.from('export default ({ n }) => new Uint8Array(n).length'),
    n: 9_000_000,
    fuel: 9_042_123,
    heldKiB: 128,
    peakKiB: 10_560,
  },
]

describe.skipIf(!hasNativeEngine)('on the native engine', () => {
  let engine: SandboxEngine
  beforeAll(async () => void (engine = await createNativeEngine()))
  afterAll(() => engine.close())

  test.each(costs)('$name costs what it is known to', async ({ code, n, fuel, heldKiB, peakKiB }) => {
    const prepared = await engine.prepare('script', code, runLimits('basic'))
    if (!prepared.ok) throw new Error(prepared.message)
    const request = { input: JSON.stringify({ n }), seed: 0, startTimeMs: 0, limits: runLimits('basic') }
    const outcome = await engine.run(prepared.handle, request)
    const cost = { fuel: outcome.fuel ?? 0, heldKiB: prepared.heldBytes / 1024, peakKiB: outcome.memoryBytesPeak / 1024 }
    expect(Math.abs(cost.fuel / fuel - 1), `fuel is ${cost.fuel}, known is ${fuel}`).toBeLessThanOrEqual(0.01)
    expect({ heldKiB: cost.heldKiB, peakKiB: cost.peakKiB }).toEqual({ heldKiB, peakKiB })
  })
})
