// Who asks when, for what: Poisson arrivals, programs by Zipf's law, times on the thread log-normal. By a seed.
import type { Arrival } from './simulate.ts'

export type ArrivalPlan = {
  seed: number
  perSecond: number
  endMs: number
  /** The n-th most wanted program is asked for 1/n times as often as the first. */
  programs: number
  serviceMsMean: number
  /** Of the logarithm; 0: all take the same. */
  serviceSigma: number
}

export function* plannedArrivals({ seed, perSecond, endMs, programs, serviceMsMean, serviceSigma }: ArrivalPlan): Generator<Arrival> {
  const random = uniform(seed)
  const cumulated = new Float64Array(programs)
  let sum = 0
  for (let n = 0; n < programs; n++) cumulated[n] = sum += 1 / (n + 1)
  const serviceMu = Math.log(serviceMsMean) - serviceSigma ** 2 / 2
  for (let atMs = 0; ;) {
    atMs += (-Math.log(1 - random()) * 1_000) / perSecond
    if (atMs > endMs) return
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    yield { atMs, program: firstAbove(cumulated, random() * sum), serviceMs: Math.exp(serviceMu + serviceSigma * normal) }
  }
}

/** mulberry32. @returns from 0 to below 1 */
export function uniform(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d_2b_79_f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function firstAbove(cumulated: Float64Array, wanted: number): number {
  let [low, high] = [0, cumulated.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((cumulated[middle] ?? 0) > wanted) high = middle
    else low = middle + 1
  }
  return low
}
