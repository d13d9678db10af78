// Settles bounties whose deadline has passed. Fired by a cron; may run twice at once and break off anywhere: each bounty is one statement that
// does nothing to a bounty that is closed already, and what is left is found by the next run.
import type { Services } from '../services.ts'
import { errorText } from '../log.ts'
import { announceBounty } from './announce.ts'
import { forgetBounty } from './forget-bounty.ts'

/** Of one run. At 10 ms each this is a second, and a backlog of any size is gone after as many minutes as it has hundreds. */
const bountiesMax = 100
/**
 * What was submitted in time is waited for this long: as a host that is away is (judge-submission.ts), and ten minutes for the judging. One that
 * goes on longer ends as if there were no deadline, and wins nothing.
 */
const judgingMsMax = 4_200_000

/** @returns how many it closed; throws the last error when some could not be, after it has tried them all */
export async function sweepBounties(services: Services): Promise<number> {
  const { settlements, log, now } = services
  const at = () => new Date(now()).toISOString()
  let settledCount = 0
  let failure: { error: unknown } | undefined
  for (const bountyId of await settlements.findDue({ at: at(), judgingMsMax, limit: bountiesMax })) {
    try {
      const settled = await settlements.settle(bountyId, { at: at() })
      if (!settled) continue
      await forgetBounty(services, bountyId)
      announceBounty(services, settled)
      settledCount++
      const { status, awardedSubmissionId: submissionId, rewardCredits: credits } = settled
      log.info('bounty settled', { bountyId, status, submissionId, credits })
    } catch (error) {
      // One bounty must not keep the others from their authors.
      log.error('bounty not settled', { bountyId, error: errorText(error) })
      failure = { error }
    }
  }
  if (failure) throw failure.error
  return settledCount
}
