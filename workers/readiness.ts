// Whether the parts that the Worker needs answer. They are asked at most once a second, whoever asks how often; a probe gives up after
// 0.8 s, so that an outage shows within 2 s.
import { ProblemError } from '../shared/problem.ts'
import { settledWithin } from './settled-within.ts'

export type Check = { ok: boolean; ageMs: number; error?: string }
export type ReadinessReport<Name extends string> = { status: 'ready' | 'unavailable'; checks: Record<Name, Check> }

const probeEveryMs = 1_000
/** Older results than this are not shown. */
const outageShownMs = 2_000
/** Adapters stop earlier where they can; this is for those that cannot. */
const probeMsMax = 800

type Result = { ok: boolean; error?: string }
type Round<Name extends string> = { at: number; results: Map<Name, Result> }

export class Readiness<Name extends string> {
  readonly #probes: Record<Name, () => Promise<void>>
  readonly #now: () => number
  #last: Round<Name> | undefined
  #beganAt = Number.NEGATIVE_INFINITY

  constructor({ probes, now }: { probes: Record<Name, () => Promise<void>>; now: () => number }) {
    this.#probes = probes
    this.#now = now
  }

  async report(): Promise<ReadinessReport<Name>> {
    const now = this.#now()
    const last = this.#last
    // While one request probes, the others answer with the round before: a Worker's request must not wait for another's.
    const isProbing = now - this.#beganAt < probeEveryMs
    if (last && isProbing && now - last.at < outageShownMs) return this.#reportOf(last, now)
    this.#beganAt = now
    const round = { at: now, results: await this.#probeAll() }
    this.#last = round
    return this.#reportOf(round, this.#now())
  }

  async #probeAll(): Promise<Map<Name, Result>> {
    // Object.entries forgets the literal type of the keys that the record has.
    const probes = Object.entries<() => Promise<void>>(this.#probes) as [Name, () => Promise<void>][]
    return new Map(await Promise.all(probes.map(async ([name, probe]) => [name, await resultOf(probe)] as const)))
  }

  #reportOf({ at, results }: Round<Name>, now: number): ReadinessReport<Name> {
    const checks = Object.fromEntries([...results].map(([name, result]) => [name, { ...result, ageMs: Math.max(0, now - at) }]))
    const isReady = [...results.values()].every(({ ok }) => ok)
    // Every name has a probe, and every probe a result.
    return { status: isReady ? 'ready' : 'unavailable', checks: checks as Record<Name, Check> }
  }
}

async function resultOf(probe: () => Promise<void>): Promise<Result> {
  const settled = await settledWithin(probe(), probeMsMax)
  if (settled === 'late') return { ok: false, error: `no answer within ${probeMsMax} ms` }
  if (settled.status === 'fulfilled') return { ok: true }
  // Details of an error name hosts and ports; readers of this answer get the code.
  return { ok: false, error: settled.reason instanceof ProblemError ? settled.reason.code : 'does not answer' }
}
