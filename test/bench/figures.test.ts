// Small parts of the bench: targets, tables, estimates of the time left, growth of memory, the mix.
import { describe, expect, test } from 'vitest'
import { betterOf, isReached } from '../../bench/figure-target.ts'
import { LatencyRecorder, latencyAt } from '../../bench/load.ts'
import { memoryGrowth } from '../../bench/memory-growth.ts'
import { secondsLeft, showSeconds } from '../../bench/progress.ts'
import { mix, rotated } from '../../bench/request-mix.ts'
import { showNumber, textTable } from '../../bench/text-table.ts'

describe('targets', () => {
  test.each([
    { target: '>= 4,000', value: 4_000, reached: true },
    { target: '>= 4,000', value: 3_999, reached: false },
    { target: '<= 5', value: 5, reached: true },
    { target: '<= 5', value: 5.01, reached: false },
    { target: '< 3', value: 3, reached: false },
    { target: '> 3', value: 3.1, reached: true },
    { target: '0', value: 0, reached: true },
    { target: '0', value: 1, reached: false },
    { target: '+- 5', value: -5, reached: true },
    { target: '+- 5', value: -5.1, reached: false },
    { target: '<= 5', value: null, reached: false },
    { target: undefined, value: 1, reached: undefined },
  ])('$value against "$target": $reached', ({ target, value, reached }) => {
    expect(isReached({ value, target })).toBe(reached)
  })

  test('say which way is better, unless that is said', () => {
    expect(betterOf({ target: '>= 1' })).toBe('more')
    expect(betterOf({ target: '<= 1' })).toBe('less')
    expect(betterOf({ target: '0' })).toBe('less')
    expect(betterOf({ target: '>= 1', better: 'less' })).toBe('less')
    expect(betterOf({})).toBeUndefined()
  })
})

test('numbers show three digits that count', () => {
  expect([1234.5, 123.4, 12.34, 1.234, 0.01234, 0, -5.678, 50, null, Number.NaN].map(showNumber)).toEqual([
    '1,235',
    '123',
    '12.3',
    '1.23',
    '0.0123',
    '0',
    '-5.68',
    '50',
    '–',
    '–',
  ])
})

test('a table is aligned Markdown: numbers to the right', () => {
  expect(
    textTable(
      ['row', 'n'],
      [
        ['a', 1],
        ['long', null],
      ],
    ),
  ).toBe('| row  | n   |\n|------|----:|\n| a    |   1 |\n| long |   – |'.replace('| n   |', '|   n |'))
})

describe('the time left', () => {
  const running = { elapsed: 10, expected: 40, planned: 0, begun: 0 }
  test('is what the last run took, until steps are behind', () => {
    expect(secondsLeft(running)).toBe(30)
    expect(secondsLeft({ ...running, expected: 5 })).toBe(0)
    expect(secondsLeft({ ...running, expected: undefined })).toBeUndefined()
    expect(secondsLeft({ ...running, planned: 10, begun: 2 })).toBe(30)
    // Five of ten are done in ten seconds.
    expect(secondsLeft({ ...running, planned: 10, begun: 6 })).toBe(10)
    expect(secondsLeft({ ...running, expected: undefined, planned: 10, begun: 6 })).toBe(10)
  })
  test('is shown in minutes and seconds', () => {
    expect([4.4, 59.6, 61].map(showSeconds)).toEqual(['4 s', '1 min 0 s', '1 min 1 s'])
  })
})

describe('growth of memory', () => {
  const samples = (mib: (second: number) => number) => Array.from({ length: 121 }, (_, i) => ({ atSeconds: i * 5, mib: mib(i * 5) }))
  test('is nothing while a heap only saws, or grew before the warm-up was over', () => {
    expect(memoryGrowth(samples((second) => 100 + (second % 25))).grownMiB).toBeCloseTo(0)
    expect(memoryGrowth(samples((second) => Math.min(second, 140))).grownMiB).toBe(0)
  })
  test('is what a leak adds between the stretches', () => {
    const { grownMiB, slopeMiBPerHour } = memoryGrowth(samples((second) => 100 + second / 10))
    // From the middle of 150 to 210 s to that of 540 to 600 s.
    expect(grownMiB).toBeCloseTo(39)
    expect(slopeMiBPerHour).toBeCloseTo(360)
  })
  test('is not known from two samples', () => {
    expect(memoryGrowth(samples(() => 1).slice(0, 2)).grownMiB).toBeNaN()
  })
})

test('latencies are kept to the microsecond, and are not there before the first', () => {
  const recorder = new LatencyRecorder()
  expect(latencyAt(recorder.latencies(), 50)).toBeNaN()
  for (let i = 1; i <= 100; i++) recorder.record(i / 10)
  expect(latencyAt(recorder.latencies(), 50)).toBeCloseTo(5, 1)
  expect(latencyAt(recorder.latencies(), 95)).toBeCloseTo(9.5, 1)
  expect(recorder.count).toBe(100)
})

test('the mix is of a thousand, and every connection begins elsewhere in it', () => {
  expect(Object.values(mix).reduce((sum: number, count) => sum + count, 0)).toBe(1_000)
  expect(rotated([1, 2, 3], 1)).toEqual([2, 3, 1])
  expect(rotated([1, 2, 3], 4)).toEqual([2, 3, 1])
})
