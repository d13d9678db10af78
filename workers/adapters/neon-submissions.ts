// Submissions, their verdicts, and the leaderboards that both move, in Postgres. Verdicts and sums change in one statement, ranks and a won
// reward in one transaction with the submission's end, so that no crash leaves one without the other.
import { z } from 'zod'
import { verdictStatusSchema } from '../../shared/execution.ts'
import type { SubmissionStore } from '../../shared/ports.ts'
import { ProblemError } from '../../shared/problem.ts'
import { submissionStatusSchema } from '../../shared/submission.ts'
import type { Database, Statement } from './neon.ts'
import { bigintSchema, ignoredRowSchema, instantSchema } from './neon-rows.ts'

/** Place of unmetered fuel in the order: behind every figure. Number.MAX_SAFE_INTEGER, as the migration says. */
const unmetered = Number.MAX_SAFE_INTEGER

export const submissionColumns = `id, bounty_id, agent_id, version, account_id, status, cases_total, cases_passed, fuel_total, engine,
  created_at, finished_at`

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
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  }))

const verdictRowSchema = z
  .object({
    case_id: z.string(),
    status: verdictStatusSchema,
    fuel: bigintSchema.nullable(),
    wall_micros: bigintSchema,
    memory_bytes_peak: bigintSchema,
  })
  .transform(({ case_id, status, fuel, wall_micros, memory_bytes_peak }) => ({
    caseId: case_id,
    status,
    usage: { fuel, wallMicros: wall_micros, memoryBytesPeak: memory_bytes_peak },
  }))

