// Bounties and their cases in Postgres. Inputs and expectations travel as JSON text both ways. The escrow is filled by the database itself,
// when it takes the bounty's row (migrations/0005-ledger.sql).
import { z } from 'zod'
import { bountyModeSchema, bountyStatusSchema, publicCaseSchema } from '../../shared/bounty.ts'
import type { BountyStore } from '../../shared/ports.ts'
import { quotaExceeded } from '../../shared/quotas.ts'
import { searchWords } from '../../shared/search-words.ts'
import { limits, tierSchema } from '../../shared/tiers.ts'
import { keysetPage, type KeysetFilter } from './keyset-page.ts'
import { isViolation, type Database } from './neon.ts'
import { insufficientCredits } from './neon-ledger.ts'
import { bigintSchema, instantSchema } from './neon-rows.ts'

const postedColumns = `id, account_id, title, reward_credits, mode, tier, status, case_count, deadline, created_at,
  checker_agent_id, checker_version`
export const bountyColumns = `${postedColumns}, closed_at, awarded_submission_id`

const summaryShape = z.object({
  id: z.string(),
  account_id: z.string(),
  title: z.string(),
  reward_credits: bigintSchema,
  mode: bountyModeSchema,
  tier: tierSchema,
  status: bountyStatusSchema,
  case_count: z.number(),
  deadline: instantSchema.nullable(),
  created_at: instantSchema,
  closed_at: instantSchema.nullable(),
  awarded_submission_id: z.string().nullable(),
  checker_agent_id: z.string().nullable(),
  checker_version: z.number().nullable(),
})
export const bountyRowSchema = summaryShape.transform(summaryOf)

function summaryOf(row: z.infer<typeof summaryShape>) {
  const {
    account_id,
    reward_credits,
    case_count,
    created_at,
    closed_at,
    awarded_submission_id,
    checker_agent_id,
    checker_version,
    ...rest
  } = row
  const [rewardCredits, caseCount, awardedSubmissionId] = [reward_credits, case_count, awarded_submission_id]
  const [createdAt, closedAt] = [created_at, closed_at]
  const checker = checker_agent_id === null || checker_version === null ? null : { agentId: checker_agent_id, version: checker_version }
  return { ...rest, accountId: account_id, rewardCredits, checker, caseCount, createdAt, closedAt, awardedSubmissionId }
}

const fullRowSchema = summaryShape
  .extend({ description: z.string(), hidden_case_count: bigintSchema, cases: z.array(publicCaseSchema) })
  .transform(({ description, hidden_case_count, cases, ...row }) => {
    return { ...summaryOf(row), description, hiddenCaseCount: hidden_case_count, cases }
  })

const caseRowSchema = z.object({
  id: z.string(),
  position: z.number(),
  name: z.string().nullable(),
  input: z.string(),
  expected: z.string(),
  hidden: z.boolean(),
  salt: z.string(),
})
/** Of a table that is called c. */
export const caseColumns = 'c.id, c.position, c.name, c.input::text as input, c.expected::text as expected, c.hidden, c.salt, c.revision'
export const revisedCaseRowSchema = caseRowSchema.extend({ revision: z.number() })

export function neonBountyStore(database: Database): BountyStore {
  return {
    async create({ summary, description, cases }) {
      const { id, accountId, title, rewardCredits, mode, tier, status, caseCount, deadline, createdAt, checker } = summary
      const judgedBy = [checker?.agentId ?? null, checker?.version ?? null]
      const statements = [
        {
          text: `insert into bounties (${postedColumns}, description) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
          parameters: [id, accountId, title, rewardCredits, mode, tier, status, caseCount, deadline, createdAt, ...judgedBy, description],
        },
        {
          text: `insert into cases (id, bounty_id, position, name, input, expected, hidden, salt)
            select id, $1, position, name, input::json, expected::json, hidden, salt from json_to_recordset($2::json)
              as r (id text, position integer, name text, input text, expected text, hidden boolean, salt text)`,
          parameters: [id, JSON.stringify(cases)],
        },
        {
          text: 'insert into bounty_words (word, bounty_id) select json_array_elements_text($2::json), $1',
          parameters: [id, JSON.stringify(searchWords(`${title}\n${description}`))],
        },
      ]
      try {
        await database.transaction(statements)
      } catch (error) {
        if (isViolation(error, 'quota_open_bounties')) throw quotaExceeded('open bounties', limits.openBountiesPerAccountMax)
        if (!isViolation(error, 'ledger_balance_not_negative')) throw error
        throw await insufficientCredits(database, { accountId, needed: rewardCredits })
      }
    },

    async find(id) {
      const [bounty] = await database.query(fullRowSchema, {
        text: `select ${bountyColumns}, description, (select count(*) from cases c where c.bounty_id = b.id and c.hidden) as hidden_case_count, (
            select coalesce(json_agg(json_build_object('id', c.id, 'position', c.position, 'name', c.name, 'input', c.input,
              'expected', c.expected) order by c.position), '[]')
            from cases c where c.bounty_id = b.id and not c.hidden
          ) as cases
          from bounties b where id = $1`,
        parameters: [id],
      })
      return bounty
    },

    async findSummary(id) {
      const [row] = await database.query(bountyRowSchema, { text: `select ${bountyColumns} from bounties where id = $1`, parameters: [id] })
      return row
    },

    list: ({ status, mode, owner, words = [], limit, after }) => {
      const filters: KeysetFilter[] = words.map((word) => ({ table: 'bounty_words', id: 'bounty_id', where: { word } }))
      if (owner !== undefined) filters.push({ table: 'bounties', where: { account_id: owner } })
      if (status !== undefined) filters.push({ table: 'bounties', where: { status } })
      if (mode !== undefined) filters.push({ table: 'bounties', where: { mode } })
      return keysetPage(database, { row: bountyRowSchema, table: 'bounties', columns: bountyColumns, filters, limit, after })
    },
  }
}
