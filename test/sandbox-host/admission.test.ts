// Admission with a clock of the test: each bound just below and just above, and who goes first.
import { beforeEach, describe, expect, test } from 'vitest'
import type { AdmissionLimits, RefusalReason } from '../../sandbox-host/admission-limits.ts'
import { Admission } from '../../sandbox-host/admission.ts'
import type { AdmissionRequest, Slot } from '../../sandbox-host/admission.ts'
import { looseLimits } from '../fakes/loose-limits.ts'
import { testClock } from '../fakes/test-clock.ts'
import type { TestClock } from '../fakes/test-clock.ts'

let clock: TestClock
let reasons: RefusalReason[]
let waits: number[]
beforeEach(() => {
  clock = testClock()
  reasons = []
  waits = []
})

/** A run of an account, as far as it has come. */
type Run = { name: string; state: 'waiting' | 'begun' | 'refused'; slot?: Slot; error?: unknown }

function setUp(limits: Partial<AdmissionLimits> = {}) {
  const observer = { began: (_: string, ms: number) => waits.push(ms), turnedAway: (reason: RefusalReason) => reasons.push(reason) }
  const admission = new Admission(
    { ...looseLimits, threads: 1, accountRunningMax: limits.runningMax ?? 100, ...limits },
    { observer, clock },
  )
  const order: string[] = []
  async function ask(name: string, fields: Partial<AdmissionRequest> = {}): Promise<Run> {
    const run: Run = { name, state: 'waiting' }
    const request = { accountId: name.replace(/\d.*/, ''), runClass: 'execution' as const, memoryBytes: 1, heldBytes: 1, waitMsMax: 1_000 }
    const begun = (slot: Slot) => {
      order.push(name)
      return { state: 'begun', slot }
    }
    void admission
      .admit({ ...request, ...fields })
      .then(begun, (error: unknown) => ({ state: 'refused', error }))
      .then((fate) => Object.assign(run, fate))
    await settled()
    return run
  }
  async function askAll(names: string, fields: Partial<AdmissionRequest> = {}): Promise<Run[]> {
    const runs: Run[] = []
    for (const name of names.split(' ')) runs.push(await ask(name, fields))
    return runs
  }
  async function end(run: Run | undefined, afterMs = 0): Promise<void> {
    clock.advance(afterMs)
    run?.slot?.release()
    await settled()
  }
  return { admission, order, ask, askAll, end }
}

/** Promises that are resolved have told. */
const settled = () => new Promise((resolve) => setImmediate(resolve))
const states = (runs: Run[]) => runs.map(({ state }) => state)

describe('what may begin', () => {
  test('runningMax: as many as there are places, the next one waits for an end', async () => {
    const { askAll, end, admission } = setUp({ runningMax: 3, accountRunningMax: 3 })
    const runs = await askAll('a1 b1 c1 d1')
    expect(states(runs)).toEqual(['begun', 'begun', 'begun', 'waiting'])
    expect(admission.stats()).toMatchObject({ running: 3, queued: 1, queuedBytes: 1, memoryBytesReserved: 3, accounts: 4 })
    await end(runs[1], 7)
    expect(states(runs)).toEqual(['begun', 'begun', 'begun', 'begun'])
    expect(waits).toEqual([0, 0, 0, 7])
  })

  test('memory budget: up to the last byte, and not one more', async () => {
    const { ask, end } = setUp({ memoryBytesBudget: 100 })
    const [large, fits, tooMuch] = [
      await ask('a1', { memoryBytes: 60 }),
      await ask('b1', { memoryBytes: 40 }),
      await ask('c1', { memoryBytes: 1 }),
    ]
    expect(states([large, fits, tooMuch])).toEqual(['begun', 'begun', 'waiting'])
    await end(fits)
    expect(tooMuch.state).toBe('begun')
  })

  test('a run that is larger than the budget is a mistake of ours', async () => {
    const { admission } = setUp({ memoryBytesBudget: 100 })
    const request = { accountId: 'a', runClass: 'case' as const, memoryBytes: 101, heldBytes: 0, waitMsMax: 1 }
    expect(() => admission.admit(request)).toThrow('assertion failed')
  })

  test('accountRunningMax: holds an account back while another one is there', async () => {
    const { askAll, end } = setUp({ runningMax: 50, accountRunningMax: 2 })
    const [other, ...runs] = await askAll('b1 a1 a2 a3')
    expect(states(runs)).toEqual(['begun', 'begun', 'waiting'])
    await end(other)
    expect(states(runs)).toEqual(['begun', 'begun', 'begun'])
  })

  test('one account alone begins at most as many as it leaves free', async () => {
    const { askAll } = setUp({ runningMax: 10, accountRunningMax: 2 })
    const runs = await askAll('a1 a2 a3 a4 a5 a6')
    expect(states(runs)).toEqual(['begun', 'begun', 'begun', 'begun', 'begun', 'waiting'])
    expect(states(await askAll('b1 b2 b3 c1'))).toEqual(['begun', 'begun', 'waiting', 'begun'])
  })

  test('one account alone reserves at most as much memory as it leaves free', async () => {
    const { askAll } = setUp({ memoryBytesBudget: 100 })
    expect(states(await askAll('a1 a2 a3', { memoryBytes: 25 }))).toEqual(['begun', 'begun', 'waiting'])
    expect(states(await askAll('b1', { memoryBytes: 50 }))).toEqual(['begun'])
  })

  test('no thread is idle for the sake of a share', async () => {
    const { askAll } = setUp({ threads: 4, runningMax: 5, accountRunningMax: 1 })
    expect(states(await askAll('b1 a1 a2 a3 a4'))).toEqual(['begun', 'begun', 'begun', 'begun', 'waiting'])
  })

  test('the account that has used less goes first', async () => {
    const { askAll, end, order } = setUp({ threads: 1, runningMax: 2, accountRunningMax: 1 })
    const [a1, b1] = await askAll('a1 b1 a2 a3 b2 b3')
    await end(b1, 10)
    await end(a1, 100)
    expect(order).toEqual(['a1', 'b1', 'b2', 'a2'])
  })

  test('an account that was away is owed nothing', async () => {
    const { askAll, end, order } = setUp({ runningMax: 2, accountRunningMax: 2 })
    let [last] = await askAll('a1')
    for (let i = 2; i < 12; i++) {
      const [next] = await askAll(`a${i}`)
      await end(last, 100)
      last = next
    }
    const [held] = await askAll('c1')
    await askAll('b1 a20 b2 a21')
    await end(last, 1)
    await end(held, 1)
    expect(order.slice(-2)).toEqual(['b1', 'a20'])
  })
})

