// Order statistics of samples, and how sure they are. Medians, quantiles and resampling, because the machines that measure are noisy and
// their times have long tails: nothing here supposes a normal distribution.

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

export type Interval = { value: number; low: number; high: number }

const resamples = 1_000
const confidence = 0.95

/**
 * The ratio of two medians with the interval that 95 of 100 such measurements would give (percentile bootstrap).
 *
 * @param of and `to`: at least one each, positive
 * @param isPaired sample by sample of the same rounds, which are drawn together: a slow moment of the machine fell on both
 */
export function ratioOfMedians(of: readonly number[], to: readonly number[], { isPaired = of.length === to.length } = {}): Interval {
  const random = pseudoRandom(1)
  const ratios = Array.from({ length: resamples }, () => {
    const indices = of.map(() => Math.floor(random() * of.length))
    const drawn = indices.map((at) => of[at] ?? Number.NaN)
    const others = isPaired ? indices.map((at) => to[at] ?? Number.NaN) : to.map(() => to[Math.floor(random() * to.length)] ?? Number.NaN)
    return median(drawn) / median(others)
  })
  const tail = (1 - confidence) / 2
  return { value: median(of) / median(to), low: quantile(ratios, tail), high: quantile(ratios, 1 - tail) }
}

/** The same samples give the same interval every time. (mulberry32) */
export function pseudoRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
