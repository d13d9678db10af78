// Where one engine answers otherwise than another, on the same cases.
import type { ConformanceResult } from './run-cases.ts'

/** One line for each. */
export function differences(expected: readonly ConformanceResult[], results: readonly ConformanceResult[]): string[] {
  if (expected.length !== results.length) return [`${results.length} results, expected are ${expected.length}`]
  return results.flatMap(({ id, got }, at) => {
    const wanted = expected[at]?.got
    return got === wanted ? [] : [`${id}: ${JSON.stringify(got.slice(0, 200))}, interpreted ${JSON.stringify(wanted?.slice(0, 200))}`]
  })
}
