// What admission promises whatever comes, on a small model of the engine: all that has begun gets its slices in turn, on `threads` threads.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Admission } from '../../sandbox-host/admission.ts'
import type { AdmissionLimits } from '../../sandbox-host/admission-limits.ts'
import { looseLimits } from '../fakes/loose-limits.ts'
import { testClock } from '../fakes/test-clock.ts'

/** `work` in slices of a millisecond. */
type Job = { accountId: string; atMs: number; work: number; memoryBytes: number; heldBytes: number }
type Ended = Job & { began: number; ended: number; outcome: 'ran' | 'refused' }

const settled = () => new Promise((resolve) => setImmediate(resolve))

class Model {
  readonly ended: Ended[] = []
  /** Slices that each account had. */
  readonly served = new Map<string, number>()
  readonly #limits: AdmissionLimits
  readonly #clock = testClock()
  readonly #admission: Admission
  #turns: { left: number; accountId: string; end: () => void }[] = []
  #open = 0

  constructor(limits: AdmissionLimits) {
    this.#limits = limits
    this.#admission = new Admission(limits, { observer: { began: () => {}, turnedAway: () => {} }, clock: this.#clock })
  }

  get now(): number {
    return this.#clock.now() - 1_000
  }

  submit(job: Job): void {
    this.#open++
    void this.#run(job).then((fate) => {
      this.#open--
      return this.ended.push({ ...job, ...fate, ended: this.now })
    })
  }

  async #run({ accountId, memoryBytes, heldBytes, work }: Job): Promise<Pick<Ended, 'outcome' | 'began'>> {
    const request = { accountId, runClass: 'execution' as const, memoryBytes, heldBytes, waitMsMax: 1e9 }
    const slot = await this.#admission.admit(request).catch(() => undefined)
    if (!slot) return { outcome: 'refused', began: Number.NaN }
    const began = this.now
    await new Promise<void>((resolve) => {
      const end = () => {
        slot.release()
        resolve()
      }
      this.#turns.push({ left: work, accountId, end })
    })
    return { outcome: 'ran', began }
  }

  /** Lets a millisecond pass: one slice for each thread, to whoever has waited longest for it. */
  async tick(): Promise<void> {
    await settled()
    const sliced = this.#turns.splice(0, this.#limits.threads)
    this.#clock.advance(1)
    for (const turn of sliced) {
      this.served.set(turn.accountId, (this.served.get(turn.accountId) ?? 0) + 1)
      if (--turn.left > 0) this.#turns.push(turn)
      else turn.end()
    }
    await settled()
    this.check()
  }

  check(): void {
    const { queued, queuedBytes, running, memoryBytesReserved } = this.#admission.stats()
    const { queueMax, queueBytesMax, runningMax, memoryBytesBudget } = this.#limits
    expect(queued).toBeLessThanOrEqual(queueMax)
    expect(queuedBytes).toBeLessThanOrEqual(queueBytesMax)
    expect(running).toBeLessThanOrEqual(runningMax)
    expect(memoryBytesReserved).toBeLessThanOrEqual(memoryBytesBudget)
  }

  async play(jobs: Job[], ticksMax: number): Promise<void> {
    const waiting = jobs.toSorted((a, b) => b.atMs - a.atMs)
    for (let tick = 0; tick < ticksMax && (waiting.length > 0 || this.#open > 0); tick++) {
      while ((waiting.at(-1)?.atMs ?? Infinity) <= this.now) {
        const job = waiting.pop()
        if (job) this.submit(job)
        this.check()
      }
      await this.tick()
    }
  }
}

const small: AdmissionLimits = {
  ...looseLimits,
  memoryBytesBudget: 16,
  threads: 2,
  runningMax: 8,
  accountRunningMax: 4,
  queueMax: 12,
  accountQueueMax: 8,
  queueBytesMax: 40,
}
const jobs = (accounts: string[]) =>
  fc.array(
    fc.record({
      accountId: fc.constantFrom(...accounts),
      atMs: fc.nat(60),
      work: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 40 })),
      memoryBytes: fc.constantFrom(1, 1, 4, 16),
      heldBytes: fc.nat(12),
    }),
    { maxLength: 60 },
  )

