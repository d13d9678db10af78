// The life of an execution, with the real journal and a fake engine.
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { programKey } from '../../shared/agent.ts'
import { placeOf } from '../../shared/execution.ts'
import type { ExecutionRecord, HostExecution } from '../../shared/execution.ts'
import type { AdmissionLimits } from '../../sandbox-host/admission-limits.ts'
import { Admission } from '../../sandbox-host/admission.ts'
import { createGuests } from '../../sandbox-host/guests.ts'
import { Journal } from '../../sandbox-host/journal.ts'
import { createLog } from '../../sandbox-host/log.ts'
import { Programs } from '../../sandbox-host/programs.ts'
import { keyOfSeed } from '../../sandbox-host/receipt-key.ts'
import { createRunner } from '../../sandbox-host/runner.ts'
import type { RunRequest } from '../../sandbox-host/sandbox-engine.ts'
import { createReceiptSigner } from '../../sandbox-host/sign-receipt.ts'
import { eventually } from '../fakes/eventually.ts'
import { createFakeEngine } from '../fakes/fake-engine.ts'
import type { Behaviour } from '../fakes/fake-engine.ts'
import { idOf } from '../fakes/id-of.ts'
import { looseLimits } from '../fakes/loose-limits.ts'

let directory: string
let journal: Journal
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bounty-runner-'))
  journal = await Journal.open({ directory, host: 'h', log: createLog('silent'), bytesMax: 1e9 })
})
afterEach(async () => {
  await journal.close().catch(() => {})
  rmSync(directory, { recursive: true })
})

function setUp({ held, limits }: { held?: Behaviour; limits?: Partial<AdmissionLimits> } = {}) {
  const requests: RunRequest[] = []
  const seen = (request: RunRequest) => {
    requests.push(request)
    return {
      artifacts: [
        { name: 'a', bytes: Buffer.from('1') },
        { name: 'b', bytes: Buffer.from('22') },
      ],
    }
  }
  const engine = createFakeEngine({ behaviours: { program: seen, ...(held ? { held } : {}) } })
  const texts = new Map(['program', 'held'].map((text) => [programKey(programOf(text).sha256), Buffer.from(text)]))
  const bucket = { get: async (key: string) => texts.get(key) }
  const metrics = { programs: () => {}, executed: () => {}, started: () => {} }
  const compileScript = async (code: Buffer) => ({ ok: true as const, code })
  const admission = new Admission(
    { ...looseLimits, accountRunningMax: 2, ...limits },
    { observer: { began: () => {}, turnedAway: () => {} } },
  )
  const guests = createGuests({ admission, engine, waitMsMax: 1_000, metrics })
  const programs = new Programs({ engine, guests, bucket, compileScript, bytesMax: 1e9, metrics })
  const signReceipt = createReceiptSigner(keyOfSeed('07'.repeat(32)))
  return {
    engine,
    requests,
    ...createRunner({ programs, engine, guests, journal, tiers: ['basic', 'standard'], metrics, signReceipt, now: () => 1_000 }),
  }
}

const programOf = (text: string) => ({ kind: 'script' as const, sha256: createHash('sha256').update(text).digest('hex') })

const execution = (fields: Partial<HostExecution> = {}): HostExecution => ({
  id: idOf('execution'),
  agentId: idOf('agent'),
  accountId: idOf('account'),
  version: 1,
  tier: 'standard',
  seed: 5,
  startTime: '2001-02-03T04:05:06Z',
  program: programOf('program'),
  input: { a: 1 },
  ...fields,
})

test('the sandbox gets what was asked for, the record says it', async () => {
  const { run, requests } = setUp()
  const asked = execution()
  const record = JSON.parse((await run(asked)).toString()) as ExecutionRecord
  expect(requests[0]).toMatchObject({
    input: '{"a":1}',
    seed: 5,
    startTimeMs: Date.UTC(2001, 1, 3, 4, 5, 6),
    limits: { memoryBytes: 2 ** 28, wallMs: 15_000 },
  })
  const { input: _, ...said } = asked
  expect(record).toMatchObject({
    ...said,
    status: 'completed',
    output: '{"a":1}',
    finishedAt: '1970-01-01T00:00:01.000Z',
    engine: 'fake 1',
  })
  expect(record).not.toHaveProperty('input')
})

test('artifacts are where the record says', async () => {
  const { run } = setUp()
  const { artifacts } = JSON.parse((await run(execution())).toString()) as ExecutionRecord
  for (const [i, artifact] of artifacts.entries()) {
    const { key, offset } = placeOf(artifact)
    expect((await journal.backlog.readObject(key, { offset, length: artifact.bytes }))?.toString()).toBe(['1', '22'][i])
  }
})

test('an absent input is null', async () => {
  const { run, requests } = setUp()
  await run(execution({ input: undefined }))
  expect(requests[0]?.input).toBe('null')
})

test('the same id in the same moment is one execution', async () => {
  const { run, engine } = setUp()
  const asked = execution()
  const [first, second] = await Promise.all([run(asked), run(asked)])
  expect(second).toEqual(first)
  expect(engine.runs).toBe(1)
})

