// Bounties and their cases in Postgres. Inputs and expectations travel as JSON text both ways. The escrow is filled by the database itself,
// when it takes the bounty's row (migrations/0005-ledger.sql).
import { z } from 'zod'
import { bountyModeSchema, bountyStatusSchema, publicCaseSchema } from '../../shared/bounty.ts'
import type { BountyStore } from '../../shared/ports.ts'
import { tierSchema } from '../../shared/tiers.ts'
import { isViolation, type Database } from './neon.ts'
import { insufficientCredits } from './neon-ledger.ts'
import { bigintSchema, instantSchema } from './neon-rows.ts'

const postedColumns = 'id, account_id, title, reward_credits, mode, tier, status, case_count, deadline, created_at'
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
})
export const bountyRowSchema = summaryShape.transform(summaryOf)

function summaryOf(row: z.infer<typeof summaryShape>) {
  const { account_id, reward_credits, case_count, created_at, closed_at, awarded_submission_id, ...rest } = row
  const [rewardCredits, caseCount, awardedSubmissionId] = [reward_credits, case_count, awarded_submission_id]
  return { ...rest, accountId: account_id, rewardCredits, caseCount, createdAt: created_at, closedAt: closed_at, awardedSubmissionId }
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

export function neonBountyStore(database: Database): BountyStore {
  return {
    async create({ summary, description, cases }) {
      const { id, accountId, title, rewardCredits, mode, tier, status, caseCount, deadline, createdAt } = summary
      const statements = [
        {
          text: `insert into bounties (${postedColumns}, description) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
          parameters: [id, accountId, title, rewardCredits, mode, tier, status, caseCount, deadline, createdAt, description],
        },
        {
          text: `insert into cases (id, bounty_id, position, name, input, expected, hidden, salt)
            select id, $1, position, name, input::json, expected::json, hidden, salt from json_to_recordset($2::json)
              as r (id text, position integer, name text, input text, expected text, hidden boolean, salt text)`,
          parameters: [id, JSON.stringify(cases)],
        },
      ]
      try {
        await database.transaction(statements)
      } catch (error) {
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

    async list({ status, limit, after }) {
      // Two texts, so that each runs on its own index.
      const [text, parameters] = status
        ? [`status = $3 and ($1::text is null or id < $1)`, [after ?? null, limit, status]]
        : [`$1::text is null or id < $1`, [after ?? null, limit]]
      return database.query(bountyRowSchema, {
        text: `select ${bountyColumns} from bounties where ${text} order by id desc limit $2`,
        parameters,
      })
    },

    async casesAfter(bountyId, { position, limit }) {
      return database.query(caseRowSchema, {
        text: `select id, position, name, input::text as input, expected::text as expected, hidden, salt from cases where bounty_id = $1 and position > $2 order by position limit $3`,
        parameters: [bountyId, position, limit],
      })
    },
  }
}
