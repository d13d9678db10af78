// Two results side by side: what changed, how sure that is, and whether anything is worse than a bound allows.
import { betterOf } from './figure-target.ts'
import type { BenchResult } from './result-files.ts'
import { ratioOfMedians, type Interval } from './statistics.ts'

/** Fewer rounds than this say nothing about how much rounds differ. */
const samplesMin = 3

export type Verdict = 'better' | 'worse' | 'the same' | 'changed' | 'not known'
export type Difference = {
  scenario: string
  name: string
  before: number
  after: number
  /** After ÷ before, with its interval where both have samples. */
  ratio: Pick<Interval, 'value'> & Partial<Interval>
  verdict: Verdict
  /** Surely worse, by more than the bound. */
  isBeyond: boolean
}

/** @param bound share by which a figure may get worse: 0.1 is ten percent */
export function compareResults(before: readonly BenchResult[], after: readonly BenchResult[], bound: number): Difference[] {
  return after.flatMap((result) => {
    const other = before.find(({ scenario }) => scenario === result.scenario)
    return result.figures.flatMap((figure) => {
      const old = other?.figures.find(({ name }) => name === figure.name)
      if (!old || old.value === null || figure.value === null) return []
      const ratio = ratioOf(old, figure)
      const better = betterOf(figure)
      return [
        {
          scenario: result.scenario,
          name: figure.name,
          before: old.value,
          after: figure.value,
          ratio,
          ...judge(ratio, { better, bound }),
        },
      ]
    })
  })
}

type Sampled = { value: number | null; samples?: (number | null)[] | undefined }

function ratioOf(before: Sampled, after: Sampled): Difference['ratio'] {
  const plain = { value: (after.value ?? Number.NaN) / (before.value ?? Number.NaN) }
  const measured = ({ samples = [] }: Sampled) => samples.filter((sample) => sample !== null)
  const [from, to] = [measured(before), measured(after)]
  const isSampled = [from, to].every((samples) => samples.length >= samplesMin && samples.every((sample) => sample > 0))
  // The rounds of two runs were not measured together: they are drawn apart.
  return isSampled ? ratioOfMedians(to, from, { isPaired: false }) : plain
}

function judge({ value, low, high }: Difference['ratio'], { better, bound }: { better: 'less' | 'more' | undefined; bound: number }) {
  if (low === undefined || high === undefined || Number.isNaN(value)) return { verdict: 'not known' as const, isBeyond: false }
  if (low <= 1 && high >= 1) return { verdict: 'the same' as const, isBeyond: false }
  if (better === undefined) return { verdict: 'changed' as const, isBeyond: false }
  const isWorse = better === 'less' ? low > 1 : high < 1
  const isBeyond = better === 'less' ? low > 1 + bound : high < 1 - bound
  return { verdict: isWorse ? ('worse' as const) : ('better' as const), isBeyond }
}