describe('whatever comes', () => {
  test('every bound holds at every moment, each run ends or is refused, once, and nothing is left', async () => {
    await fc.assert(
      fc.asyncProperty(jobs(['a', 'b', 'c', 'd']), async (given) => {
        const model = new Model(small)
        await model.play(given, 5_000)
        expect(model.ended).toHaveLength(given.length)
      }),
      { numRuns: 60 },
    )
  })

  test('no thread is idle while something waits that fits', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 4, maxLength: 20 }), async (works) => {
        const model = new Model({ ...small, queueMax: 100, accountQueueMax: 100, queueBytesMax: 1e6 })
        await model.play(
          works.map((work) => ({ accountId: 'a', atMs: 0, work, memoryBytes: 1, heldBytes: 0 })),
          1_000,
        )
        const total = works.reduce((sum, work) => sum + work, 0)
        const longest = Math.max(...works)
        // Two threads share the work; at the end the longest run is alone.
        expect(model.now).toBeLessThanOrEqual(Math.ceil(total / 2) + longest)
      }),
      { numRuns: 40 },
    )
  })
})

describe('fairness', () => {
  test('of accounts that always have work waiting, none gets less than its part by more than what others may have begun', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 3, maxLength: 3 }), async (works) => {
        const model = new Model({ ...small, memoryBytesBudget: 1e6, queueMax: 1e4, accountQueueMax: 1e4, queueBytesMax: 1e6 })
        const ticks = 600
        const backlog = works.flatMap((work, i) => {
          const job = { accountId: `account-${i}`, atMs: 0, work, memoryBytes: 1, heldBytes: 0 }
          return Array.from({ length: Math.ceil((ticks * 2) / work) }, () => job)
        })
        await model.play(backlog, ticks)
        const part = (ticks * small.threads) / works.length
        const slack = small.accountRunningMax * Math.max(...works) * 2
        for (let i = 0; i < works.length; i++) expect(model.served.get(`account-${i}`)).toBeGreaterThanOrEqual(part - slack)
      }),
      { numRuns: 20 },
    )
  })

  test('a large run begins after a bounded number of small ones, however many come', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 6 }), async (work, accounts) => {
        const model = new Model({ ...small, queueMax: 1e4, accountQueueMax: 1e4, queueBytesMax: 1e6 })
        const flood = Array.from({ length: 400 }, (_, i) => {
          return { accountId: `small-${i % accounts}`, atMs: Math.floor(i / 8), work, memoryBytes: 1, heldBytes: 0 }
        })
        await model.play([{ accountId: 'large', atMs: 5, work: 1, memoryBytes: 16, heldBytes: 0 }, ...flood], 10_000)
        const large = model.ended.find(({ accountId }) => accountId === 'large')
        const before = model.ended.filter(({ began, atMs }) => began < (large?.began ?? 0) && began >= 5 && atMs >= 0)
        expect(large?.outcome).toBe('ran')
        // Those that pass it, and what is in its way when nothing passes any more.
        expect(before.length).toBeLessThanOrEqual(16 + small.runningMax)
      }),
      { numRuns: 20 },
    )
  })

  test("one account's endless loops leave another one's short runs their place: each begins at once", async () => {
    const model = new Model({ ...small, queueMax: 1e4, accountQueueMax: 1e4, queueBytesMax: 1e6, memoryBytesBudget: 64 })
    const loops = Array.from({ length: 20 }, () => ({ accountId: 'loud', atMs: 0, work: 100_000, memoryBytes: 4, heldBytes: 0 }))
    const short = Array.from({ length: 200 }, (_, i) => ({ accountId: 'quiet', atMs: 10 + i * 3, work: 1, memoryBytes: 4, heldBytes: 0 }))
    await model.play([...loops, ...short], 700)
    const ran = model.ended.filter(({ accountId }) => accountId === 'quiet')
    expect(ran).toHaveLength(200)
    expect(Math.max(...ran.map(({ began, atMs }) => began - atMs))).toBeLessThanOrEqual(1)
    expect(model.ended.filter(({ accountId }) => accountId === 'loud')).toEqual([])
  })
})
