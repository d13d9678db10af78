// Waits for something that happens in the background, and fails with what was seen last.
import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'

export async function eventually(read: () => unknown, expected: unknown, { withinMs = 5_000 }: { withinMs?: number } = {}): Promise<void> {
  const until = Date.now() + withinMs
  while (!isDeepStrictEqual(await read(), expected) && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(await read()).toEqual(expected)
}
