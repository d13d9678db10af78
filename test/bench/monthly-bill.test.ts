import { expect, test } from 'vitest'
import { monthlyBill } from '../../bench/monthly-bill.ts'
import { nothing } from '../../shared/execution-cost.ts'

test('a month without executions costs what is always there', () => {
  const { fixed, fixedUsd, billUsd, marginalUsd, machines } = monthlyBill(1, nothing)
  // A quarter of a compute unit for 720 hours at $0.106.
  expect(fixed).toEqual({ workersPlan: 5, machines: 3.69, volume: 0.15, neonCompute: 0.25 * 720 * 0.106 })
  expect([machines, billUsd, marginalUsd]).toEqual([1, fixedUsd, 0])
})

test('what a plan includes is not charged; what is beyond it is, at list price', () => {
  const each = { ...nothing, workerRequests: 1 }
  // Ten million are included, of which the cron takes 43,200.
  expect(monthlyBill(9_956_800, each)).toMatchObject({ billUsd: monthlyBill(1, each).fixedUsd, marginalUsd: expect.closeTo(2.987, 3) })
  const { billUsd, fixedUsd } = monthlyBill(10_956_800, each)
  expect(billUsd - fixedUsd).toBeCloseTo(0.3, 9)
})

test('machines are as many as the CPU time needs, at seven tenths of what each may use', () => {
  // 2,592,000 s, a sixteenth of them, seven tenths: 113,400 s of CPU time.
  expect(monthlyBill(113_400_000, { ...nothing, hostCpuMs: 1 }).machines).toBe(1)
  expect(monthlyBill(113_400_001, { ...nothing, hostCpuMs: 1 }).machines).toBe(2)
})
