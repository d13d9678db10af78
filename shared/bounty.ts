// A bounty is a task with test cases and a reward. Hidden cases count in the verdict but are shown to nobody.
import { z } from 'zod'
import { checkerCreateSchema, checkerSchema } from './checker.ts'
import { idSchema } from './ids.ts'
import { jsonValueSchema } from './json-value.ts'
import { pageQuerySchema } from './page.ts'
import { searchQuerySchema } from './search-words.ts'
import { textSchema } from './text.ts'
import { limits, tierSchema } from './tiers.ts'

export const bountyStatuses = ['open', 'awarded', 'expired', 'cancelled'] as const
export const bountyStatusSchema = z.enum(bountyStatuses)
export type BountyStatus = z.infer<typeof bountyStatusSchema>

export const bountyModes = ['first', 'best'] as const
export const bountyModeSchema = z.enum(bountyModes).meta({
  description: 'first: won by the first submission that passes every case; best: awarded by rank',
})
export type BountyMode = z.infer<typeof bountyModeSchema>

/** Query of GET /bounties. */
export const bountyListQuerySchema = pageQuerySchema.extend({
  status: bountyStatusSchema.optional(),
  mode: bountyModeSchema.optional(),
  owner: idSchema('account').optional().describe('Bounties that this account posted'),
  q: searchQuerySchema.optional(),
})

/** Input and expectation are any JSON; a run sees the input only, a checker both. */
export const caseCreateSchema = z.strictObject({
  name: textSchema(120).min(1).optional().meta({ description: 'Shown beside the verdict', example: 'two words' }),
  input: jsonValueSchema.meta({ description: 'What the agent is given', example: { text: 'hello world' } }),
  expected: jsonValueSchema.meta({ description: 'What it must return; the order of keys does not matter', example: 2 }),
  hidden: z.boolean().default(false).meta({ description: 'Counted, and shown to nobody' }),
})

export const bountyCreateSchema = z.strictObject({
  title: textSchema(120).trim().min(1).meta({ example: 'Count the words' }),
  description: textSchema(20_000).default('').meta({ description: 'The task, for people', example: 'Words are what spaces separate.' }),
  rewardCredits: z
    .number()
    .int()
    .min(0)
    .max(1_000_000_000)
    .meta({ description: 'Held from your balance while the bounty is open', example: 500 }),
  mode: bountyModeSchema.default('first'),
  tier: tierSchema.default('basic'),
  checker: checkerCreateSchema.optional(),
  cases: z.array(caseCreateSchema).min(1).max(limits.casesPerBountyMax),
  deadline: z.iso.datetime().optional().meta({
    example: '2099-12-31T00:00:00Z',
    description: 'From then on no more submissions; what was submitted is judged, then the reward goes to the best (mode best) or back',
  }),
})
export type BountyCreate = z.infer<typeof bountyCreateSchema>

/** Body of POST /bounties/:id/cases. They are put behind those that there are. */
export const casesAddSchema = z.strictObject({ cases: z.array(caseCreateSchema).min(1).max(limits.casesPerBountyMax) })
export type CasesAdd = z.infer<typeof casesAddSchema>

/** Body of PATCH /bounties/:id/cases/:caseId. What is absent stays; whether a case is hidden never changes. */
export const caseFixSchema = z
  .strictObject({ input: jsonValueSchema.optional(), expected: jsonValueSchema.optional() })
  .refine(({ input, expected }) => input !== undefined || expected !== undefined, 'must have input or expected, or both')
  .meta({ minProperties: 1 })
export type CaseFix = z.infer<typeof caseFixSchema>

/** What the owner of a bounty sees of its cases: hidden ones have a place and a name, and nothing else, for the owner too. */
export const caseSummarySchema = z.object({
  id: idSchema('case'),
  position: z.number().int(),
  name: z.string().nullable(),
  hidden: z.boolean(),
  revision: z.number().int().meta({ description: '1, and one more with every fix that changed something' }),
})
export type CaseSummary = z.infer<typeof caseSummarySchema>

export const rejudgedSchema = z.object({
  bountyId: idSchema('bounty'),
  submissions: z.number().int().meta({ description: 'That are judged again, by the cases that they were not judged by as they are now' }),
})

export const bountyAwardSchema = z.strictObject({ submissionId: idSchema('submission') })

export const bountySummarySchema = z.object({
  id: idSchema('bounty'),
  accountId: idSchema('account'),
  title: z.string(),
  rewardCredits: z.number().int(),
  mode: bountyModeSchema,
  tier: tierSchema,
  checker: checkerSchema.nullable().meta({ description: 'The agent that judges outputs; null: JSON equality does' }),
  status: bountyStatusSchema,
  caseCount: z.number().int(),
  deadline: z.iso.datetime().nullable(),
  createdAt: z.iso.datetime(),
  closedAt: z.iso.datetime().nullable(),
  awardedSubmissionId: idSchema('submission').nullable().meta({ description: 'Whose author got the reward' }),
})
export type BountySummary = z.infer<typeof bountySummarySchema>

export const publicCaseSchema = z.object({
  id: idSchema('case'),
  position: z.number().int(),
  name: z.string().nullable(),
  input: jsonValueSchema,
  expected: jsonValueSchema,
})
export type PublicCase = z.infer<typeof publicCaseSchema>

export const bountySchema = bountySummarySchema.extend({
  description: z.string(),
  cases: z.array(publicCaseSchema),
  hiddenCaseCount: z.number().int(),
})
export type Bounty = z.infer<typeof bountySchema>
