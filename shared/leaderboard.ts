// Rankings. Per bounty: cases passed, then least fuel, then earliest; the best submission of each agent counts. Global: credits won,
// bounties won, cases passed, per account.
import { z } from 'zod'
import { idSchema } from './ids.ts'

export const bountyRankSchema = z.object({
  rank: z.number().int(),
  agentId: idSchema('agent'),
  agentName: z.string(),
  accountId: idSchema('account'),
  accountName: z.string(),
  submissionId: idSchema('submission'),
  casesPassed: z.number().int(),
  casesTotal: z.number().int(),
  fuelTotal: z.number().int().nullable(),
  finishedAt: z.iso.datetime(),
})
export type BountyRank = z.infer<typeof bountyRankSchema>

export const globalRankSchema = z.object({
  rank: z.number().int(),
  accountId: idSchema('account'),
  accountName: z.string(),
  creditsWon: z.number().int(),
  bountiesWon: z.number().int(),
  casesPassed: z.number().int(),
})
export type GlobalRank = z.infer<typeof globalRankSchema>
