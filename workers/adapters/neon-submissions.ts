// Submissions as their authors see them, and the leaderboards, in Postgres. What moves both is in neon-judging.ts.
import { z } from 'zod'
import type { SubmissionStore } from '../../shared/ports.ts'
import { ProblemError } from '../../shared/problem.ts'
import { scriptModeSchema } from '../../shared/script-mode.ts'
import { submissionStatusSchema } from '../../shared/submission.ts'
import { keysetPage, ownFilters } from './keyset-page.ts'
import type { Database } from './neon.ts'
import { bigintSchema, instantSchema } from './neon-rows.ts'
import { verdictFields, verdictRowSchema } from './neon-verdicts.ts'

/** Place of unmetered fuel in the order: behind every figure. Number.MAX_SAFE_INTEGER, as the migration says. */
export const unmetered = Number.MAX_SAFE_INTEGER

export const submissionColumns = `id, bounty_id, agent_id, version, account_id, status, cases_total, cases_passed, fuel_total, engine,
  script_mode, round, failure, replay_of, created_at, finished_at`

export const submissionRowSchema = z
  .object({
    id: z.string(),
    bounty_id: z.string(),
    agent_id: z.string(),
    version: z.number(),
    account_id: z.string(),
    status: submissionStatusSchema,
    cases_total: z.number(),
    cases_passed: z.number(),
    fuel_total: bigintSchema.nullable(),
    engine: z.string().nullable(),
    script_mode: scriptModeSchema.nullable(),
    round: z.number(),
    failure: z.string().nullable(),
    replay_of: z.string().nullable(),
    created_at: instantSchema,
    finished_at: instantSchema.nullable(),
  })
  .transform((row) => ({
    id: row.id,
    bountyId: row.bounty_id,
    agentId: row.agent_id,
    version: row.version,
    accountId: row.account_id,
    status: row.status,
    casesTotal: row.cases_total,
    casesPassed: row.cases_passed,
    fuelTotal: row.fuel_total,
    engine: row.engine,
    scriptMode: row.script_mode,
    round: row.round,
    failure: row.failure,
    replayOf: row.replay_of,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  }))

const fullRowSchema = z.intersection(submissionRowSchema, z.object({ verdicts: z.array(verdictRowSchema) }))

const noRankRowSchema = z.object({ agent_id: z.null() }).transform(() => undefined)
const agentRankRowSchema = z
  .object({
    agent_id: z.string(),
    agent_name: z.string(),
    account_id: z.string(),
    account_name: z.string(),
    submission_id: z.string(),
    cases_passed: z.number(),
    cases_total: z.number(),
    engine_place: z.number(),
    fuel_order: bigintSchema,
    engine: z.string().nullable(),
    script_mode: scriptModeSchema.nullable(),
    finished_at: instantSchema,
  })
  .transform((row) => ({
    agentId: row.agent_id,
    agentName: row.agent_name,
    accountId: row.account_id,
    accountName: row.account_name,
    submissionId: row.submission_id,
    casesPassed: row.cases_passed,
    casesTotal: row.cases_total,
    enginePlace: row.engine_place,
    fuelTotal: row.fuel_order === unmetered ? null : row.fuel_order,
    engine: row.engine,
    scriptMode: row.script_mode,
    finishedAt: row.finished_at,
  }))

const accountRankRowSchema = z
  .object({
    account_id: z.string(),
    account_name: z.string(),
    credits_won: bigintSchema,
    bounties_won: z.number(),
    cases_passed: bigintSchema,
  })
  .transform((row) => ({
    accountId: row.account_id,
    accountName: row.account_name,
    creditsWon: row.credits_won,
    bountiesWon: row.bounties_won,
    casesPassed: row.cases_passed,
  }))

/** As the index agent_ranks_in_order has it. */
const rankOrder = '-r.cases_passed, r.engine_place, r.fuel_order, r.finished_at, r.submission_id'

const createdRowSchema = z.object({ cases_total: z.number() })

