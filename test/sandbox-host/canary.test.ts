// The canary finds what compiled scripts do otherwise, tells it without what is in it, and stands in nobody's way.
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { Admission } from '../../sandbox-host/admission.ts'
import { createCanary, type Canary, type Sample } from '../../sandbox-host/canary.ts'
import { acceptOutcome } from '../../sandbox-host/run-outcome.ts'
import { runLimits, type RunOutcome } from '../../sandbox-host/sandbox-engine.ts'
import { executionRecordSchema } from '../../shared/execution.ts'
import { completed, createFakeEngine } from '../fakes/fake-engine.ts'
import { idOf } from '../fakes/id-of.ts'
import { createNativeEngine, hasNativeEngine } from '../fakes/native-engine.ts'
import { eventually } from '../fakes/eventually.ts'
import { looseLimits } from '../fakes/loose-limits.ts'
import { testClock } from '../fakes/test-clock.ts'
import { startTestHost, type TestHost } from '../fakes/test-host.ts'

const settled = () => new Promise((resolve) => setImmediate(resolve))
const secretInput = '{"word":"a secret of the caller"}'

function sampleOf(more: Partial<RunOutcome> = {}, scriptMode: 'compiled' | 'interpreted' = 'compiled'): Sample {
  const program = { kind: 'script', sha256: '0'.repeat(64), scriptMode } as const
  const of = { id: idOf('execution'), agentId: idOf('agent'), accountId: idOf('account'), version: 1 }
  const execution = { ...of, tier: 'basic', seed: 7, startTime: '2000-01-01T00:00:00Z', program } as const
  return { execution, input: secretInput, outcome: acceptOutcome({ ...completed(secretInput), ...more }) }
}

describe('of a host of the test', () => {
  let clock: ReturnType<typeof testClock>
  let admission: Admission
  let results: string[]
  let logged: { facts: object; text: string }[]
  let used: object[]
  /** What interpreting gives; the second one, when it is asked to stop. */
  let interpret: (stopped: AbortSignal) => Promise<RunOutcome>
  let random: number
  beforeEach(() => {
    clock = testClock()
    admission = new Admission({ ...looseLimits, threads: 1 }, { observer: { began: () => {}, turnedAway: () => {} }, clock })
    results = []
    logged = []
    used = []
    interpret = async () => completed(secretInput)
    random = 0
  })

  const note = (facts: object, text: string) => void logged.push({ facts, text })
  const canaryOf = ({ oneIn = 1 } = {}): Canary =>
    createCanary({
      oneIn,
      admission,
      clock,
      random: () => random,
      // What a canary logs are facts and a text.
      log: { error: note, warn: note } as never,
      metrics: { canary: (result) => void results.push(result) },
      programs: {
        async use(program) {
          used.push(program)
          return { handle: 1, manifest: {} as never, mapStack: (stack) => stack, [Symbol.dispose]: () => {} }
        },
      },
      engine: { run: (_handle, _request, stopped) => interpret(stopped ?? new AbortController().signal) },
    })
  const look = async () => {
    clock.advance(100)
    await settled()
    await settled()
  }
  const runOf = (accountId: string) => admission.admit({ accountId, runClass: 'execution', memoryBytes: 1, heldBytes: 1, waitMsMax: 1_000 })

  test('what is the same is counted, and nothing is told of it', async () => {
    canaryOf().offer(sampleOf())
    expect(used).toEqual([])
    await look()
    expect(used).toMatchObject([{ kind: 'script', scriptMode: 'interpreted' }])
    expect([results, logged]).toEqual([['same'], []])
    expect(admission.stats()).toMatchObject({ running: 0, memoryBytesReserved: 0 })
  })

  test.each<[string, Partial<RunOutcome>, string[]]>([
    ['another output', { output: '"another secret"' }, ['output']],
    ['another error', { status: 'threw', output: undefined, error: { name: 'Error', message: 'a secret' } }, ['status', 'output', 'error']],
    ['other logs', { stdout: Buffer.from('a secret') }, ['logs']],
    ['other artifacts', { artifacts: [{ name: 'a secret', bytes: Buffer.from('x') }] }, ['artifacts']],
  ])('%s is told with program and seed, and without any content', async (_, outcome, fields) => {
    interpret = async () => ({ ...completed(secretInput), ...outcome })
    canaryOf().offer(sampleOf())
    await look()
    expect(results).toEqual(['different'])
    expect(logged).toMatchObject([{ facts: { program: '0'.repeat(64), seed: 7, fields } }])
    expect(JSON.stringify(logged)).not.toContain('secret')
  })

  test('fuel, time and memory may be others', async () => {
    interpret = async () => ({ ...completed(secretInput), fuel: 1, wallMicros: 1, memoryBytesPeak: 1 })
    canaryOf().offer(sampleOf())
    await look()
    expect(results).toEqual(['same'])
  })

  test.each(['out-of-fuel', 'deadline', 'memory-limit'] as const)('a run that ended with %s says nothing', async (status) => {
    const canary = canaryOf()
    canary.offer(sampleOf({ status, output: undefined }))
    expect(clock.timers()).toBe(0)
    interpret = async () => ({ ...completed(secretInput), status, output: undefined })
    canary.offer(sampleOf())
    await look()
    expect([results, logged]).toEqual([['dropped'], []])
  })

  test('one in so many is looked at, none of what is interpreted, and none at 0', async () => {
    const canary = canaryOf({ oneIn: 1_000 })
    for (const [drawn, timers] of [
      [0.001, 0],
      [0.000_99, 1],
    ] as const) {
      random = drawn
      canary.offer(sampleOf())
      expect(clock.timers()).toBe(timers)
    }
    random = 0
    canaryOf({ oneIn: 0 }).offer(sampleOf())
    canaryOf().offer(sampleOf({}, 'interpreted'))
    expect(clock.timers()).toBe(1)
  })

  test('it waits until a thread has nothing to do, and for a minute at most', async () => {
    const slot = await runOf('a')
    const canary = canaryOf()
    canary.offer(sampleOf())
    for (let i = 0; i < 5; i++) await look()
    expect(results).toEqual([])
    slot.release()
    await look()
    expect(results).toEqual(['same'])
    const again = await runOf('a')
    canary.offer(sampleOf())
    for (let i = 0; i < 602; i++) await look()
    expect(results).toEqual(['same', 'dropped'])
    again.release()
  })

  test('whoever comes while it runs begins at once, and it ends; it comes again, three times at most', async () => {
    let begun = 0
    interpret = (stopped) => {
      begun++
      return new Promise((_, reject) => stopped.addEventListener('abort', () => reject(new Error('stopped'))))
    }
    canaryOf().offer(sampleOf())
    for (let i = 1; i <= 3; i++) {
      await look()
      expect(begun).toBe(i)
      expect(admission.load).toBe(0)
      const slot = await runOf('a')
      await settled()
      expect(admission.stats()).toMatchObject({ running: 1 })
      slot.release()
    }
    await look()
    expect([begun, results, logged]).toEqual([3, ['dropped'], []])
  })

  test('samples beyond what it holds are dropped', async () => {
    const slot = await runOf('a')
    const canary = canaryOf()
    for (let i = 0; i < 10; i++) canary.offer(sampleOf())
    expect(results).toEqual(['dropped', 'dropped'])
    slot.release()
  })

  test('what it cannot run is told and let go of; once it is stopped it does nothing more', async () => {
    interpret = () => Promise.reject(new Error('the engine failed'))
    const canary = canaryOf()
    canary.offer(sampleOf())
    await look()
    expect([results, logged.length]).toEqual([['dropped'], 1])
    canary.offer(sampleOf())
    canary.stop()
    canary.offer(sampleOf())
    await look()
    expect(results).toEqual(['dropped'])
  })
})

