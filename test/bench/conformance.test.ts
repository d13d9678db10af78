// How much of the language a script agent has: every case of the suites ends as it is known to, on the engine that agents run on.
import { describe, expect, test } from 'vitest'
import { conformanceCases } from '../../bench/conformance/cases.ts'
import { knownFailures, news } from '../../bench/conformance/known-failures.ts'
import { runCases } from '../../bench/conformance/run-cases.ts'
import { createNativeEngine, hasNativeEngine } from '../fakes/native-engine.ts'

const cases = conformanceCases()
const known = knownFailures()

test('there are thousands of cases, each with its own name, and no known failure is without one', () => {
  const ids = new Set(cases.map(({ id }) => id))
  expect(cases.length).toBe(6_232)
  expect(ids.size).toBe(cases.length)
  expect([...known.keys()].filter((id) => !ids.has(id))).toEqual([])
})

describe.skipIf(!hasNativeEngine)('on the native engine', () => {
  test('every case ends as it is known to', async () => {
    const engine = await createNativeEngine()
    try {
      const results = await runCases(engine, cases)
      expect(news(results, known)).toEqual([])
      expect(results.filter(({ isPassed }) => !isPassed)).toHaveLength(known.size)
    } finally {
      await engine.close()
    }
  })
})

test('a case that fails and one that passes against what is known are news', () => {
  const result = { id: 'a', folder: 'f', got: 'undefined' }
  expect(news([{ ...result, isPassed: false }], new Map())).toEqual(['a fails now: undefined'])
  expect(news([{ ...result, isPassed: true }], new Map([['a', 'engine: x']]))).toEqual(['a passes now'])
  expect(news([{ ...result, isPassed: true }], new Map())).toEqual([])
  expect(news([{ ...result, isPassed: false }], new Map([['a', 'engine: x']]))).toEqual([])
})
