// What an account may have, as its page shows it, and what is said to whoever wants more.
import type { AccountPage, QuotaName } from './account.ts'
import { keysPerAccountMax } from './api-key.ts'
import { ProblemError } from './problem.ts'
import { limits } from './tiers.ts'
import { webhooksPerAccountMax } from './webhook.ts'

const quotas: Record<QuotaName, number> = {
  agents: limits.agentsPerAccountMax,
  openBounties: limits.openBountiesPerAccountMax,
  keys: keysPerAccountMax,
  webhooks: webhooksPerAccountMax,
}

export function quotasOf(used: Record<QuotaName, number>): AccountPage['quotas'] {
  const of = (name: QuotaName) => ({ used: used[name], max: quotas[name] })
  return { agents: of('agents'), openBounties: of('openBounties'), keys: of('keys'), webhooks: of('webhooks') }
}

/** @param what in the plural, e.g. `agents` */
export function quotaExceeded(what: string, max: number): ProblemError {
  return new ProblemError('quota-exceeded', { detail: `the account has ${max} ${what}, which is the most it may have` })
}
