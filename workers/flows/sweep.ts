// All that the cron does, unless there can be nothing to do (sweep-rest.ts).
import type { Services } from '../services.ts'
import { sweepWebhooks } from './deliver-webhooks.ts'
import { sweepBounties } from './sweep-bounties.ts'
import { sweepDeadLetters } from './sweep-dead-letters.ts'
import { sweepExecutions } from './sweep-executions.ts'
import { sweepJudgings } from './sweep-judgings.ts'
import { sweepStorage } from './sweep-storage.ts'

/** @throws the first error of a sweep, after all were tried */
export async function sweep(services: Services): Promise<void> {
  const hasSwept = await services.sweepRest.sweep(async () => {
    // Each has its own reasons to fail, and none of them may keep the others from theirs.
    const swept = [
      ...(await Promise.allSettled([sweepJudgings(services), sweepExecutions(services), sweepBounties(services)])),
      ...(await Promise.allSettled([sweepWebhooks(services), sweepDeadLetters(services), sweepStorage(services)])),
    ]
    for (const one of swept) if (one.status === 'rejected') throw one.reason
  })
  services.counters.add('sweeps_total', { outcome: hasSwept ? 'swept' : 'rested' })
}
