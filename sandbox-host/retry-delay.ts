// How long to wait before the next attempt: doubled each time, bounded, and scattered so that hosts that failed together do not
// come back together.
export function retryDelayMs(
  attempt: number,
  { firstMs = 100, maxMs = 5_000 }: { firstMs?: number; maxMs?: number | undefined } = {},
): number {
  const full = Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 20))
  return full / 2 + (Math.random() * full) / 2
}