const agentRankRowSchema = z
  .object({
    agent_id: z.string(),
    agent_name: z.string(),
    account_id: z.string(),
    account_name: z.string(),
    submission_id: z.string(),
    cases_passed: z.number(),
    cases_total: z.number(),
    fuel_order: bigintSchema,
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
    fuelTotal: row.fuel_order === unmetered ? null : row.fuel_order,
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

export function neonSubmissionStore(database: Database): SubmissionStore {
  return {
    async create({ id, bountyId, accountId, agentId, version, casesTotal, createdAt }) {
      const created = await database.query(ignoredRowSchema, {
        text: `insert into submissions (id, bounty_id, account_id, agent_id, version, status, cases_total, created_at)
          select $1, b.id, $3, $4, $5::integer, 'running', $6::integer, $7::timestamptz from bounties b
          where b.id = $2 and b.status = 'open' and (b.deadline is null or b.deadline > $7::timestamptz)
          returning id`,
        parameters: [id, bountyId, accountId, agentId, version, casesTotal, createdAt],
      })
      if (created.length === 0) throw new ProblemError('bounty-closed', { detail: `bounty ${bountyId} takes no more submissions` })
    },

    async recordVerdicts(id, { engine, verdicts }) {
      const rows = verdicts.map(({ caseId, status, usage, outputSha256 }) => ({ caseId, status, ...usage, outputSha256 }))
      await database.query(ignoredRowSchema, {
        text: `with added as (
            insert into verdicts (submission_id, case_id, status, fuel, wall_micros, memory_bytes_peak, output_sha256)
            select $1, r."caseId", r.status, r.fuel, r."wallMicros", r."memoryBytesPeak", r."outputSha256" from json_to_recordset($2::json)
              as r ("caseId" text, status text, fuel bigint, "wallMicros" bigint, "memoryBytesPeak" bigint, "outputSha256" text)
            on conflict do nothing
            returning status, fuel
          ), sums as (
            select count(*) filter (where status = 'accepted') as passed,
              case when bool_or(fuel is null) then null else coalesce(sum(fuel), 0) end as fuel
            from added
          )
          update submissions set engine = $3, cases_passed = cases_passed + sums.passed, fuel_total = fuel_total + sums.fuel
          from sums where id = $1`,
        parameters: [id, JSON.stringify(rows), engine],
      })
    },

    async finish(id, { status, at }) {
      await database.transaction([
        // One account's ranks change one after the other, or the sum below could miss a rank that is not committed yet.
        {
          text: 'select 1 from accounts where id = (select account_id from submissions where id = $1) for no key update',
          parameters: [id],
        },
        // Before the ranks, as everywhere: see the order of locks in migrations/0005-ledger.sql.
        ...(status === 'accepted' ? [lockBounty(id)] : []),
        {
          text: `with finished as (
              update submissions set status = $2, finished_at = $3 where id = $1 and status in ('queued', 'running') returning *
            )
            insert into agent_ranks as held (bounty_id, agent_id, account_id, submission_id, cases_passed, fuel_order, finished_at)
            select bounty_id, agent_id, account_id, id, cases_passed, coalesce(fuel_total, ${unmetered}), finished_at
            from finished where status in ('accepted', 'rejected')
            on conflict (bounty_id, agent_id) do update set submission_id = excluded.submission_id,
              cases_passed = excluded.cases_passed, fuel_order = excluded.fuel_order, finished_at = excluded.finished_at
            where (-excluded.cases_passed, excluded.fuel_order) < (-held.cases_passed, held.fuel_order)`,
          parameters: [id, status, at],
        },
        {
          text: `insert into account_ranks (account_id, cases_passed)
            select account_id, sum(cases_passed) from agent_ranks
            where account_id = (select account_id from submissions where id = $1) group by account_id
            on conflict (account_id) do update set cases_passed = excluded.cases_passed`,
          parameters: [id],
        },
        ...(status === 'accepted' ? [awardFirst(id, at)] : []),
      ])
    },

    async find(id) {
      const [[submission], verdicts] = await Promise.all([
        database.query(submissionRowSchema, {
          text: `select ${submissionColumns} from submissions where id = $1`,
          parameters: [id],
        }),
        database.query(verdictRowSchema, {
          text: `select v.case_id, v.status, v.fuel, v.wall_micros, v.memory_bytes_peak
            from verdicts v join cases c on c.id = v.case_id
            where v.submission_id = $1 and not c.hidden order by c.position`,
          parameters: [id],
        }),
      ])
      return submission && { ...submission, verdicts }
    },

    async rankAgents(bountyId, { limit, after }) {
      const place = after ? [-after.casesPassed, after.fuelTotal ?? unmetered, after.finishedAt, after.submissionId] : []
      return database.query(agentRankRowSchema, {
        text: `select r.agent_id, a.name as agent_name, r.account_id, o.name as account_name, r.submission_id, r.cases_passed,
            b.case_count as cases_total, r.fuel_order, r.finished_at
          from agent_ranks r
          join agents a on a.id = r.agent_id join accounts o on o.id = r.account_id join bounties b on b.id = r.bounty_id
          where r.bounty_id = $1
            ${after ? 'and (-r.cases_passed, r.fuel_order, r.finished_at, r.submission_id) > ($3::integer, $4::bigint, $5::timestamptz, $6)' : ''}
          order by -r.cases_passed, r.fuel_order, r.finished_at, r.submission_id limit $2`,
        parameters: [bountyId, limit, ...place],
      })
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

function lockBounty(submissionId: string): Statement {
  return {
    text: `select 1 from bounties where id = (select bounty_id from submissions where id = $1) and mode = 'first' and status = 'open'
      for no key update`,
    parameters: [submissionId],
  }
}

/** The reward moves with the bounty's row; a bounty that is not open any more stays as it is. */
function awardFirst(submissionId: string, at: string): Statement {
  return {
    text: `update bounties b set status = 'awarded', awarded_submission_id = s.id, closed_at = $2::timestamptz
      from submissions s
      where s.id = $1 and s.status = 'accepted' and s.cases_passed = s.cases_total
        and b.id = s.bounty_id and b.mode = 'first' and b.status = 'open'`,
    parameters: [submissionId, at],
  }
}
