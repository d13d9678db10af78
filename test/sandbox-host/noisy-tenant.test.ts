// One tenant's endless loops cannot take another tenant's latency: admission and the real engine together. What gates is who ends before
// whom; times are printed, because a busy machine is no fault of ours.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Admission } from '../../sandbox-host/admission.ts'
import { createGuests } from '../../sandbox-host/guests.ts'
import { runLimits } from '../../sandbox-host/sandbox-engine.ts'
import type { RunOutcome, SandboxEngine } from '../../sandbox-host/sandbox-engine.ts'
import { looseLimits } from '../fakes/loose-limits.ts'
import { createNativeEngine, hasNativeEngine } from '../fakes/native-engine.ts'

const [threads, slots] = [2, 16]

describe.skipIf(!hasNativeEngine)('where the native engine is built', () => {
  let engine: SandboxEngine
  const runs = { loud: 20, quiet: 200 }
  beforeAll(async () => {
    engine = await createNativeEngine({ threads, slots, queueMax: slots })
  })
  afterAll(() => engine.close())

  function setUp() {
    const limits = { ...looseLimits, threads, runningMax: slots, accountRunningMax: threads * 2, memoryBytesBudget: slots * 128 * 2 ** 20 }
    const admission = new Admission(limits, { observer: { began: () => {}, turnedAway: () => {} } })
    const guests = createGuests({ admission, engine, waitMsMax: 600_000, metrics: { started: () => {} } })
    const request = { input: '1', seed: 0, startTimeMs: 0, limits: runLimits('basic') }
    const run = async (accountId: string, handle: number) => guests.run(handle, request, { accountId, runClass: 'execution' })
    return { admission, run }
  }

  async function load(source: string): Promise<number> {
    const prepared = await engine.prepare('script', Buffer.from(source), runLimits('basic'))
    if (!prepared.ok) throw new Error(prepared.message)
    return prepared.handle
  }

  /** One after the other. @returns milliseconds of each, ascending */
  async function times(count: number, run: () => Promise<RunOutcome>): Promise<number[]> {
    const taken: number[] = []
    for (let i = 0; i < count; i++) {
      const began = performance.now()
      expect((await run()).status).toBe('completed')
      taken.push(performance.now() - began)
    }
    return taken.toSorted((a, b) => a - b)
  }
  const at = (sorted: number[], part: number) => `${sorted[Math.floor(sorted.length * part)]?.toFixed(2)} ms`

  test('200 runs of a quiet tenant all end before the first of 20 loops of a loud one, whose loops all end, too', async () => {
    const { admission, run } = setUp()
    const [nothing, loop] = [await load('export default (x) => x'), await load('export default () => { for (;;); }')]
    const alone = await times(runs.quiet, () => run('quiet', nothing))
    let ended = 0
    const loops = Array.from({ length: runs.loud }, async () => {
      const outcome = await run('loud', loop)
      ended++
      return outcome.status
    })
    // Alone it holds as much as it leaves free.
    expect(admission.stats()).toMatchObject({ running: slots / 2, queued: runs.loud - slots / 2 })
    const beside = await times(runs.quiet, () => run('quiet', nothing))
    expect(ended).toBe(0)
    console.log(`quiet tenant alone: p50 ${at(alone, 0.5)}, p99 ${at(alone, 0.99)}`)
    console.log(`beside ${runs.loud} loops: p50 ${at(beside, 0.5)}, p99 ${at(beside, 0.99)}`)
    expect(new Set(await Promise.all(loops))).toEqual(new Set(['out-of-fuel']))
  }, 240_000)

  test('one tenant that fills its queue is refused; another one is not', async () => {
    const { run } = setUp()
    const nothing = await load('export default (x) => x')
    const flood = await Promise.allSettled(Array.from({ length: 1_200 }, () => run('loud', nothing)))
    const refused = flood.filter(({ status }) => status === 'rejected')
    expect(refused).toHaveLength(1_200 - looseLimits.accountQueueMax - slots / 2)
    expect((await run('quiet', nothing)).status).toBe('completed')
  })
})
