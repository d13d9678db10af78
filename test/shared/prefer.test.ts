import { expect, test } from 'vitest'
import { prefersAsync } from '../../shared/prefer.ts'

test.each([
  ['respond-async', true],
  ['Respond-Async', true],
  [' respond-async ', true],
  ['respond-async; foo=1', true],
  ['wait=10, respond-async', true],
  ['return=minimal,respond-async;foo', true],
  ['foo="a, respond-async"', false],
  ['foo="a\\", respond-async", respond-async', true],
  ['foo="a, respond-async', false],
  ['respond-asynchronously', false],
  ['respond-async=1', false],
  ['return=respond-async', false],
  ['wait=10', false],
  ['', false],
  [',,', false],
  ['"', false],
  [undefined, false],
])('%j', (header, expected) => {
  expect(prefersAsync(header)).toBe(expected)
})