describe('a large run', () => {
  test('is passed by 16 small ones that fit, and then by none', async () => {
    const { ask, end } = setUp({ memoryBytesBudget: 100, runningMax: 50 })
    let held = await ask('a0', { memoryBytes: 10 })
    const large = await ask('large', { memoryBytes: 100, waitMsMax: 1e9 })
    let passed = 0
    for (let i = 0; i < 30; i++) {
      const next = await ask(`${String.fromCodePoint(98 + (i % 5))}${i}`, { memoryBytes: 10, waitMsMax: 1e9 })
      await end(held, 1)
      if (large.state === 'begun') break
      if (next.state === 'begun') passed++
      if (next.state === 'begun') held = next
    }
    expect(passed).toBe(16)
    expect(large.state).toBe('begun')
  })
})

describe('what is refused, at once and with when to come back', () => {
  test('accountQueueMax: one account has its queue full, another one not', async () => {
    const { askAll } = setUp({ runningMax: 2, queueMax: 10, accountQueueMax: 2 })
    const runs = await askAll('a1 b1 a2 a3 a4 b2')
    expect(states(runs)).toEqual(['begun', 'begun', 'waiting', 'waiting', 'refused', 'waiting'])
    expect(runs[4]?.error).toMatchObject({ code: 'overloaded', retryAfterSeconds: 1 })
    expect(reasons).toEqual(['account-queue-full'])
  })

  test('queueMax: the account with the most waiting pays, by its newest', async () => {
    const { askAll } = setUp({ runningMax: 2, queueMax: 3, accountQueueMax: 3 })
    const runs = await askAll('a1 b1 a2 a3 a4')
    expect(states(runs)).toEqual(['begun', 'begun', 'waiting', 'waiting', 'waiting'])
    expect(states(await askAll('b2'))).toEqual(['waiting'])
    expect(states(runs.slice(2))).toEqual(['waiting', 'waiting', 'refused'])
    expect(states(await askAll('a5'))).toEqual(['refused'])
    expect(reasons).toEqual(['pushed-out', 'queue-full'])
  })

  test('queueBytesMax: up to the last byte; the account with the most bytes pays', async () => {
    const { ask, askAll } = setUp({ runningMax: 2, queueBytesMax: 10 })
    await askAll('a1 b1')
    const [large, fits, small] = [await ask('a2', { heldBytes: 7 }), await ask('b2', { heldBytes: 3 }), await ask('b3', { heldBytes: 1 })]
    expect(states([large, fits, small])).toEqual(['refused', 'waiting', 'waiting'])
    expect(reasons).toEqual(['pushed-out'])
  })

  test('waitMsMax: waits to the last millisecond, is refused then, and leaves no timer', async () => {
    const { askAll, end, admission } = setUp({ runningMax: 2, accountRunningMax: 1 })
    const [a1, , a2, a3] = await askAll('a1 b1 a2 a3', { waitMsMax: 50 })
    clock.advance(49)
    await settled()
    expect(states([a2, a3] as Run[])).toEqual(['waiting', 'waiting'])
    await end(a1)
    clock.advance(1)
    await settled()
    expect(states([a2, a3] as Run[])).toEqual(['begun', 'refused'])
    expect(reasons).toEqual(['waited-too-long'])
    expect(clock.timers()).toBe(0)
    expect(admission.stats()).toMatchObject({ queued: 0, queuedBytes: 0 })
  })

  test('a caller who has gone gives up what waits, not what has begun', async () => {
    const { ask, admission } = setUp({ runningMax: 2, accountRunningMax: 1 })
    const [caller, gone] = [new AbortController(), AbortSignal.abort()]
    const [begun, waiting] = [await ask('a1', { signal: caller.signal }), await ask('a2', { signal: caller.signal })]
    const late = await ask('c1', { signal: gone })
    await ask('b1')
    expect(states([begun, waiting, late])).toEqual(['begun', 'waiting', 'refused'])
    caller.abort()
    await settled()
    expect(states([begun, waiting])).toEqual(['begun', 'refused'])
    expect(reasons).toEqual(['caller-gone', 'caller-gone'])
    expect(admission.stats()).toMatchObject({ running: 2, queued: 0, accounts: 2 })
    expect(clock.timers()).toBe(0)
  })

  test('Retry-After grows with the work that waits, up to half a minute', async () => {
    const { ask, askAll, end } = setUp({ runningMax: 2, accountRunningMax: 1, queueMax: 4, accountQueueMax: 2 })
    const patient = { waitMsMax: 1e9 }
    const [a1] = await askAll('a1 b1 a2 a3', patient)
    const retryAfterSeconds = async () => (await ask('a9')).error
    expect(await retryAfterSeconds()).toMatchObject({ retryAfterSeconds: 1 })
    // Two share the thread: 5 s each, a quarter of which is the estimate; two wait, and the other account has as much of the thread.
    await end(a1, 10_000)
    await askAll('a4', patient)
    expect(await retryAfterSeconds()).toMatchObject({ retryAfterSeconds: 6 })
    clock.advance(3_600_000)
    expect(await retryAfterSeconds()).toMatchObject({ retryAfterSeconds: 30 })
  })
})

