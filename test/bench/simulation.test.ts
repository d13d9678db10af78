// The simulation against what is known of queues, and against itself.
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { plannedArrivals, uniform } from '../../bench/simulation/arrivals.ts'
import { simulate, type Arrival, type Simulation } from '../../bench/simulation/simulate.ts'

const programs = Array.from({ length: 50 }, (_, n) => createHash('sha256').update(`p${n}`).digest('hex'))
const hostIds = ['a-1', 'b-2', 'c-3']
const model = { threads: 1, queueMax: 10_000, programsMax: 100, compileMs: 0, loadMs: 0 }
const plan = { seed: 3, perSecond: 100, endMs: 60_000, programs: 50, serviceMsMean: 10, serviceSigma: 0.5 }
const base: Omit<Simulation, 'arrivals'> = { hostIds, model, programs, isolates: 2, warmUpMs: 0, endMs: 60_000 }

/** One program, exponential between arrivals and on the thread. */
function* markovian(busy: number, endMs: number): Generator<Arrival> {
  const random = uniform(11)
  const exponential = (mean: number) => -Math.log(1 - random()) * mean
  for (let atMs = exponential(10); atMs < endMs; atMs += exponential(10)) yield { atMs, program: 0, serviceMs: exponential(10 * busy) }
}

describe('one host is the queue M/M/1', () => {
  test.each([0.5, 0.8])('%f busy', async (busy) => {
    const endMs = 450_000
    const { waitMsP90, waitMsP99, utilisation, executions } = await simulate({
      ...base,
      hostIds: ['only-1'],
      arrivals: markovian(busy, endMs),
      warmUpMs: 10_000,
      endMs,
    })
    // P(wait > t) = busy exp(-(1 - busy) t / service), https://en.wikipedia.org/wiki/M/M/1_queue
    const waitMs = (q: number) => ((10 * busy) / (1 - busy)) * Math.log(busy / (1 - q))
    expect(executions).toBeGreaterThan(40_000)
    expect(utilisation / busy).toBeCloseTo(1, 1)
    expect(waitMsP90 / waitMs(0.9)).toBeCloseTo(1, 0.7)
    expect(waitMsP99 / waitMs(0.99)).toBeCloseTo(1, 0.7)
  })
})

test('the same seed gives the same figures, another one others', async () => {
  const run = (seed: number) => simulate({ ...base, arrivals: plannedArrivals({ ...plan, seed }) })
  const [first, again, other] = [await run(1), await run(1), await run(2)]
  expect(again).toEqual(first)
  expect(other).not.toEqual(first)
})

test('placed by its hash a program is warm; by chance it is warm where memory is enough for all', async () => {
  const small = { ...base, model: { ...model, programsMax: 20 } }
  const arrivals = () => plannedArrivals({ ...plan, perSecond: 20 })
  const placed = await simulate({ ...small, arrivals: arrivals() })
  const scattered = await simulate({ ...small, arrivals: arrivals(), isPlacedByChance: true })
  expect(placed.warmShare).toBeGreaterThan(0.97)
  expect(scattered.warmShare).toBeLessThan(0.9)
})

test('a host that dies loses nobody, and what it had begun is begun once more', async () => {
  const dead = await simulate({ ...base, arrivals: plannedArrivals(plan), death: { atMs: 30_000, host: 1, awayMs: 20_000 } })
  expect(dead.failed).toBe(0)
  expect(dead.begunTwice).toBeLessThanOrEqual(model.threads)
  expect(dead.windows).toHaveLength(7)
})

test('a fleet that is too small says no, and does not wait for ever', async () => {
  const full = { ...base, model: { ...model, queueMax: 5 }, arrivals: plannedArrivals({ ...plan, perSecond: 500 }) }
  const { failed, executions, waitMsMax } = await simulate(full)
  expect(failed / executions).toBeGreaterThan(0.3)
  expect(waitMsMax).toBeLessThan(1_000)
})
