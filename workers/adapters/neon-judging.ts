// The turns of judging in Postgres. Each write is one statement that names its turn and does nothing when that is over; sums follow verdicts
// by a trigger (migrations/0009-judging.sql), and ranks and a won reward change in one transaction with the submission's end.
import { z } from 'zod'
import { bountyModeSchema } from '../../shared/bounty.ts'
import { programKindSchema, type Program } from '../../shared/agent.ts'
import type { JudgingStore } from '../../shared/ports.ts'
import { scriptModeSchema, type ScriptMode } from '../../shared/script-mode.ts'
import { tierSchema } from '../../shared/tiers.ts'
import type { Database, Statement } from './neon.ts'
import { caseColumns, revisedCaseRowSchema } from './neon-bounties.ts'
import { ignoredRowSchema, instantSchema } from './neon-rows.ts'
import { unmetered } from './neon-submissions.ts'

const takenRowSchema = z
  .object({
    id: z.string(),
    bounty_id: z.string(),
    agent_id: z.string(),
    account_id: z.string(),
    version: z.number(),
    turn: z.number(),
    mode: bountyModeSchema,
    tier: tierSchema,
    kind: programKindSchema,
    sha256: z.string(),
    script_mode: scriptModeSchema.nullable(),
    checker_kind: programKindSchema.nullable(),
    checker_sha256: z.string().nullable(),
    checker_script_mode: scriptModeSchema.nullable(),
    stop_at_first_failure: z.boolean(),
    attempts: z.number(),
    waits: z.number(),
    waiting_since: instantSchema.nullable(),
  })
  .transform((row) => ({
    id: row.id,
    bountyId: row.bounty_id,
    agentId: row.agent_id,
    accountId: row.account_id,
    version: row.version,
    turn: row.turn,
    mode: row.mode,
    tier: row.tier,
    program: programOf(row.kind, row.sha256, row.script_mode),
    checker:
      row.checker_kind === null || row.checker_sha256 === null
        ? undefined
        : programOf(row.checker_kind, row.checker_sha256, row.checker_script_mode),
    stopAtFirstFailure: row.stop_at_first_failure,
    attempts: row.attempts,
    waits: row.waits,
    waitingSince: row.waiting_since,
  }))

function programOf(kind: Program['kind'], sha256: string, scriptMode: ScriptMode | null): Program {
  return { kind, sha256, ...(scriptMode === null ? {} : { scriptMode }) }
}

const turnRowSchema = z.object({ turn: z.number() })
const dueRowSchema = z
  .object({ id: z.string(), turn: z.number(), attempts: z.number(), bounty_id: z.string(), mode: bountyModeSchema })
  .transform(({ bounty_id, ...row }) => ({ ...row, bountyId: bounty_id }))

/** Holds the submission for the statement, if the turn $2 is not over. */
const inTurn = 's.id = $1 and s.turn = $2::integer and s.finished_at is null'
/** Of a submission s: a case that it has to be judged by, still. Fuel of two engines does not add up: what another one judged counts for nothing. */
const openCase = `c.bounty_id = s.bounty_id and c.position < s.cases_total
  and not exists (select from verdicts v where v.submission_id = s.id and v.case_id = c.id and v.revision = c.revision and v.engine = s.engine)`
export const isStopped = `s.stop_at_first_failure and exists (
    select from verdicts v join cases c on c.id = v.case_id
    where v.submission_id = s.id and v.revision = c.revision and v.engine = s.engine and v.status <> 'accepted')`
export const hasOpenCase = `exists (select from cases c where ${openCase})`

