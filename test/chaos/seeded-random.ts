// Random choices that a seed repeats: mulberry32, which is enough to choose faults and inputs by.
export type SeededRandom = {
  /** From 0 to below 1. */
  next: () => number
  /** A whole number from min to max, both included. */
  between: (min: number, max: number) => number
  pick: <T>(items: readonly [T, ...T[]]) => T
  isHit: (probability: number) => boolean
  shuffle: <T>(items: readonly T[]) => T[]
}

export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d_2b_79_f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (min: number, max: number) => min + Math.floor(next() * (max - min + 1))
  return {
    next,
    between,
    pick: (items) => items[between(0, items.length - 1)] ?? items[0],
    isHit: (probability) => next() < probability,
    shuffle: (items) =>
      items
        .map((item) => ({ item, place: next() }))
        .toSorted((a, b) => a.place - b.place)
        .map(({ item }) => item),
  }
}
