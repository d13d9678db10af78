import { beforeEach, expect, test } from 'vitest'
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

function isolate(): ReadCache {
  return new ReadCache({ shared, counters: new Counters(), now: () => now })
}
async function load(): Promise<string> {
  loads++
  return JSON.stringify(stored)
}

test('memory answers for two seconds, the shared cache after that, and for other isolates', async () => {
  const cache = isolate()
  for (let i = 0; i < 3; i++) expect(await cache.read(wanted, load)).toBe('"one"')
  expect([loads, shared.calls]).toEqual([1, 2])
  now += 2_000
  await cache.read(wanted, load)
  await isolate().read(wanted, load)
  expect([loads, shared.calls]).toEqual([1, 4])
})

test('a write is seen at once where it was made, and elsewhere when memory has expired', async () => {
  const [writer, other] = [isolate(), isolate()]
  await writer.read(wanted, load)
  await other.read(wanted, load)
  stored = 'two'
  await writer.forget('agents')
  expect(await writer.read(wanted, load)).toBe('"two"')
  expect(await other.read(wanted, load)).toBe('"one"')
  now += 2_000
  expect(await other.read(wanted, load)).toBe('"two"')
})

test('what was loaded before a write is not what others read after it', async () => {
  const [slow, writer] = [isolate(), isolate()]
  await slow.read(wanted, async () => {
    const text = await load()
    stored = 'two'
    await writer.forget('agents')
    return text
  })
  expect(await isolate().read(wanted, load)).toBe('"two"')
})

test('without the shared cache reads go on, and a write made meanwhile is seen when it is back', async () => {
  const cache = isolate()
  await cache.read(wanted, load)
  shared.isDown = true
  stored = 'two'
  await cache.forget('agents')
  expect(await cache.read(wanted, load)).toBe('"two"')
  shared.isDown = false
  now += 2_000
  expect(await cache.read(wanted, load)).toBe('"two"')
  expect(await isolate().read(wanted, load)).toBe('"two"')
})

test('requests that ask at the same time share one load, and a load that hangs holds nobody up', async () => {
  const cache = isolate()
  const answers = await Promise.all(Array.from({ length: 10 }, () => cache.read(wanted, load)))
  expect([new Set(answers), loads]).toEqual([new Set(['"one"']), 1])
  now += 2_000
  await cache.forget('agents')
  const hanging = cache.read(wanted, () => new Promise(() => {}))
  expect(await cache.read(wanted, load)).toBe('"one"')
  await expect(Promise.race([hanging, Promise.resolve('still waiting')])).resolves.toBe('still waiting')
})

test('an error is passed on and not kept', async () => {
  const cache = isolate()
  await expect(cache.read(wanted, () => Promise.reject(new Error('database')))).rejects.toThrow('database')
  expect(await cache.read(wanted, load)).toBe('"one"')
})