export function neonJudgingStore(database: Database): JudgingStore {
  const changed = async (statement: Statement) => (await database.query(ignoredRowSchema, statement)).length > 0

  return {
    async take(id, { turn, at, dueAt, host = null }) {
      const [taken] = await database.query(takenRowSchema, {
        text: `update submissions s set turn = s.turn + 1, status = 'running', attempts = s.attempts + 1, due_at = $3::timestamptz,
            began_at = $4::timestamptz, host = $5
          from bounties b
            left join agents ca on ca.id = b.checker_agent_id
            left join agent_versions cv on cv.agent_id = b.checker_agent_id and cv.version = b.checker_version,
            agents a, agent_versions v
          where ${inTurn} and b.id = s.bounty_id and a.id = s.agent_id and v.agent_id = s.agent_id and v.version = s.version
          returning s.id, s.bounty_id, s.agent_id, s.account_id, s.version, s.turn, b.mode, b.tier, a.kind, v.sha256,
            v.script_mode, ca.kind as checker_kind, cv.sha256 as checker_sha256, cv.script_mode as checker_script_mode,
            s.stop_at_first_failure, s.attempts, s.waits, s.waiting_since`,
        parameters: [id, turn, dueAt, at, host],
      })
      return taken
    },

    nextCases: (id, { after, limit }) =>
      database.query(revisedCaseRowSchema, {
        text: `select ${caseColumns} from submissions s join cases c on ${openCase}
          where s.id = $1 and c.position > $2::integer and not (${isStopped})
          order by c.position limit $3`,
        parameters: [id, after, limit],
      }),

    record(id, { turn, dueAt, engine, verdicts }) {
      const rows = verdicts.map(({ usage, ...verdict }) => ({ ...verdict, ...usage }))
      return changed({
        text: `with held as (
            update submissions s set engine = $3, due_at = $4::timestamptz where ${inTurn} returning s.id
          ), added as (
            insert into verdicts (submission_id, case_id, revision, engine, status, fuel, wall_micros, memory_bytes_peak, output_sha256, message)
            select held.id, r."caseId", r.revision, $3, r.status, r.fuel, r."wallMicros", r."memoryBytesPeak", r."outputSha256", r.message
            from held, json_to_recordset($5::json) as r ("caseId" text, revision integer, status text, fuel bigint, "wallMicros" bigint,
              "memoryBytesPeak" bigint, "outputSha256" text, message text)
            on conflict do nothing
          )
          select id from held`,
        parameters: [id, turn, engine, dueAt, JSON.stringify(rows)],
      })
    },

    recordReceipt(receipt, { turn, firstRevision }) {
      const { submissionId, entries } = receipt.statement
      return changed({
        text: `with held as (
            select s.id from submissions s where ${inTurn} for no key update
          ), added as (
            insert into judgement_receipts (submission_id, first_case_id, first_revision, receipt)
            select id, $3, $4::integer, $5::json from held on conflict do nothing
          )
          select id from held`,
        parameters: [submissionId, turn, entries[0]?.caseId ?? null, firstRevision, JSON.stringify(receipt)],
      })
    },

    renew: (id, { turn, dueAt }) =>
      changed({ text: `update submissions s set due_at = $3::timestamptz where ${inTurn} returning s.id`, parameters: [id, turn, dueAt] }),

    async putBack(id, { turn, at, dueAt, isWaiting, why = null }) {
      const [row] = await database.query(turnRowSchema, {
        text: `update submissions s set turn = s.turn + 1, due_at = $4::timestamptz,
            attempts = case when $5::boolean then greatest(s.attempts - 1, 0) else s.attempts end,
            waits = s.waits + $5::boolean::integer,
            waiting_since = case when $5::boolean then coalesce(s.waiting_since, $3::timestamptz) else s.waiting_since end,
            history = case when $5::boolean or $6::text is null then s.history else submission_history(s, $3::timestamptz, $6) end,
            began_at = null, host = null
          where ${inTurn} returning s.turn`,
        parameters: [id, turn, at, dueAt, isWaiting, why],
      })
      return row?.turn
    },

    async finish(id, { turn, status, failure = null, why = null, at }) {
      const [, , finished = []] = await database.transaction([
        // One account's ranks change one after the other, or the sum below could miss a rank that is not committed yet.
        {
          text: 'select 1 from accounts where id = (select account_id from submissions where id = $1) for no key update',
          parameters: [id],
        },
        // Before the ranks, as everywhere: see the order of locks in migrations/0005-ledger.sql. Whoever fixes a case, or has submissions judged
        // again, holds it too: what they do comes before this end, or finds it.
        {
          text: `select 1 from bounties where id = (select bounty_id from submissions where id = $1) for no key update`,
          parameters: [id],
        },
        {
          text: `update submissions s set status = $3, failure = $4, finished_at = $5::timestamptz, due_at = null,
              history = case when $6::text is null then s.history else submission_history(s, $5::timestamptz, $6) end, began_at = null, host = null
            where ${inTurn} and ($3 = 'failed' or not ${hasOpenCase} or ${isStopped}) returning s.id`,
          parameters: [id, turn, status, failure, at, why],
        },
        ...moveRanks(id),
        awardFirst(id, at),
      ])
      return finished.length > 0
    },

    findDue: ({ at, limit }) =>
      database.query(dueRowSchema, {
        text: `select s.id, s.turn, s.attempts, s.bounty_id, b.mode from submissions s join bounties b on b.id = s.bounty_id
          where s.due_at <= $1::timestamptz order by s.due_at limit $2`,
        parameters: [at, limit],
      }),
  }
}

