// A submission as those see it who judge it.
import type { Program } from './agent.ts'
import type { BountyMode } from './bounty.ts'
import type { Verdict } from './execution.ts'
import type { Submission } from './submission.ts'
import type { TierName } from './tiers.ts'

/** What judging takes. `turn` is the taker's; `attempts` counts this one. */
export type TakenJudging = Pick<Submission, 'id' | 'bountyId' | 'agentId' | 'accountId' | 'version'> & {
  turn: number
  mode: BountyMode
  tier: TierName
  program: Program
  /** Of the bounty's checker. */
  checker: Program | undefined
  stopAtFirstFailure: boolean
  attempts: number
  waits: number
  waitingSince: string | null
}
export type DueJudging = Pick<TakenJudging, 'id' | 'turn' | 'attempts' | 'bountyId' | 'mode'>
/** A case's verdict, and the revision of it that was judged. */
export type RevisedVerdict = Verdict & { revision: number }
