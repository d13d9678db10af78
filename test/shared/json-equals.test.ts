import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { jsonEquals } from '../../shared/json-equals.ts'

function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled)
  if (typeof value !== 'object' || value === null) return value
  // fromEntries defines __proto__ as an own key, as JSON.parse does.
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, item]) => [key, shuffled(item)]),
  )
}

describe('JSON equality', () => {
  test('ignores the order of keys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(jsonEquals(value, shuffled(value))).toBe(true)
      }),
    )
  })

  test('agrees with canonical text on any two values', () => {
    const canonical = (value: unknown): string =>
      JSON.stringify(value, (_, item: unknown) =>
        typeof item === 'object' && item !== null && !Array.isArray(item)
          ? Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)))
          : item,
      )
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 2 }), fc.jsonValue({ maxDepth: 2 }), (a, b) => {
        const [left, right] = [JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b))]
        expect(jsonEquals(left, right)).toBe(canonical(left) === canonical(right))
      }),
    )
  })

  test.each([
    [[1, 2], [2, 1], false],
    [{ a: undefined }, {}, false],
    [[], {}, false],
    [null, {}, false],
    [0, -0, true],
    ['1', 1, false],
    [{ ['__proto__']: 1 }, {}, false],
  ])('of %j and %j is %s', (a, b, equal) => expect(jsonEquals(a, b)).toBe(equal))

  test('holds for nesting deeper than any call stack', () => {
    const deep = () => JSON.parse('['.repeat(200_000) + ']'.repeat(200_000))
    expect(jsonEquals(deep(), deep())).toBe(true)
  })
})
