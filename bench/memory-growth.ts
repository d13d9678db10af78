// Whether memory grows: the middle of a stretch of samples late in a run against one after the warm-up. Medians, because a collector's saw
// teeth are no growth; a slope over all samples beside it, because two stretches may both lie at odd moments of the teeth.
import { median } from './statistics.ts'

export type MemorySample = { atSeconds: number; mib: number }

/** Caches fill, code is compiled and heaps find their size in this first share of a run. */
export const warmUpShare = 0.25
/** Length of either stretch, as a share of the run. */
const stretchShare = 0.1

export type Growth = { grownMiB: number; slopeMiBPerHour: number }

/** @param samples in the order of time; with too few to tell, NaN */
export function memoryGrowth(samples: readonly MemorySample[]): Growth {
  const end = samples.at(-1)?.atSeconds ?? 0
  const warm = samples.filter(({ atSeconds }) => atSeconds >= end * warmUpShare)
  const first = warm.filter(({ atSeconds }) => atSeconds <= end * (warmUpShare + stretchShare))
  const last = warm.filter(({ atSeconds }) => atSeconds >= end * (1 - stretchShare))
  if (first.length === 0 || last.length === 0 || warm.length < 3) return { grownMiB: Number.NaN, slopeMiBPerHour: Number.NaN }
  const middle = (of: MemorySample[]) => median(of.map(({ mib }) => mib))
  return { grownMiB: middle(last) - middle(first), slopeMiBPerHour: medianSlope(warm) * 3_600 }
}

/** The median of the slopes of all pairs (Theil and Sen), which single odd samples do not move. */
function medianSlope(samples: readonly MemorySample[]): number {
  return median(
    samples.flatMap((from, at) =>
      samples.slice(at + 1).flatMap((to) => {
        const seconds = to.atSeconds - from.atSeconds
        return seconds > 0 ? [(to.mib - from.mib) / seconds] : []
      }),
    ),
  )
}
