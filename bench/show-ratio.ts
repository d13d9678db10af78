// A ratio with its interval, as tables show it.
import type { Interval } from './statistics.ts'
import { showNumber } from './text-table.ts'

export function showRatio({ value, low, high }: { value: number } & Partial<Interval>): string {
  if (!Number.isFinite(value)) return '–'
  return low === undefined || high === undefined ? showNumber(value) : `${showNumber(value)} (${showNumber(low)} to ${showNumber(high)})`
}
