import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { costOf, executionCostMicroUsd, executionQuantities, nothing, totalOf, unitCosts } from '../../shared/execution-cost.ts'
import { executionUsageSchema } from '../../shared/execution.ts'
import type { MeteredExecution, Quantity } from '../../shared/execution-cost.ts'

const noop: MeteredExecution = { wallMicros: 30, memoryBytesPeak: 1_507_328, textBytes: 7, artifactBytes: 0 }
const estimate = (more: Partial<MeteredExecution> = {}) => executionCostMicroUsd({ ...noop, ...more })

describe('what one of each costs, in millionths of a dollar', () => {
  // Worked out by hand from the price lists, so that a slip in a unit shows.
  const known: Record<Quantity, number> = {
    workerRequests: 0.3,
    workerCpuMs: 0.02,
    workerLogEvents: 0.6,
    queueOperations: 0.4,
    redisCommands: 2,
    r2Writes: 4.5,
    r2Reads: 0.36,
    // 15,000 for 10^9 bytes in a month
    r2Bytes: 0.000_015,
    // 106,000 for 3,600,000 ms
    neonCpuMs: 0.029_444,
    // 350,000 for 10^9 bytes in a month
    neonBytes: 0.000_35,
    // 3,690,000 for 2,592,000 s of which 6.25 % are CPU time
    hostCpuMs: 0.022_778,
    // 6,000,000 for 10^9 bytes over 2,592,000,000 ms
    hostMemoryByteMs: 2.3148e-12,
    // 20,000 for 10^9 bytes
    hostEgressBytes: 0.000_02,
  }
  test.each(Object.entries(known))('%s', (name, cost) => {
    // The keys of the table are quantities.
    expect(unitCosts[name as Quantity] / cost).toBeCloseTo(1, 3)
  })
})

test('costs of quantities are their sum', () => {
  expect(totalOf(costOf(nothing))).toBe(0)
  expect(totalOf(costOf({ ...nothing, workerRequests: 2, r2Writes: 1 }))).toBeCloseTo(5.1, 12)
})

describe('the estimate of an execution', () => {
  test('of a program that does nothing is below the promise of three millionths', () => {
    expect(estimate()).toBeGreaterThan(0.6)
    expect(estimate()).toBeLessThan(3)
  })

  test('knows time, memory, bytes and artifacts', () => {
    const second = 1_000_000
    expect(estimate({ wallMicros: second }) - estimate({ wallMicros: 0 })).toBeCloseTo(1_000 * unitCosts.hostCpuMs, 1)
    const held = { wallMicros: second, memoryBytesPeak: 128 * 2 ** 20 }
    expect(estimate(held) - estimate({ ...held, memoryBytesPeak: 0 })).toBeCloseTo(0.311, 2)
    expect(estimate({ textBytes: noop.textBytes + 10_000 }) - estimate()).toBeCloseTo(3.9, 2)
    expect(estimate({ artifactBytes: 1 }) - estimate()).toBeGreaterThan(4.5)
    expect(executionQuantities({ ...noop, artifactBytes: 1 }).r2Writes).toBe(1)
  })

  test('is whole billionths of a dollar, the same for the same figures, and never less for more', () => {
    const count = fc.integer({ min: 0, max: 2 ** 33 })
    const metered = fc.record({ wallMicros: count, memoryBytesPeak: count, textBytes: count, artifactBytes: count })
    fc.assert(
      fc.property(metered, metered, (one, more) => {
        const cost = executionCostMicroUsd(one)
        expect(executionCostMicroUsd({ ...one })).toBe(cost)
        expect(Math.round(cost * 1_000) / 1_000).toBe(cost)
        const sum = {
          wallMicros: one.wallMicros + more.wallMicros,
          memoryBytesPeak: one.memoryBytesPeak + more.memoryBytesPeak,
          textBytes: one.textBytes + more.textBytes,
          artifactBytes: one.artifactBytes + more.artifactBytes,
        }
        expect(executionCostMicroUsd(sum)).toBeGreaterThanOrEqual(cost)
      }),
    )
  })
})

test('an execution from before there were estimates has none', () => {
  const usage = { fuel: 1, wallMicros: 1, memoryBytesPeak: 1 }
  expect(executionUsageSchema.parse(usage)).toEqual({ ...usage, costMicroUsd: null })
})
