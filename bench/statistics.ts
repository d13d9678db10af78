// Order statistics of samples. Medians and quantiles, because the machines that measure are noisy.

/** @param samples at least one, in any order @param q 0..1, nearest rank */
export function quantile(samples: readonly number[], q: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  const value = sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))]
  if (value === undefined) throw new Error('a quantile of no samples')
  return value
}

export const median = (samples: readonly number[]) => quantile(samples, 0.5)

/** @param ratios positive, at least one */
export function geometricMean(ratios: readonly number[]): number {
  return Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length)
}
