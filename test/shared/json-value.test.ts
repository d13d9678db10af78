import { expect, test } from 'vitest'
import { jsonDepthMax, nestsTooDeep } from '../../shared/json-value.ts'

const nested = (levels: number, inside = '') => '['.repeat(levels) + inside + ']'.repeat(levels)

test('the bound on nesting is exact', () => {
  expect(nestsTooDeep(nested(jsonDepthMax, '1'))).toBe(false)
  expect(nestsTooDeep(nested(jsonDepthMax + 1, '1'))).toBe(true)
  expect(nestsTooDeep(nested(jsonDepthMax - 1, '{"a":{}}'))).toBe(true)
})

test('brackets in strings and side by side do not count', () => {
  expect(nestsTooDeep(JSON.stringify({ a: '['.repeat(1_000), '\\"[': '\\"['.repeat(500) }))).toBe(false)
  expect(nestsTooDeep(`[${'[],'.repeat(1_000)}1]`)).toBe(false)
})
