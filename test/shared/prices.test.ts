import { expect, test } from 'vitest'
import { microUsd, prices, stalePrices, type Price } from '../../shared/prices.ts'

const all: [string, Price][] = Object.entries(prices)

test.each(all)('the price %s names its source and its day', (_, { usd, per, unit, source, asOf }) => {
  expect(usd).toBeGreaterThan(0)
  expect(per).toBeGreaterThanOrEqual(1)
  expect(unit).not.toBe('')
  expect(new URL(source).protocol).toBe('https:')
  expect(asOf).toBe(new Date(asOf).toISOString().slice(0, 10))
})

test('a price is of one unit in millionths of a dollar', () => {
  expect(microUsd('workerRequest')).toBeCloseTo(0.3, 12)
  expect(microUsd('redisCommand')).toBeCloseTo(2, 12)
  expect(microUsd('workersPlanMonth')).toBe(5_000_000)
})

test('a price is warned of when it is older than a year, and not a day sooner', () => {
  const days = (asOf: string, count: number) => Date.parse(asOf) + count * 86_400_000
  const oldest = all.map(([, { asOf }]) => asOf).toSorted()[0] ?? ''
  expect(stalePrices(days(oldest, 365))).toEqual([])
  const stale = stalePrices(days(oldest, 365) + 1)
  expect(stale).toHaveLength(all.filter(([, { asOf }]) => asOf === oldest).length)
  expect(stale[0]).toContain(oldest)
})
