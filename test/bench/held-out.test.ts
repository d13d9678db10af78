// The programs that nobody tuned for give in the sandbox what they give on Node.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleProgram, heldOutPrograms } from '../../bench/workloads/held-out/programs.ts'
import { runLimits } from '../../sandbox-host/sandbox-engine.ts'
import type { SandboxEngine } from '../../sandbox-host/sandbox-engine.ts'
import { createNativeEngine, hasNativeEngine } from '../fakes/native-engine.ts'

test('there are as many to tune on as to hold out, each with its own name', () => {
  const names = heldOutPrograms.map(({ name }) => name)
  expect(new Set(names).size).toBe(27)
  expect(heldOutPrograms.filter(({ half }) => half === 'tuning')).toHaveLength(13)
})

describe.skipIf(!hasNativeEngine)('on the native engine', () => {
  let engine: SandboxEngine
  beforeAll(async () => {
    engine = await createNativeEngine()
  })
  afterAll(() => engine.close())

  test.each(heldOutPrograms)('$name gives what it gives on Node', async (program) => {
    const source = await bundleProgram(program)
    const input = JSON.stringify(program.input())
    const onNode: { default: (input: unknown) => unknown } = await import(`data:text/javascript,${encodeURIComponent(source)}`)
    const expected = JSON.stringify(onNode.default(JSON.parse(input)))
    const prepared = await engine.prepare('script', Buffer.from(source), runLimits('basic'))
    if (!prepared.ok) throw new Error(prepared.message)
    const outcome = await engine.run(prepared.handle, { input, seed: 0, startTimeMs: 0, limits: runLimits('basic') })
    expect(outcome).toMatchObject({ status: 'completed', output: expected })
  })
})
