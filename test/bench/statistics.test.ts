// Order statistics, and intervals that are right about as often as they say.
import { expect, test } from 'vitest'
import { geometricMean, median, pseudoRandom, quantile, ratioOfMedians } from '../../bench/statistics.ts'

test('quantiles are by nearest rank, in any order', () => {
  expect(quantile([5, 1, 4, 2, 3], 0.5)).toBe(3)
  expect(quantile([1, 2, 3, 4], 0.5)).toBe(2)
  expect(quantile([1, 2, 3, 4], 0)).toBe(1)
  expect(quantile([1, 2, 3, 4], 1)).toBe(4)
  expect(quantile([7], 0.99)).toBe(7)
  expect(() => quantile([], 0.5)).toThrow('no samples')
})

test('the geometric mean of a ratio and its inverse is one', () => {
  expect(geometricMean([4, 0.25])).toBeCloseTo(1)
})

test('the ratio of what is the same is one, surely; the same samples give the same interval', () => {
  expect(ratioOfMedians([2, 2, 2], [2, 2, 2])).toEqual({ value: 1, low: 1, high: 1 })
  const noisy = [1, 2, 3, 4, 5]
  expect(ratioOfMedians(noisy, [2, 2, 2])).toEqual(ratioOfMedians(noisy, [2, 2, 2]))
})

test('a slow moment that fell on both sides of a round makes no interval wide', () => {
  const to = [1, 9, 1, 9, 1, 9, 1, 9, 1]
  const of = to.map((each) => each * 2)
  expect(ratioOfMedians(of, to)).toEqual({ value: 2, low: 2, high: 2 })
  const apart = ratioOfMedians(of, to, { isPaired: false })
  expect(apart.high).toBeGreaterThan(apart.low)
})

test('of forty repetitions about 38 intervals hold the true ratio', () => {
  const random = pseudoRandom(42)
  // A long tail, as times have.
  const draw = (scale: number) => Array.from({ length: 25 }, () => scale * (1 - Math.log(1 - random())))
  const held = Array.from({ length: 40 }, () => ratioOfMedians(draw(2), draw(1), { isPaired: false })).filter(
    ({ low, high }) => low <= 2 && high >= 2,
  )
  expect(held.length).toBeGreaterThanOrEqual(34)
  expect(median(held.map(({ high, low }) => high - low))).toBeLessThan(2)
})
