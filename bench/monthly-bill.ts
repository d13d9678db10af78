// What a month costs, from what one execution takes: what is paid whatever happens, what each execution adds at list price, and the bill, in
// which plans include something. Pure arithmetic over shared/prices.ts.
import { costOf, totalOf, type Quantities } from '../shared/execution-cost.ts'
import { flySharedCpuShare, prices, type Price, type PriceName } from '../shared/prices.ts'

/** A month is 30 days, as Fly counts. */
const monthSeconds = 30 * 86_400
const cronsPerMonth = monthSeconds / 60
/** The cron asks the database each minute, so that it never sleeps; the smallest compute is a quarter of a unit. */
const neonUnitsMin = 0.25
/** A machine is not planned fuller than this. */
const fullest = 0.7

export type MonthlyBill = {
  executions: number
  /** Dollars a month, whatever happens. */
  fixed: Record<'workersPlan' | 'machines' | 'volume' | 'neonCompute', number>
  fixedUsd: number
  machines: number
  /** Dollars that the executions add at list price, without what plans include. */
  marginalUsd: number
  /** Fixed, and what is left of the rest when plans have given what they include. */
  billUsd: number
  perThousandUsd: number
}

export function monthlyBill(executions: number, each: Quantities): MonthlyBill {
  const machines = Math.max(1, Math.ceil((executions * each.hostCpuMs) / 1_000 / (monthSeconds * flySharedCpuShare * fullest)))
  const neonUnits = Math.max(neonUnitsMin, (executions * each.neonCpuMs) / 1_000 / (monthSeconds * fullest))
  const fixed = {
    workersPlan: prices.workersPlanMonth.usd,
    machines: machines * prices.flyMachineMonth.usd,
    volume: machines * prices.flyVolumeGbMonth.usd,
    neonCompute: neonUnits * prices.neonComputeHour.usd * (monthSeconds / 3_600),
  }
  const fixedUsd = Object.values(fixed).reduce((sum, usd) => sum + usd, 0)
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
  const billUsd = fixedUsd + charged
  return {
    executions,
    fixed,
    fixedUsd,
    machines,
    marginalUsd: (executions * totalOf(costOf(each))) / 1e6,
    billUsd,
    perThousandUsd: (billUsd / executions) * 1_000,
  }
}

function beyond(name: PriceName, quantity: number): number {
  const { usd, per, included = 0 }: Price = prices[name]
  return (Math.max(0, quantity - included) / per) * usd
}
