import { beforeEach, expect, test } from 'vitest'
import type { RateLimit } from '../../shared/rate-limit.ts'
import { Counters } from '../../workers/counters.ts'
import { RateLimiter, type Take } from '../../workers/rate-limiter.ts'
import { memoryUsageCounter, type MemoryUsageCounter } from '../fakes/memory-usage-counter.ts'

const limit: RateLimit = { name: 'test', requests: 10, windowMs: 60_000 }
let now: number
let shared: MemoryUsageCounter
beforeEach(() => {
  now = 60_000 * 1_000
  shared = memoryUsageCounter(() => now)
})

function isolate(counter = shared): RateLimiter {
  return new RateLimiter({ counter, counters: new Counters(), now: () => now, sleep: async () => {} })
}

/** @returns the last take; its report has ended */
async function take(limiter: RateLimiter, times = 1, subject = 'ada'): Promise<Take> {
  const takes = Array.from({ length: times }, () => limiter.take(subject, limit))
  await Promise.all(takes.map(({ report }) => report?.() ?? Promise.resolve()))
  const last = takes.at(-1)
  if (!last) throw new Error('nothing was taken')
  return last
}

test('the last request of a window passes, the next one waits for the window that follows', async () => {
  const limiter = isolate()
  expect(await take(limiter, 10)).toMatchObject({ isAllowed: true, remaining: 0, reset: now + 60_000 })
  expect(await take(limiter)).toMatchObject({ isAllowed: false, remaining: 0, reset: now + 60_000 })
  now += 59_999
  expect((await take(limiter)).isAllowed).toBe(false)
  now += 1
  expect(await take(limiter)).toMatchObject({ isAllowed: true, remaining: 9 })
})

test('what one subject uses is not missing for another', async () => {
  const limiter = isolate()
  await take(limiter, 11)
  expect(await take(limiter, 1, 'eve')).toMatchObject({ isAllowed: true, remaining: 9 })
})

test('isolates learn of one another with their reports', async () => {
  const [here, there] = [isolate(), isolate()]
  await take(here, 9)
  expect(await take(there)).toMatchObject({ isAllowed: true, remaining: 9 })
  expect((await take(there)).isAllowed).toBe(false)
})

test('a burst is one report, and what came while it was under way is the next one', async () => {
  const limiter = isolate()
  const first = limiter.take('ada', limit)
  for (let i = 0; i < 4; i++) expect(limiter.take('ada', limit).report).toBeUndefined()
  await first.report?.()
  expect(shared.calls).toBe(1)

  let slow: (() => void) | undefined
  const counter = {
    add: async (...use: Parameters<MemoryUsageCounter['add']>) => {
      await new Promise<void>((resolve) => (slow = resolve))
      return shared.add(...use)
    },
  }
  const waiting = isolate(Object.assign(counter, { isDown: false, calls: 0 }))
  const reporting = waiting.take('eve', limit).report?.()
  expect(waiting.take('eve', limit).report).toBeUndefined()
  slow?.()
  await new Promise((resolve) => setTimeout(resolve, 1))
  slow?.()
  await reporting
  expect(shared.calls).toBe(3)
  expect(await take(isolate(), 1, 'eve')).toMatchObject({ remaining: 9 })
  expect(await shared.add('eve', { amount: 0, limit })).toBe(3)
})

test('without the shared counter each isolate counts for itself, and nothing fails', async () => {
  shared.isDown = true
  const limiter = isolate()
  expect(await take(limiter, 10)).toMatchObject({ isAllowed: true })
  expect((await take(limiter)).isAllowed).toBe(false)
  expect((await take(isolate())).isAllowed).toBe(true)
})

test('a report whose request was cancelled does not keep the next ones back', async () => {
  const limiter = isolate()
  limiter.take('ada', limit)
  expect(limiter.take('ada', limit).report).toBeUndefined()
  now += 5_000
  expect(limiter.take('ada', limit).report).toBeDefined()
})

test('an isolate tells of a fiftieth of a limit at once, not of less', async () => {
  const wide: RateLimit = { name: 'wide', requests: 1_200, windowMs: 60_000 }
  const limiter = isolate()
  for (let i = 0; i < 24; i++) expect(limiter.take('ada', wide)).toMatchObject({ remaining: 1_199 - i, report: undefined })
  await limiter.take('ada', wide).report?.()
  expect([shared.calls, await shared.add('ada', { amount: 0, limit: wide })]).toEqual([1, 25])
  for (let i = 0; i < 24; i++) expect(limiter.take('ada', wide).report).toBeUndefined()
  expect(limiter.take('ada', wide)).toMatchObject({ remaining: 1_150, report: expect.any(Function) })
})
