// What two results say about each other, and when that fails a build.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { compareDirectories } from '../../bench/compare-directories.ts'
import { compareResults } from '../../bench/compare.ts'
import { writeResult } from '../../bench/result-files.ts'
import { benchResult } from './results.ts'

const slow = [100, 101, 99, 102, 100]
const fast = [50, 51, 49, 52, 50]

function compareFigure(before: object, after: object, bound = 0.1) {
  const result = (figure: object) => benchResult({ figures: [{ name: 'p99, ms', value: 1, ...figure }] })
  return compareResults([result(before)], [result(after)], bound)[0]
}

test('a time that doubled is worse, and beyond a bound of ten percent; one that halved is better', () => {
  const [was, is] = [
    { value: 50, samples: fast, better: 'less' },
    { value: 100, samples: slow, better: 'less' },
  ]
  expect(compareFigure(was, is)).toMatchObject({ verdict: 'worse', isBeyond: true, ratio: { value: 2 } })
  expect(compareFigure(is, was)).toMatchObject({ verdict: 'better', isBeyond: false, ratio: { value: 0.5 } })
})

test('a rate that halved is worse: which way is better is told, or read from the target', () => {
  expect(compareFigure({ value: 100, samples: slow }, { value: 50, samples: fast, better: 'more' })).toMatchObject({
    verdict: 'worse',
    isBeyond: true,
  })
  expect(compareFigure({ value: 100, samples: slow }, { value: 50, samples: fast, target: '>= 10' })).toMatchObject({ verdict: 'worse' })
  expect(compareFigure({ value: 100, samples: slow }, { value: 50, samples: fast, target: '<= 10' })).toMatchObject({ verdict: 'better' })
  expect(compareFigure({ value: 100, samples: slow }, { value: 50, samples: fast })).toMatchObject({ verdict: 'changed', isBeyond: false })
})

test('worse by less than the bound is worse and passes', () => {
  const after = { value: 105, samples: slow.map((each) => each * 1.05), better: 'less' }
  expect(compareFigure({ value: 100, samples: [100, 100, 100] }, after)).toMatchObject({ isBeyond: false })
  expect(compareFigure({ value: 100, samples: [100, 100, 100] }, { ...after, samples: [105, 105, 105] }, 0.04)).toMatchObject({
    verdict: 'worse',
    isBeyond: true,
  })
})

test('without three samples on both sides nothing is sure', () => {
  expect(compareFigure({ value: 1 }, { value: 9, better: 'less' })).toMatchObject({
    verdict: 'not known',
    isBeyond: false,
    ratio: { value: 9 },
  })
  expect(compareFigure({ value: 1, samples: [1, 1] }, { value: 9, samples: [9, 9, 9], better: 'less' })).toMatchObject({
    verdict: 'not known',
  })
})

test('figures that only one side has, or could not measure, are left out', () => {
  const of = (name: string, value: number | null) => benchResult({ figures: [{ name, value }] })
  expect(compareResults([of('a', 1)], [of('b', 1)], 0)).toEqual([])
  expect(compareResults([of('a', null)], [of('a', 1)], 0)).toEqual([])
  expect(compareResults([{ ...of('a', 1), scenario: 'pool' }], [of('a', 1)], 0)).toEqual([])
})

const directory = mkdtempSync(join(tmpdir(), 'bounty-compare-'))
afterAll(() => rmSync(directory, { recursive: true }))

test('the exit code is 1 when something is surely worse, 0 when not, 2 when there is nothing to compare', () => {
  const shown = vi.spyOn(console, 'log').mockImplementation(() => {})
  const told = vi.spyOn(console, 'error').mockImplementation(() => {})
  try {
    const [before, after] = [join(directory, 'before'), join(directory, 'after')]
    const keep = (into: string, samples: number[]) =>
      writeResult(into, {
        ...benchResult(),
        figures: [{ name: 'p99, ms', value: samples[0] ?? 0, samples, better: 'less' }],
        tables: [],
        charts: [],
      })
    keep(before, fast)
    keep(after, slow)
    expect(compareDirectories({ before, after, bound: 0.1 })).toBe(1)
    expect(shown.mock.calls.flat().join('\n')).toMatch(
      /api: p99, ms \| +50 \| +100 \| 2 \(1\.9\d to 2\.\d+\) +\| worse \(beyond the bound\)/,
    )
    expect(compareDirectories({ before: after, after: before, bound: 0.1 })).toBe(0)
    expect(compareDirectories({ before, after: join(after, 'api.json'), bound: 2 })).toBe(0)
    expect(compareDirectories({ before, after: join(directory, 'no'), bound: 0.1 })).toBe(2)
    expect(told.mock.calls.flat().join('\n')).toContain('there is no "')
  } finally {
    shown.mockRestore()
    told.mockRestore()
  }
})
