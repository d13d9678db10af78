// The cron rests while there is nothing to do, and never longer than anything can wait.
import { beforeEach, describe, expect, test } from 'vitest'
import { CircuitBreaker } from '../../workers/circuit-breaker.ts'
import { restMsMax, settledMs, stirEveryMs, SweepRest } from '../../workers/sweep-rest.ts'
import { sweep } from '../../workers/flows/sweep.ts'
import { stirringDatabase } from '../../workers/adapters/stirring-database.ts'
import { ignoredRowSchema } from '../../workers/adapters/neon-rows.ts'
import { memorySharedCache, type MemorySharedCache } from '../fakes/memory-shared-cache.ts'
import { testEdge } from '../fakes/test-edge.ts'

const minute = 60_000
let now: number
let shared: MemorySharedCache
let first: string | undefined
let questions: number
let words: number
let behind: Promise<unknown>[]
beforeEach(() => {
  now = Date.parse('2026-11-23T12:00:00Z')
  shared = memorySharedCache()
  first = undefined
  questions = 0
  words = 0
  behind = []
})
/** Each is another isolate. */
const isolate = () =>
  new SweepRest({
    shared,
    breaker: new CircuitBreaker(() => now),
    due: {
      async earliest() {
        questions++
        return first
      },
    },
    now: () => now,
    sleep: async (ms) => void (now += ms),
    later: (work) => behind.push(work),
    randomText: () => `word ${words++}`,
  })
const fires = (rest = isolate(), work: () => Promise<void> = async () => {}) => rest.sweep(work)
const inMs = (ms: number) => new Date(now + ms).toISOString()
/** Fires each minute. @returns how many minutes passed until it rested */
async function untilRest(): Promise<number> {
  for (let minutes = 0; minutes < 600; minutes++, now += minute) if (!(await fires())) return minutes
  return expect.fail('it never rested')
}

describe('a cron', () => {
  test('rests when nothing was written for two minutes, and looks again after four hours', async () => {
    expect(await untilRest()).toBe(3)
    const restedAt = now - minute
    while (!(await fires())) now += minute
    expect(now - restedAt).toBe(restMsMax)
    // It had looked before, and nothing was written since: it rests at once.
    now += minute
    expect(await fires()).toBe(false)
  })

  test('asks once a minute in one round trip while it rests', async () => {
    await untilRest()
    const [asked, calls] = [questions, shared.calls]
    for (let i = 0; i < 60; i++, now += minute) expect(await fires()).toBe(false)
    expect([questions - asked, shared.calls - calls]).toEqual([0, 60])
  })

  test('looks when the first thing is due, to the minute, and until it is done', async () => {
    await untilRest()
    isolate().stir()
    first = inMs(30 * minute)
    const dueAt = Date.parse(first)
    await untilRest()
    for (; now < dueAt; now += minute) expect(await fires()).toBe(false)
    for (let i = 0; i < 5; i++, now += minute) expect(await fires()).toBe(true)
    first = undefined
    expect(await fires()).toBe(true)
    expect(await fires()).toBe(false)
  })

  test('is woken by whatever is written, whichever isolate writes it', async () => {
    await untilRest()
    isolate().stir()
    await Promise.all(behind)
    expect(await fires()).toBe(true)
  })

  test('does not rest on a look that is younger than what may be under way', async () => {
    const writer = isolate()
    for (let i = 0; i < 20; i++, now += minute) {
      writer.stir()
      await Promise.all(behind)
      expect(await fires()).toBe(true)
    }
    expect(questions).toBe(0)
    now += settledMs - minute
    expect(await fires()).toBe(true)
    expect(questions).toBe(1)
  })

  test('does not rest on a look during which something was written', async () => {
    await untilRest()
    now += restMsMax
    expect(
      await fires(isolate(), async () => {
        isolate().stir()
        await Promise.all(behind)
      }),
    ).toBe(true)
    expect(await fires()).toBe(true)
  })

  test('does not rest after a sweep that failed', async () => {
    await untilRest()
    now += restMsMax
    const failing = () => Promise.reject(new Error('the database is away'))
    await expect(fires(isolate(), failing)).rejects.toThrow('the database is away')
    expect(await fires()).toBe(true)
  })

  test.each([
    ['is away', () => void (shared.isDown = true)],
    ['forgot the rest', () => shared.write('sweeps:rest', { text: 'nonsense', lifetimeSeconds: 1 })],
    ['forgot the word', () => shared.write('sweeps:word', { text: '', lifetimeSeconds: 1 })],
  ])('looks when Redis %s', async (_, happens) => {
    await untilRest()
    await happens()
    expect(await fires()).toBe(true)
  })

  test('does not believe a rest from a clock that is ahead', async () => {
    now += 10 * minute
    await untilRest()
    now -= 10 * minute
    expect(await fires()).toBe(true)
  })
})

describe('an isolate that writes', () => {
  test('tells it once a minute', async () => {
    const writer = isolate()
    writer.stir()
    await Promise.all(behind)
    for (let i = 0; i < 100; i++) writer.stir()
    now += stirEveryMs - 1
    writer.stir()
    expect(shared.calls).toBe(1)
    now += 1
    writer.stir()
    expect(shared.calls).toBe(2)
  })

  test('tells it again behind the answer, one request for all, when Redis does not take it', async () => {
    const writer = isolate()
    shared.isDown = true
    for (let i = 0; i < 50; i++) writer.stir()
    await Promise.all(behind)
    expect(shared.calls).toBe(50 + 5)
    shared.isDown = false
    now += stirEveryMs
    writer.stir()
    await Promise.all(behind)
    expect(await shared.read(['sweeps:word'])).not.toEqual([null])
  })

  test('has told nothing while its telling is under way: who else writes tells it, too', async () => {
    const writer = isolate()
    writer.stir()
    writer.stir()
    expect(shared.calls).toBe(2)
    await Promise.all(behind)
    writer.stir()
    expect(shared.calls).toBe(2)
  })
})

test('a database tells of its writes, and not of what it reads', async () => {
  let stirs = 0
  const database = stirringDatabase({ query: async () => [], transaction: async () => [] }, () => stirs++)
  const ask = (text: string) => database.query(ignoredRowSchema, { text, parameters: [] })
  await ask('select 1')
  await ask('\n  SELECT 1')
  expect(stirs).toBe(0)
  await ask('with gone as (delete from a returning 1) select 1')
  await ask('update a set b = 1')
  await database.transaction([])
  expect(stirs).toBe(3)
})

test('the cron sweeps all, then rests, and says how often it did which', async () => {
  const edge = testEdge()
  const { services, clock } = edge
  for (let i = 0; i < 5; i++, clock.now += minute) await sweep(services)
  expect(services.counters.text()).toContain('bounty_isolate_sweeps_total{outcome="rested"} 2')
  expect(services.counters.text()).toContain('bounty_isolate_sweeps_total{outcome="swept"} 3')
})