describe('a run that waits', () => {
  /** One run at a time; the first one holds the place until it is let go. */
  async function waitingRun() {
    const { promise, resolve: letGo } = Promise.withResolvers<object>()
    const { run, engine } = setUp({ held: () => promise, limits: { threads: 1, runningMax: 2, memoryBytesBudget: 2 ** 28 } })
    // Loaded before: loading has a turn of its own.
    await run(execution())
    const held = run(execution({ program: programOf('held') }))
    while (engine.runs === 1) await new Promise((resolve) => setImmediate(resolve))
    return { run, engine, letGo: () => (letGo({}), held) }
  }

  test('is given up when its caller goes', async () => {
    const { run, engine, letGo } = await waitingRun()
    const caller = new AbortController()
    const waiting = run(execution(), caller.signal)
    await new Promise((resolve) => setImmediate(resolve))
    caller.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'overloaded', detail: expect.stringContaining('went away') })
    await letGo()
    expect(engine.runs).toBe(2)
  })

  test('goes on while one of two callers of the same id waits, and not when both have gone', async () => {
    const { run, engine, letGo } = await waitingRun()
    const callers = Array.from({ length: 4 }, () => new AbortController())
    const [shared, forsaken] = [execution(), execution()]
    const answers = callers.map(({ signal }, i) => run(i < 2 ? shared : forsaken, signal).catch((error: unknown) => error))
    await new Promise((resolve) => setImmediate(resolve))
    for (const i of [0, 2, 3]) callers[i]?.abort()
    await letGo()
    const [first, second, third, fourth] = await Promise.all(answers)
    expect(second).toBeInstanceOf(Buffer)
    expect(first).toEqual(second)
    expect([third, fourth]).toMatchObject([{ code: 'overloaded' }, { code: 'overloaded' }])
    expect(engine.runs).toBe(3)
  })

  test('is begun for a caller who asks again after the first one went', async () => {
    const { run, letGo } = await waitingRun()
    const gone = new AbortController()
    const asked = execution()
    const first = run(asked, gone.signal).catch((error: unknown) => error)
    await new Promise((resolve) => setImmediate(resolve))
    gone.abort()
    const second = run(asked)
    await letGo()
    expect(await first).toMatchObject({ code: 'overloaded' })
    expect(await second).toBeInstanceOf(Buffer)
  })

  test('is never given up once it has begun', async () => {
    const { promise, resolve } = Promise.withResolvers<object>()
    const { run, engine } = setUp({ held: () => promise })
    const caller = new AbortController()
    const asked = execution({ program: programOf('held') })
    const first = run(asked, caller.signal)
    while (engine.runs === 0) await new Promise((tick) => setImmediate(tick))
    caller.abort()
    const second = run(asked)
    resolve({})
    expect(await first).toEqual(await second)
    expect(engine.runs).toBe(1)
  })
})

test('an answer that could not be kept is no answer, and may be asked for again', async () => {
  const { run } = setUp()
  await journal.close()
  const asked = execution()
  await expect(run(asked)).rejects.toMatchObject({ code: 'draining' })
  await expect(run(asked)).rejects.toMatchObject({ code: 'draining' })
})

describe('an execution that is cancelled', () => {
  const begun = () => Promise.withResolvers<void>()
  const forGood = () => new Promise<object>(() => {})

  test('is stopped while its guest runs; nothing of it is kept, and it does not begin again', async () => {
    const { run, cancel, engine } = setUp({ held: forGood })
    const asked = execution({ program: programOf('held') })
    const { promise, resolve } = begun()
    const answer = run(asked, undefined, resolve)
    await promise
    cancel(asked.id)
    await expect(answer).rejects.toMatchObject({ code: 'execution-cancelled' })
    await expect(run(asked, undefined, () => {})).rejects.toMatchObject({ code: 'execution-cancelled' })
    expect([engine.runs, engine.stats()['running'], journal.backlog.has(asked.id)]).toEqual([1, 0, false])
    await run(execution())
  })

  test('never begins when it waits for its turn, and leaves its place', async () => {
    const { promise: held, resolve: letGo } = Promise.withResolvers<object>()
    const { run, cancel, engine } = setUp({ held: () => held, limits: { threads: 1, runningMax: 2, memoryBytesBudget: 2 ** 28 } })
    await run(execution())
    const first = run(execution({ program: programOf('held') }))
    await eventually(async () => engine.runs, 2)
    const asked = execution()
    const waiting = run(asked, undefined, () => expect.fail('it began')).catch((error: unknown) => error)
    cancel(asked.id)
    expect(await waiting).toMatchObject({ code: 'execution-cancelled' })
    letGo({})
    await first
    expect(engine.runs).toBe(2)
  })

  test('before its request has arrived begins nothing, for some minutes', async () => {
    const { run, cancel, engine } = setUp()
    const asked = execution()
    cancel(asked.id)
    await expect(run(asked, undefined, () => {})).rejects.toMatchObject({ code: 'execution-cancelled' })
    expect(engine.runs).toBe(0)
  })

  test('and has ended before stays as it is', async () => {
    const { run, cancel } = setUp()
    const asked = execution()
    const record = await run(asked, undefined, () => {})
    cancel(asked.id)
    expect(await run(asked, undefined, () => expect.fail('it began again'))).toEqual(record)
  })
})

test('whoever joins a run that has begun is told so', async () => {
  const { promise, resolve: letGo } = Promise.withResolvers<object>()
  const { run } = setUp({ held: () => promise })
  const asked = execution({ program: programOf('held') })
  const tellings = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const answers = tellings.map(({ resolve }) => run(asked, undefined, resolve))
  await Promise.all(tellings.map((told) => told.promise))
  letGo({})
  expect(new Set((await Promise.all(answers)).map(String)).size).toBe(1)
})
