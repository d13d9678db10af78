// What a month costs, from what one execution takes: what is paid whatever happens, what each execution adds at list price, and the bill, in
// which plans include something. Pure arithmetic over shared/prices.ts.
import { costOf, totalOf, type Quantities } from '../shared/execution-cost.ts'
import { restAfterMs, restBeatMs } from '../shared/host.ts'
import { flySharedCpuShare, prices, type Price, type PriceName } from '../shared/prices.ts'
import { restMsMax } from '../workers/sweep-rest.ts'

/** A month is 30 days, as Fly counts. */
const monthSeconds = 30 * 86_400
const cronsPerMonth = monthSeconds / 60
/** The smallest compute is a quarter of a unit. */
const neonUnitsMin = 0.25
/** Neon sleeps when it was asked nothing for so long: https://neon.com/docs/introduction/scale-to-zero */
const neonSleepsAfterSeconds = 300
/** What wakes it when nobody calls: the looks of a cron that rests, and the beats of a host that does. Each at a time of its own. */
const neonIdleHours = (((monthSeconds / restMsMax) * 1_000 + (monthSeconds / restBeatMs) * 1_000) * neonSleepsAfterSeconds) / 3_600
/** An execution that comes alone keeps it awake for so long: the host beats for a while. */
const neonAwakeSeconds = restAfterMs / 1_000 + neonSleepsAfterSeconds
/** A machine is not planned fuller than this. */
const fullest = 0.7

export type MonthlyBill = {
  executions: number
  /** Dollars a month, whatever happens. */
  fixed: Record<'workersPlan' | 'machines' | 'volume' | 'neonCompute' | 'redisCommands', number>
  fixedUsd: number
  machines: number
  /** Dollars for as long as the executions keep Neon awake, beyond what is fixed. */
  neonAwakeUsd: number
  /** Dollars that the executions add at list price, without what plans include. */
  marginalUsd: number
  /** Fixed, and what is left of the rest when plans have given what they include. */
  billUsd: number
  perThousandUsd: number
}

/** @param hours of the month in which they come, at random; all of it is the dearest */
export function monthlyBill(executions: number, each: Quantities, hours = monthSeconds / 3_600): MonthlyBill {
  const machines = Math.max(1, Math.ceil((executions * each.hostCpuMs) / 1_000 / (monthSeconds * flySharedCpuShare * fullest)))
  const awakeHours = hours * (1 - Math.exp((-executions / (hours * 3_600)) * neonAwakeSeconds))
  const idleUnitHours = neonIdleHours * neonUnitsMin
  const usedUnitHours = Math.max(awakeHours * neonUnitsMin, (executions * each.neonCpuMs) / 3_600_000 / fullest)
  const fixed = {
    workersPlan: prices.workersPlanMonth.usd,
    machines: machines * prices.flyMachineMonth.usd,
    volume: machines * prices.flyVolumeGbMonth.usd,
    neonCompute: idleUnitHours * prices.neonComputeHour.usd,
    // Each firing of the cron is one command, whether or not there is anything to do.
    redisCommands: (cronsPerMonth * prices.redisCommand.usd) / prices.redisCommand.per,
  }
  const fixedUsd = Object.values(fixed).reduce((sum, usd) => sum + usd, 0)
  // Who is awake anyway needs no waking.
  const neonAwakeUsd = Math.max(0, usedUnitHours - idleUnitHours) * prices.neonComputeHour.usd
  const charged =
    beyond('workerRequest', executions * each.workerRequests + cronsPerMonth) +
    beyond('workerCpuMs', executions * each.workerCpuMs) +
    beyond('workerLogEvent', executions * each.workerLogEvents) +
    beyond('queueOperation', executions * each.queueOperations) +
    beyond('redisCommand', executions * each.redisCommands) +
    beyond('r2Write', executions * each.r2Writes) +
    beyond('r2Read', executions * each.r2Reads) +
    beyond('r2GbMonth', (executions * each.r2Bytes) / 1e9) +
    beyond('neonGbMonth', (executions * each.neonBytes) / 1e9) +
    beyond('flyEgressGb', (executions * each.hostEgressBytes) / 1e9)
  const billUsd = fixedUsd + neonAwakeUsd + charged
  return {
    executions,
    fixed,
    fixedUsd,
    machines,
    neonAwakeUsd,
    marginalUsd: (executions * totalOf(costOf(each))) / 1e6,
    billUsd,
    perThousandUsd: (billUsd / executions) * 1_000,
  }
}

function beyond(name: PriceName, quantity: number): number {
  const { usd, per, included = 0 }: Price = prices[name]
  return (Math.max(0, quantity - included) / per) * usd
}
