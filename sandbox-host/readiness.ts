// Whether this host should be given work, and what it offers. The bucket is probed at most once a second, whoever asks how often; a
// host without its bucket is degraded, not unavailable: hot programs run, and the journal keeps what they make.
import type { TierName } from '../shared/tiers.ts'
import type { Bucket } from './bucket.ts'
import type { Journal } from './journal.ts'

export type ReadinessReport = {
  status: 'ready' | 'degraded' | 'unavailable'
  engine: string
  kinds: readonly string[]
  tiers: readonly TierName[]
  journal: Check
  r2: Check & { ageMs: number }
}
type Check = { ok: boolean; error?: string }

const probeEveryMs = 1_000

export type ReadinessOptions = {
  engine: { label: string; kinds: readonly string[] }
  tiers: readonly TierName[]
  journal: Pick<Journal, 'isFull' | 'failure'>
  bucket: Pick<Bucket, 'probe'>
  isDraining: () => boolean
}

export class Readiness {
  readonly #options: ReadinessOptions
  #probe: Promise<Check> | undefined
  #probedAt = Number.NEGATIVE_INFINITY

  constructor(options: ReadinessOptions) {
    this.#options = options
  }

  async report(): Promise<ReadinessReport> {
    const { engine, tiers, isDraining } = this.#options
    const bucket = await this.#bucketCheck()
    const journal = this.#journalCheck()
    const r2 = { ...bucket, ageMs: Math.round(performance.now() - this.#probedAt) }
    const status = isDraining() || !journal.ok ? 'unavailable' : r2.ok ? 'ready' : 'degraded'
    return { status, engine: engine.label, kinds: engine.kinds, tiers, journal, r2 }
  }

  #journalCheck(): Check {
    const { journal } = this.#options
    if (journal.failure) return { ok: false, error: 'the journal cannot be written' }
    return journal.isFull ? { ok: false, error: 'the journal is full until bundles are uploaded' } : { ok: true }
  }

  #bucketCheck(): Promise<Check> {
    const now = performance.now()
    if (!this.#probe || now - this.#probedAt >= probeEveryMs) {
      this.#probedAt = now
      this.#probe = this.#options.bucket.probe().then(
        () => ({ ok: true }),
        () => ({ ok: false, error: 'the bucket does not answer as it should' }),
      )
    }
    return this.#probe
  }
}
