// What an account ran, and what its balance did, by day: the two halves lie in different stores.
import type { DayUsage } from '../../shared/day-usage.ts'
import type { ExecutionStore, LedgerStore } from '../../shared/ports.ts'
import type { Services } from '../services.ts'

const dayMs = 86_400_000

/** Today and the days before it (UTC), newest first; days without anything are left out. */
export async function readUsage(
  { executions, ledger, now }: Pick<Services, 'executions' | 'ledger' | 'now'>,
  { accountId, days }: { accountId: string; days: number },
): Promise<DayUsage[]> {
  const from = new Date(now() - (days - 1) * dayMs).toISOString().slice(0, 10)
  const [ran, spent] = await Promise.all([executions.usageByDay(accountId, { from }), ledger.byDay(accountId, { from })])
  return mergedDays(ran, spent)
}

type Ran = Awaited<ReturnType<ExecutionStore['usageByDay']>>
type Spent = Awaited<ReturnType<LedgerStore['byDay']>>

function mergedDays(ran: Ran, spent: Spent): DayUsage[] {
  const nothing = { executions: 0, fuel: 0, wallMicros: 0, costMicroUsd: 0, creditsIn: 0, creditsOut: 0 }
  const days = new Map<string, DayUsage>()
  for (const part of [...ran, ...spent]) days.set(part.day, { ...nothing, ...days.get(part.day), ...part })
  return [...days.values()].toSorted((a, b) => (a.day < b.day ? 1 : -1))
}