test('limits that contradict each other are a mistake of ours', () => {
  expect(() => setUp({ threads: 2, runningMax: 2, accountRunningMax: 1 })).toThrow('leave a place')
  expect(() => setUp({ runningMax: 5, accountRunningMax: 6 })).toThrow('no more than all')
  expect(() => setUp({ queueMax: 5, accountQueueMax: 6 })).toThrow('no more waiting')
})

test('a slot is released once', async () => {
  const { ask } = setUp()
  const { slot } = await ask('a1')
  slot?.release()
  expect(() => slot?.release()).toThrow('released once')
})

describe('a run for ourselves', () => {
  test('begins where a thread and memory are free, alone, and leaves a place', async () => {
    const { admission, ask, end } = setUp({ threads: 2, runningMax: 3, accountRunningMax: 3, memoryBytesBudget: 10 })
    const run = await ask('a')
    expect(admission.admitIdle(5, () => {})).toBeUndefined()
    const idle = admission.admitIdle(4, () => {})
    expect(idle).toBeDefined()
    expect(admission.admitIdle(1, () => {})).toBeUndefined()
    expect([admission.stats()['running'], admission.stats()['memoryBytesReserved'], admission.load]).toEqual([2, 5, 1])
    idle?.release()
    const other = await ask('b')
    expect(admission.admitIdle(1, () => {})).toBeUndefined()
    await end(other)
    await end(run)
    expect(admission.stats()).toMatchObject({ running: 0, memoryBytesReserved: 0 })
  })

  test('is asked to end by whoever finds no free thread, and not before', async () => {
    const { admission, ask } = setUp({ threads: 2 })
    let wanted = 0
    const idle = admission.admitIdle(1, () => wanted++)
    const first = await ask('a')
    expect([first.state, wanted]).toEqual(['begun', 0])
    const second = await ask('b')
    expect([second.state, wanted]).toEqual(['begun', 1])
    idle?.release()
  })

  test('whose memory somebody waits for makes room', async () => {
    const { admission, ask } = setUp({ threads: 4, memoryBytesBudget: 10 })
    const idle = admission.admitIdle(3, () => setImmediate(() => idle?.release()))
    const run = await ask('a', { memoryBytes: 8 })
    await settled()
    expect(run.state).toBe('begun')
  })
})
