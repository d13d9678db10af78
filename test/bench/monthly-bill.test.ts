import { expect, test } from 'vitest'
import { monthlyBill, type MonthlyBill } from '../../bench/monthly-bill.ts'
import { nothing } from '../../shared/execution-cost.ts'

test('a month without executions costs what is always there', () => {
  const { fixed, fixedUsd, billUsd, marginalUsd, machines } = monthlyBill(0, nothing)
  // Six looks of the cron and two beats a day wake a quarter of a compute unit for five minutes, at $0.106 an hour; 43,200 crons ask Redis.
  expect(fixed).toEqual({
    workersPlan: 5,
    machines: 3.69,
    volume: 0.15,
    neonCompute: expect.closeTo(240 * (5 / 60) * 0.25 * 0.106, 9),
    redisCommands: expect.closeTo(0.0864, 9),
  })
  expect([machines, billUsd, marginalUsd]).toEqual([1, fixedUsd, 0])
  expect(fixedUsd).toBeLessThan(10)
})

test('executions keep the database awake for six minutes each, and no more than all the time', () => {
  const fixed = 20 * 0.25 * 0.106
  const alone = monthlyBill(1_000, nothing).neonAwakeUsd + fixed
  // Nearly none comes within another's six minutes: 100 hours, less those.
  expect(alone).toBeGreaterThan(90 * 0.25 * 0.106)
  expect(alone).toBeLessThan(100 * 0.25 * 0.106)
  expect(monthlyBill(1e8, nothing).neonAwakeUsd + fixed).toBeCloseTo(720 * 0.25 * 0.106, 6)
  expect(monthlyBill(1e8, nothing, 176).neonAwakeUsd + fixed).toBeCloseTo(176 * 0.25 * 0.106, 6)
  // Where the CPU is what is needed, the compute grows with it, at seven tenths of what it has.
  expect(monthlyBill(1e8, { ...nothing, neonCpuMs: 20 }).neonAwakeUsd + fixed).toBeCloseTo((2e9 / 3_600_000 / 0.7) * 0.106, 6)
})

test('what a plan includes is not charged; what is beyond it is, at list price', () => {
  const each = { ...nothing, workerRequests: 1 }
  // Ten million are included, of which the cron takes 43,200.
  expect(monthlyBill(9_956_800, each)).toMatchObject({ marginalUsd: expect.closeTo(2.987, 3) })
  const charged = ({ billUsd, fixedUsd, neonAwakeUsd }: MonthlyBill) => billUsd - fixedUsd - neonAwakeUsd
  expect(charged(monthlyBill(9_956_800, each))).toBeCloseTo(0, 9)
  expect(charged(monthlyBill(10_956_800, each))).toBeCloseTo(0.3, 9)
})

test('machines are as many as the CPU time needs, at seven tenths of what each may use', () => {
  // 2,592,000 s, a sixteenth of them, seven tenths: 113,400 s of CPU time.
  expect(monthlyBill(113_400_000, { ...nothing, hostCpuMs: 1 }).machines).toBe(1)
  expect(monthlyBill(113_400_001, { ...nothing, hostCpuMs: 1 }).machines).toBe(2)
})