export function neonSubmissionStore(database: Database): SubmissionStore {
  return {
    async create({ id, bountyId, accountId, agentId, version, stopAtFirstFailure, createdAt, dueAt, replayOf = null }) {
      // The bounty's row is held, so that what adds cases and judges again, which holds it too, is over or sees this submission.
      const [created] = await database.query(createdRowSchema, {
        text: `with bounty as (
            select id, case_count from bounties
            where id = $2 and status = 'open' and (deadline is null or deadline > $7::timestamptz) for share
          )
          insert into submissions (id, bounty_id, account_id, agent_id, version, status, cases_total, stop_at_first_failure, created_at,
            due_at, replay_of)
          select $1, b.id, $3, $4, $5::integer, 'queued', b.case_count,
            coalesce((select o.stop_at_first_failure from submissions o where o.id = $9), $6::boolean), $7::timestamptz, $8::timestamptz, $9 from bounty b
          returning cases_total`,
        parameters: [id, bountyId, accountId, agentId, version, stopAtFirstFailure, createdAt, dueAt, replayOf],
      })
      if (!created) throw new ProblemError('bounty-closed', { detail: `bounty ${bountyId} takes no more submissions` })
      return { casesTotal: created.cases_total }
    },

    async find(id) {
      const [submission] = await database.query(fullRowSchema, {
        text: `select ${submissionColumns}, (
            select coalesce(json_agg(json_build_object(${verdictFields}) order by v.position), '[]')
            from (
              select distinct on (c.position) c.position, v.* from verdicts v join cases c on c.id = v.case_id
              where v.submission_id = $1 and v.engine = submissions.engine and not c.hidden order by c.position, v.revision desc
            ) v
          ) as verdicts
          from submissions where id = $1`,
        parameters: [id],
      })
      return submission
    },

    list: (accountId, { bountyId, status, limit, after }) => {
      const filters = ownFilters('submissions', accountId, { bounty_id: bountyId, status })
      return keysetPage(database, { row: submissionRowSchema, table: 'submissions', columns: submissionColumns, filters, limit, after })
    },

    async rankAgents(bountyId, { limit, after }) {
      const place = after ? [-after.casesPassed, after.enginePlace, after.fuelTotal ?? unmetered, after.finishedAt, after.submissionId] : []
      // One row for the bounty, joined to its ranks in their order: a nested loop, which keeps it. Without ranks that row stands alone.
      const rows = await database.query(z.union([agentRankRowSchema, noRankRowSchema]), {
        text: `select r.* from bounties b left join lateral (
            select r.agent_id, a.name as agent_name, r.account_id, o.name as account_name, r.submission_id, r.cases_passed,
              b.case_count as cases_total, r.engine_place, r.fuel_order, r.finished_at, r.engine, r.script_mode
            from agent_ranks r join agents a on a.id = r.agent_id join accounts o on o.id = r.account_id
            where r.bounty_id = b.id
              ${after ? `and (${rankOrder}) > ($3::integer, $4::integer, $5::bigint, $6::timestamptz, $7)` : ''}
            order by ${rankOrder} limit $2
          ) r on true
          where b.id = $1`,
        parameters: [bountyId, limit, ...place],
      })
      return rows.length === 0 ? undefined : rows.flatMap((row) => row ?? [])
    },

    async rankAccounts({ limit, after }) {
      const place = after ? [-after.creditsWon, -after.bountiesWon, -after.casesPassed, after.accountId] : []
      return database.query(accountRankRowSchema, {
        text: `select r.account_id, o.name as account_name, r.credits_won, r.bounties_won, r.cases_passed
          from account_ranks r join accounts o on o.id = r.account_id
          ${after ? 'where (-r.credits_won, -r.bounties_won, -r.cases_passed, r.account_id) > ($2::bigint, $3::integer, $4::bigint, $5)' : ''}
          order by -r.credits_won, -r.bounties_won, -r.cases_passed, r.account_id limit $1`,
        parameters: [limit, ...place],
      })
    },
  }
}
