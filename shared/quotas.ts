// What an account may have, as its page shows it, and what is said to whoever wants more.
import type { AccountPage, QuotaName } from './account.ts'
import { keysPerAccountMax } from './api-key.ts'
import { ProblemError } from './problem.ts'
import { limits } from './tiers.ts'
import { webhooksPerAccountMax } from './webhook.ts'

const quotas: Record<QuotaName, number> = {
  agents: limits.agentsPerAccountMax,
  openBounties: limits.openBountiesPerAccountMax,
  executionsWaiting: limits.executionsWaitingPerAccountMax,
  keys: keysPerAccountMax,
  webhooks: webhooksPerAccountMax,
}

export function quotasOf(used: Record<QuotaName, number>): AccountPage['quotas'] {
  const of = (name: QuotaName) => ({ used: used[name], max: quotas[name] })
  return {
    agents: of('agents'),
    openBounties: of('openBounties'),
    executionsWaiting: of('executionsWaiting'),
    keys: of('keys'),
    webhooks: of('webhooks'),
  }
}

/** @param what in the plural, e.g. `agents` */
export function quotaExceeded(what: string, max: number): ProblemError {
  return new ProblemError('quota-exceeded', { detail: `the account has ${max} ${what}, which is the most it may have` })
}

/** Unlike the others it passes by itself. */
export function tooManyWaiting(): ProblemError {
  const max = limits.executionsWaitingPerAccountMax
  return new ProblemError('too-many-waiting', {
    detail: `the account has ${max} executions that have not ended, which is the most it may have; each that ends leaves its place`,
    retryAfterSeconds: 1,
  })
}
