// Whether this host should be given work, and what it offers. The bucket is probed at most once a second, whoever asks how often; a
// host without its bucket is degraded, not unavailable: hot programs run, and the journal keeps what they make.
import type { TierName } from '../shared/tiers.ts'
import type { Bucket } from './bucket.ts'
import type { FullReason, Journal } from './journal.ts'

export type ReadinessReport = {
  status: 'ready' | 'degraded' | 'unavailable'
  engine: string
  kinds: readonly string[]
  tiers: readonly TierName[]
  journal: Check
  r2: Check & { ageMs: number }
}
type Check = { ok: boolean; error?: string }
type KnownCheck = Check & { at: number }

const fullTexts: Record<FullReason, string> = {
  failed: 'the journal cannot be written',
  disk: 'the disk is full',
  budget: 'the journal is full until bundles are uploaded and outcomes are taken over',
  'slow-disk': 'the disk does not keep up',
}

const probeEveryMs = 1_000
const patienceMs = 300

export type ReadinessOptions = {
  engine: { label: string; kinds: readonly string[] }
  tiers: readonly TierName[]
  journal: Pick<Journal, 'fullReason'>
  bucket: Pick<Bucket, 'probe'>
  isDraining: () => boolean
}

export class Readiness {
  readonly #options: ReadinessOptions
  #probe: Promise<void> | undefined
  #begunAt = Number.NEGATIVE_INFINITY
  #known: KnownCheck = { ok: false, error: 'the bucket has not answered yet', at: performance.now() }

  constructor(options: ReadinessOptions) {
    this.#options = options
  }

  async report(): Promise<ReadinessReport> {
    const { engine, tiers, isDraining } = this.#options
    const { at, ...bucket } = await this.#bucketCheck()
    const journal = this.#journalCheck()
    const r2 = { ...bucket, ageMs: Math.round(performance.now() - at) }
    const status = isDraining() || !journal.ok ? 'unavailable' : r2.ok ? 'ready' : 'degraded'
    return { status, engine: engine.label, kinds: engine.kinds, tiers, journal, r2 }
  }

  #journalCheck(): Check {
    const reason = this.#options.journal.fullReason
    return reason === undefined ? { ok: true } : { ok: false, error: fullTexts[reason] }
  }

  /** The last known state; a probe that is under way is waited for only shortly, because whoever asks waits shortly, too. */
  async #bucketCheck(): Promise<KnownCheck> {
    if (performance.now() - this.#begunAt >= probeEveryMs) this.#begin()
    await Promise.race([this.#probe, new Promise((resolve) => setTimeout(resolve, patienceMs).unref())])
    return this.#known
  }

  #begin(): void {
    this.#begunAt = performance.now()
    const told = (check: Check) => {
      this.#known = { ...check, at: performance.now() }
    }
    this.#probe = this.#options.bucket.probe().then(
      () => told({ ok: true }),
      () => told({ ok: false, error: 'the bucket does not answer as it should' }),
    )
  }
}
