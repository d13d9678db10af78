// The cases of a bounty that takes submissions, in Postgres. Each change holds the bounty's row: submissions finish before it or behind it.
import { z } from 'zod'
import type { CaseStore } from '../../shared/ports.ts'
import { limits } from '../../shared/tiers.ts'
import type { Database } from './neon.ts'
import { hasOpenCase, isStopped } from './neon-judging.ts'
import { bigintSchema } from './neon-rows.ts'

const totalsRowSchema = z.object({ count: bigintSchema, bytes: bigintSchema })
const caseRowSchema = z.object({
  id: z.string(),
  position: z.number(),
  name: z.string().nullable(),
  hidden: z.boolean(),
  revision: z.number(),
})
const rejudgedRowSchema = z.object({ rejudged: z.number() })

const summaryColumns = 'id, position, name, hidden, revision'
/** Of the bounty $1 at the instant $2. */
const isOpen = `id = $1 and status = 'open' and (deadline is null or deadline > $2::timestamptz)`
const bytesOf = 'octet_length(input::text) + octet_length(expected::text)'

export function neonCaseStore(database: Database): CaseStore {
  const lock = (bountyId: string) => ({ text: 'select 1 from bounties where id = $1 for no key update', parameters: [bountyId] })

  return {
    async totals(bountyId) {
      const [totals] = await database.query(totalsRowSchema, {
        text: `select count(*) as count, coalesce(sum(${bytesOf}), 0) as bytes from cases where bounty_id = $1`,
        parameters: [bountyId],
      })
      return totals ?? { count: 0, bytes: 0 }
    },

    list: (bountyId, { after, limit }) =>
      database.query(caseRowSchema, {
        text: `select ${summaryColumns} from cases where bounty_id = $1 and position > $2::integer order by position limit $3`,
        parameters: [bountyId, after, limit],
      }),

    async add(bountyId, { cases, at }) {
      // Behind the lock, so that the second statement counts what was added before.
      const [, rows = []] = await database.transaction([
        lock(bountyId),
        {
          text: `with added as (
              select * from rows from (
                json_to_recordset($3::json) as (id text, name text, input text, expected text, hidden boolean, salt text)
              ) with ordinality as r (id, name, input, expected, hidden, salt, place)
            ), grown as (
              update bounties b set case_count = b.case_count + $4::integer
              where ${isOpen} and b.case_count + $4::integer <= ${limits.casesPerBountyMax}
                and ((select coalesce(sum(${bytesOf}), 0) from cases where bounty_id = $1) + (select sum(${bytesOf}) from added))
                  <= ${limits.caseBytesMax}
              returning b.case_count - $4::integer as first
            )
            insert into cases (id, bounty_id, position, name, input, expected, hidden, salt)
            select id, $1, first + place - 1, name, input::json, expected::json, hidden, salt from added, grown
            returning ${summaryColumns}`,
          parameters: [bountyId, at, JSON.stringify(cases), cases.length],
        },
      ])
      if (rows.length === 0) return undefined
      return rows.map((row) => caseRowSchema.parse(row)).toSorted((a, b) => a.position - b.position)
    },

    async fix(caseId, { bountyId, input = null, expected = null, salt, at }) {
      const [, , rows = []] = await database.transaction([
        lock(bountyId),
        {
          text: `update cases set input = coalesce($4::text::json, input), expected = coalesce($5::text::json, expected), salt = $6, revision = revision + 1
            where id = $3 and bounty_id = $1 and exists (select from bounties where ${isOpen})
              and (coalesce($4::text, input::text), coalesce($5::text, expected::text)) is distinct from (input::text, expected::text)`,
          parameters: [bountyId, at, caseId, input, expected, salt],
        },
        {
          text: `select ${summaryColumns} from cases
            where id = $3 and bounty_id = $1 and exists (select from bounties where ${isOpen})`,
          parameters: [bountyId, at, caseId],
        },
      ])
      const [row] = rows.map((found) => caseRowSchema.parse(found))
      return row
    },

    async rejudge(bountyId, { id, at }) {
      const [, , rows = []] = await database.transaction([
        lock(bountyId),
        {
          text: `with open as (
              select id, case_count from bounties where ${isOpen} and rejudging_id is distinct from $3
            ), again as (
              update submissions o set status = 'queued', round = o.round + 1, turn = o.turn + 1, cases_total = s.cases_total,
                finished_at = null, due_at = $2::timestamptz
              from (
                select s.id, s.bounty_id, s.status, s.engine, s.stop_at_first_failure, open.case_count as cases_total from submissions s join open on s.bounty_id = open.id
              ) as s
              where o.id = s.id and s.status in ('accepted', 'rejected') and ${hasOpenCase} and not (${isStopped})
              returning o.id
            ), grown as (
              update submissions o set cases_total = open.case_count from open
              where o.bounty_id = open.id and o.finished_at is null and o.cases_total <> open.case_count
            )
            update bounties b set rejudging_id = $3, rejudged = (select count(*) from again) from open where b.id = open.id`,
          parameters: [bountyId, at, id],
        },
        { text: 'select rejudged from bounties where id = $1 and rejudging_id = $2', parameters: [bountyId, id] },
      ])
      const [again] = rows.map((row) => rejudgedRowSchema.parse(row))
      return again?.rejudged
    },
  }
}