/** The place of a submission that has finished, and so its agent's and its account's. All are as they were when it has not. */
function moveRanks(id: string): Statement[] {
  return [
    // It may be worse than it was, when it was judged again.
    {
      text: `delete from agent_ranks r using submissions s
        where s.id = $1 and s.finished_at is not null and r.bounty_id = s.bounty_id and r.agent_id = s.agent_id and r.submission_id = s.id`,
      parameters: [id],
    },
    // The places of engines in a bounty are those in which they came to it; its row is held, so that no two are given the same.
    {
      text: `insert into bounty_engines (bounty_id, engine, place)
        select s.bounty_id, s.engine, 1 + (select count(*) from bounty_engines e where e.bounty_id = s.bounty_id)
        from submissions s where s.id = $1 and s.status in ('accepted', 'rejected') and s.engine is not null
        on conflict (bounty_id, engine) do nothing`,
      parameters: [id],
    },
    // The best of the agent's. One that is being judged again keeps its place until it finishes, unless a better one has.
    {
      text: `insert into agent_ranks as held (bounty_id, agent_id, account_id, submission_id, engine, script_mode, cases_passed, engine_place, fuel_order,
          finished_at)
        select o.bounty_id, o.agent_id, o.account_id, o.id, o.engine, o.script_mode, o.cases_passed, e.place,
          coalesce(o.fuel_total, ${unmetered}) as fuel_order, o.finished_at
        from submissions s join submissions o on o.bounty_id = s.bounty_id and o.agent_id = s.agent_id
          join bounty_engines e on e.bounty_id = o.bounty_id and e.engine = o.engine
        where s.id = $1 and s.finished_at is not null and o.status in ('accepted', 'rejected')
        order by o.cases_passed desc, e.place, fuel_order, o.finished_at, o.id limit 1
        on conflict (bounty_id, agent_id) do update set submission_id = excluded.submission_id, engine = excluded.engine, script_mode = excluded.script_mode,
          cases_passed = excluded.cases_passed,
          engine_place = excluded.engine_place, fuel_order = excluded.fuel_order, finished_at = excluded.finished_at
        where (-excluded.cases_passed, excluded.engine_place, excluded.fuel_order) < (-held.cases_passed, held.engine_place, held.fuel_order)`,
      parameters: [id],
    },
    {
      text: `insert into account_ranks (account_id, cases_passed)
        select s.account_id, (select coalesce(sum(r.cases_passed), 0) from agent_ranks r where r.account_id = s.account_id)
        from submissions s where s.id = $1 and (s.round > 1 or exists (select from agent_ranks r where r.account_id = s.account_id))
        on conflict (account_id) do update set cases_passed = excluded.cases_passed`,
      parameters: [id],
    },
  ]
}

/** The reward moves with the bounty's row; a bounty that is not open any more stays as it is. */
function awardFirst(id: string, at: string): Statement {
  return {
    text: `update bounties b set status = 'awarded', awarded_submission_id = best.id, closed_at = $2::timestamptz
      from submissions s, lateral (
        select o.id, o.created_at from submissions o
        where o.bounty_id = s.bounty_id and o.status = 'accepted' and o.cases_passed = o.cases_total
        order by o.created_at, o.id limit 1
      ) as best
      where s.id = $1 and s.finished_at is not null and b.id = s.bounty_id and b.mode = 'first' and b.status = 'open'
        and not exists (
          select from submissions o where o.bounty_id = s.bounty_id and o.status in ('queued', 'running') and o.round > 1
            and (o.created_at, o.id) < (best.created_at, best.id)
        )`,
    parameters: [id, at],
  }
}
