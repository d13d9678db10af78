// Who is first at a piece of work, among all peers or among those that guarantee what a sandbox for strangers must.
import { sandboxGuarantees, type Guarantees } from './contender.ts'
import { median, ratioOfMedians, type Interval } from './statistics.ts'

/** `samples`: one a round, more is better. */
export type Ranked = { name: string; isOurs: boolean; guarantees: Guarantees; samples: number[] }

export function givesSame(guarantees: Guarantees): boolean {
  return sandboxGuarantees.every((name) => guarantees[name].holds)
}

/** @returns undefined when there is no such peer */
export function bestPeer(all: readonly Ranked[], among: 'all' | 'same guarantees'): Ranked | undefined {
  const peers = all.filter(({ isOurs, guarantees, samples }) => !isOurs && samples.length > 0 && (among === 'all' || givesSame(guarantees)))
  return peers.toSorted((a, b) => median(b.samples) - median(a.samples))[0]
}

/** How many times as much as the best of the peers; NaN when there is none, infinite when it got nothing done. */
export function timesBest(ours: Ranked, best: Ranked | undefined): Interval {
  if (!best) return { value: Number.NaN, low: Number.NaN, high: Number.NaN }
  if (median(best.samples) === 0) return { value: Infinity, low: Infinity, high: Infinity }
  return ratioOfMedians(ours.samples, best.samples)
}
