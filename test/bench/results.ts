// A result as a scenario leaves it, with what a test wants to be different.
import { resultSchema, type BenchResult } from '../../bench/result-files.ts'

export function benchResult(overrides: Partial<BenchResult> = {}): BenchResult {
  return resultSchema.parse({
    scenario: 'api',
    at: '2026-11-25T12:00:00.000Z',
    seconds: 65,
    machine: { cpu: 'a cpu', cores: 2, memoryGiB: 8, system: 'linux', node: 'v24', commit: 'abc1234', loadBefore: 0.1 },
    figures: [],
    raw: {},
    ...overrides,
  })
}
