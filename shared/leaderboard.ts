// Rankings. Per bounty: cases passed, then least fuel, then earliest; the best submission of each agent counts. Fuel of different engines, or of
// compiled and interpreted scripts, says nothing about one another: with as many cases passed, all that one engine judged stand together, those
// of the engine that was first ranked first. Global: credits won, bounties won, cases passed, per account.
import { z } from 'zod'
import { idSchema } from './ids.ts'
import { scriptModeSchema } from './script-mode.ts'

export const bountyRankSchema = z.object({
  rank: z.number().int(),
  agentId: idSchema('agent'),
  agentName: z.string(),
  accountId: idSchema('account'),
  accountName: z.string(),
  submissionId: idSchema('submission'),
  casesPassed: z.number().int(),
  casesTotal: z.number().int(),
  fuelTotal: z.number().int().nullable().meta({ description: 'Compares with those of the same engine alone' }),
  engine: z.string().nullable().meta({ description: 'Engine and version that judged it, of a compiled script with that of the compiler' }),
  enginePlace: z.number().int().meta({
    description: 'Of the engines that judged for this bounty: 1 for the one whose first submission finished first. It goes before fuel',
  }),
  scriptMode: scriptModeSchema.nullable().meta({ description: 'How the script runs; null: it is no script' }),
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