describe('of a real host', () => {
  const countOf = async (host: TestHost, name: string) =>
    Number(new RegExp(`^host_script_canary_${name}_total\\S* (\\d+)`, 'm').exec((await host.get('/metrics')).bytes.toString())?.[1])
  const environment = { SCRIPT_CANARY_ONE_IN: '1' }

  test('a compiled script that does something else is found, and its caller is answered all the same', async () => {
    const engine = createFakeEngine({ behaviours: { '[compiled]': () => ({ output: '"miscompiled"' }) } })
    await using host = await startTestHost({ engine, environment })
    const program = { ...host.program('x'), scriptMode: 'compiled' }
    const record = executionRecordSchema.parse((await host.post('/v1/executions', { ...host.execution('x'), program })).json())
    expect(record.output).toBe('"miscompiled"')
    await eventually(() => countOf(host, 'differences'), 1)
    expect(await countOf(host, 'runs')).toBe(1)
  })

  test('an engine that fails under the canary fails nobody', async () => {
    const engine = createFakeEngine()
    const run = engine.run.bind(engine)
    vi.spyOn(engine, 'run').mockImplementation((handle, request, cancelled) =>
      request.limits.fuel > runLimits('basic').fuel ? Promise.reject(new Error('failed')) : run(handle, request, cancelled),
    )
    await using host = await startTestHost({ engine, environment })
    const program = { ...host.program('x'), scriptMode: 'compiled' }
    expect((await host.post('/v1/executions', { ...host.execution('x'), program })).status).toBe(200)
  })

  test.skipIf(!hasNativeEngine)('scripts of the native engine do the same compiled', { timeout: 60_000 }, async () => {
    await using host = await startTestHost({ engine: await createNativeEngine(), environment })
    const source = `export default ({ n }, context) => {
      console.log('n is', n, Math.random())
      context.artifact('n.txt', String(n))
      if (n === 2) throw new RangeError('two')
      return [n, Date.now(), [3, 1, 2].toSorted()]
    }`
    for (const n of [1, 2]) {
      const program = { ...host.program(source), scriptMode: 'compiled' }
      await host.post('/v1/executions', { ...host.execution(source, { input: { n } }), program })
    }
    await eventually(() => countOf(host, 'runs'), 2)
    expect(await countOf(host, 'differences')).toBe(0)
  })
})
