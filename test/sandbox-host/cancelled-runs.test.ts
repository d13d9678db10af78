// Cancellation down to the native engine; what the host makes of it is in runner.test.ts.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CancelledRuns } from '../../sandbox-host/cancelled-runs.ts'
import { runLimits, type SandboxEngine } from '../../sandbox-host/sandbox-engine.ts'
import { eventually } from '../fakes/eventually.ts'
import { createNativeEngine, hasNativeEngine } from '../fakes/native-engine.ts'

describe.skipIf(!hasNativeEngine)('the native engine', () => {
  let engine: SandboxEngine
  beforeAll(async () => void (engine = await createNativeEngine({ threads: 1 })))
  afterAll(() => engine.close())

  const looping = 'export default (input) => { while (input === 1); return input }'
  const limits = { ...runLimits('basic'), wallMs: 60_000, fuel: Number.MAX_SAFE_INTEGER }

  test('stops a guest that was cancelled, before and during its run, and runs the next one in its place', async () => {
    const prepared = await engine.prepare('script', Buffer.from(looping), limits)
    if (!prepared.ok) throw new Error(prepared.message)
    const run = (input: string, cancelled?: AbortSignal) =>
      engine.run(prepared.handle, { input, seed: 0, startTimeMs: 0, limits }, cancelled)
    await expect(run('1', AbortSignal.abort())).rejects.toThrow(/cancelled/)
    await expect(run('1', AbortSignal.timeout(100))).rejects.toThrow(/cancelled/)
    expect((await run('2', new AbortController().signal)).output).toBe('2')
    // A thread counts down behind its answer.
    await eventually(async () => engine.stats()['running'], 0)
  })
})

test('ids are kept for five minutes, and ten thousand of them', () => {
  let now = 0
  const cancelled = new CancelledRuns(() => now)
  cancelled.add('a')
  now = 299_999
  expect(cancelled.has('a')).toBe(true)
  now = 300_000
  expect([cancelled.has('a'), cancelled.has('b')]).toEqual([false, false])
  for (let i = 0; i < 10_001; i++) cancelled.add(String(i))
  expect([cancelled.has('0'), cancelled.has('1'), cancelled.has('10000')]).toEqual([false, true, true])
})
