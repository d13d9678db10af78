// How much of the language a script agent has: every case of the suites ends as it is known to, on the engine that agents run on.
import { describe, expect, test } from 'vitest'
import { conformanceCases } from '../../bench/conformance/cases.ts'
import { knownFailures, news } from '../../bench/conformance/known-failures.ts'
import { differences } from '../../bench/conformance/mode-differences.ts'
import { runCases, runPrepared } from '../../bench/conformance/run-cases.ts'
import { scriptModes } from '../../sandbox-host/engines/wasmtime.ts'
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

describe.skipIf(!hasNativeEngine)('in every mode of scripts', () => {
  // All of them: npm run conformance:modes.
  const sample = cases.filter(({ kind }) => kind === 'feature').filter((_, at) => at % 24 === 0)

  test('a sample of the cases answers alike', { timeout: 180_000 }, async () => {
    const byMode = []
    for (const scriptMode of scriptModes) {
      const engine = await createNativeEngine({ scriptMode })
      byMode.push(await runPrepared(engine, sample))
      await engine.close()
    }
    const [interpreted = [], ...others] = byMode
    expect(interpreted.filter(({ isPassed }) => isPassed).length).toBeGreaterThan(sample.length * 0.8)
    for (const results of others) expect(differences(interpreted, results)).toEqual([])
  })
})

test('answers that are not the same, and those that lack, are differences', () => {
  const result = { id: 'a', folder: 'f', isPassed: true, got: 'true' }
  expect(differences([result], [result])).toEqual([])
  expect(differences([result], [{ ...result, got: 'false' }])).toEqual(['a: "false", interpreted "true"'])
  expect(differences([result], [])).toHaveLength(1)
})

test('a case that fails and one that passes against what is known are news', () => {
  const result = { id: 'a', folder: 'f', got: 'undefined' }
  expect(news([{ ...result, isPassed: false }], new Map())).toEqual(['a fails now: undefined'])
  expect(news([{ ...result, isPassed: true }], new Map([['a', 'engine: x']]))).toEqual(['a passes now'])
  expect(news([{ ...result, isPassed: true }], new Map())).toEqual([])
  expect(news([{ ...result, isPassed: false }], new Map([['a', 'engine: x']]))).toEqual([])
})
