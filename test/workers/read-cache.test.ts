import { beforeEach, describe, expect, test } from 'vitest'
import { Counters } from '../../workers/counters.ts'
import { ReadCache } from '../../workers/read-cache.ts'
import { memorySharedCache, type MemorySharedCache } from '../fakes/memory-shared-cache.ts'

const wanted = { key: 'agents:20', group: 'agents', lifetimeSeconds: 600 }
let shared: MemorySharedCache
let now: number
let stored: string
let loads: number
beforeEach(() => {
  shared = memorySharedCache()
  now = 1_000_000
  stored = 'one'
  loads = 0
})

/** The text alone; its tag is the same for the same text. */
async function read(cache: ReadCache, by = load): Promise<string> {
  return (await cache.read(wanted, by)).text
}
function isolate(): ReadCache {
  // Nothing is sent again but what a test lets pass.
  return new ReadCache({ shared, counters: new Counters(), now: () => now, sleep: () => new Promise(() => {}) })
}
async function load(): Promise<string> {
  loads++
  return JSON.stringify(stored)
}

test('memory answers for two seconds, the shared cache after that, and for other isolates', async () => {
  const cache = isolate()
  for (let i = 0; i < 3; i++) expect(await read(cache)).toBe('"one"')
  expect([loads, shared.calls]).toEqual([1, 2])
  now += 2_000
  await read(cache)
  await read(isolate())
  expect([loads, shared.calls]).toEqual([1, 4])
})

test('a write is seen at once where it was made, and elsewhere when memory has expired', async () => {
  const [writer, other] = [isolate(), isolate()]
  await read(writer)
  await read(other)
  stored = 'two'
  await writer.forget('agents')
  expect(await read(writer)).toBe('"two"')
  expect(await read(other)).toBe('"one"')
  now += 2_000
  expect(await read(other)).toBe('"two"')
})

test('what was loaded before a write is not what others read after it', async () => {
  const [slow, writer] = [isolate(), isolate()]
  await read(slow, async () => {
    const text = await load()
    stored = 'two'
    await writer.forget('agents')
    return text
  })
  expect(await read(isolate())).toBe('"two"')
})

test('without the shared cache reads go on, and a write made meanwhile is seen when it is back', async () => {
  const cache = isolate()
  await read(cache)
  shared.isDown = true
  stored = 'two'
  await cache.forget('agents')
  expect(await read(cache)).toBe('"two"')
  shared.isDown = false
  now += 2_000
  expect(await read(cache)).toBe('"two"')
  expect(await read(isolate())).toBe('"two"')
})

test('requests that ask at the same time share one load, and a load that hangs holds nobody up', async () => {
  const cache = isolate()
  const answers = await Promise.all(Array.from({ length: 10 }, () => read(cache)))
  expect([new Set(answers), loads]).toEqual([new Set(['"one"']), 1])
  now += 2_000
  await cache.forget('agents')
  const hanging = read(cache, () => new Promise(() => {}))
  expect(await read(cache)).toBe('"one"')
  await expect(Promise.race([hanging, Promise.resolve('still waiting')])).resolves.toBe('still waiting')
})

describe('while a load takes its time', () => {
  /** A load that ends when it is told to. */
  function slowLoad() {
    const { promise, resolve } = Promise.withResolvers<string>()
    return { load: () => promise, end: resolve }
  }

  test('whoever waited 50 ms gets what is a little old, and the load is not begun again for it', async () => {
    const cache = isolate()
    await read(cache)
    await shared.write('version:agents', { text: 'of another isolate', lifetimeSeconds: 60 })
    now += 2_000
    const slow = slowLoad()
    const leader = read(cache, slow.load)
    expect(await Promise.all([read(cache), read(cache)])).toEqual(['"one"', '"one"'])
    expect(loads).toBe(1)
    slow.end('"two"')
    expect([await leader, await read(cache)]).toEqual(['"two"', '"two"'])
  })

  test('a load that never ends is begun anew by whoever comes after those that waited', async () => {
    const cache = isolate()
    await read(cache)
    await shared.write('version:agents', { text: 'of another isolate', lifetimeSeconds: 60 })
    now += 2_000
    void read(cache, () => new Promise(() => {}))
    stored = 'two'
    expect(await read(cache)).toBe('"one"')
    expect(await read(cache)).toBe('"two"')
  })

  test('old is at most twelve seconds, and never from before a write of this isolate', async () => {
    for (const [ageMs, isWritten, gets] of [
      [11_999, false, '"one"'],
      [12_000, false, '"two"'],
      [2_000, true, '"two"'],
    ] as const) {
      shared = memorySharedCache()
      stored = 'one'
      const mine = isolate()
      await read(mine)
      stored = 'two'
      if (isWritten) await mine.forget('agents')
      else await shared.write('version:agents', { text: 'of another isolate', lifetimeSeconds: 60 })
      now += ageMs
      void read(mine, () => new Promise(() => {}))
      expect([ageMs, await read(mine)]).toEqual([ageMs, gets])
    }
  })
})

test('a shared cache that fails is asked three times, not by every request; afterwards it is told what it missed', async () => {
  const [cache, other] = [isolate(), isolate()]
  await read(other)
  shared.isDown = true
  const before = shared.calls
  for (let i = 0; i < 20; i++) expect((await cache.read({ ...wanted, key: `agents:${i}` }, load)).text).toBe('"one"')
  stored = 'two'
  await cache.forget('agents')
  expect(shared.calls - before).toBe(3)
  shared.isDown = false
  now += 5_000
  // A read of another group is what finds out that it is back.
  await cache.read({ key: 'bounties', group: 'bounties', lifetimeSeconds: 60 }, load)
  expect(await read(other)).toBe('"two"')
})

test('a write that the shared cache did not hear of is told to it again behind the answer, five times at most', async () => {
  const other = isolate()
  await read(other)
  const later: Promise<unknown>[] = []
  const slept: number[] = []
  const sleep = async (ms: number) => {
    slept.push(ms)
    now += ms
    if (slept.length === 2) shared.isDown = false
  }
  const writer = new ReadCache({ shared, counters: new Counters(), now: () => now, sleep, later: (work) => later.push(work) })
  shared.isDown = true
  stored = 'two'
  await writer.forget('agents', 'bounties')
  await writer.forget('agents')
  await Promise.all(later)
  expect([later.length, slept]).toEqual([1, [5_000, 5_000]])
  expect(await read(other)).toBe('"two"')

  shared.isDown = true
  slept.length = 2
  await writer.forget('agents')
  await Promise.all(later)
  expect(slept.slice(2)).toHaveLength(5)
})

test('an error is passed on and not kept', async () => {
  const cache = isolate()
  await expect(read(cache, () => Promise.reject(new Error('database')))).rejects.toThrow('database')
  expect(await read(cache)).toBe('"one"')
})
