// Closes bounties in Postgres: each way is one conditional update of the bounty's row, and the escrow moves with it inside the database
// (migrations/0005-ledger.sql). Of several that want to close a bounty at once one finds it open; the others change nothing.
import { z } from 'zod'
import type { SettlementStore } from '../../shared/ports.ts'
import type { Database } from './neon.ts'
import { bountyColumns, bountyRowSchema } from './neon-bounties.ts'

/** Mode first: by whichever comes out of re-judging (neon-judging.ts), but not its owner's any more. */
const isWon = `(mode = 'first' and exists (
  select from submissions s where s.bounty_id = bounties.id and s.status = 'accepted' and s.cases_passed = s.cases_total))`

export function neonSettlementStore(database: Database): SettlementStore {
  return {
    async award(bountyId, { submissionId, at }) {
      const [row] = await database.query(bountyRowSchema, {
        text: `update bounties set status = 'awarded', awarded_submission_id = $2, closed_at = $3::timestamptz
          where id = $1 and status = 'open' and mode = 'best' and (deadline is null or deadline > $3::timestamptz)
          returning ${bountyColumns}`,
        parameters: [bountyId, submissionId, at],
      })
      return row
    },

    async cancel(bountyId, { at }) {
      const [row] = await database.query(bountyRowSchema, {
        text: `update bounties set status = 'cancelled', closed_at = $2::timestamptz
          where id = $1 and status = 'open' and (deadline is null or deadline > $2::timestamptz) and not ${isWon}
          returning ${bountyColumns}`,
        parameters: [bountyId, at],
      })
      return row
    },

    async findDue({ at, judgingMsMax, limit }) {
      const rows = await database.query(z.object({ id: z.string() }), {
        text: `select id from bounties b
          where status = 'open' and deadline <= $1::timestamptz
            and (deadline <= $1::timestamptz - $2::integer * interval '1 millisecond'
              or not exists (select from submissions s where s.bounty_id = b.id and s.status in ('queued', 'running')))
          order by deadline, id limit $3`,
        parameters: [at, judgingMsMax, limit],
      })
      return rows.map(({ id }) => id)
    },

    async settle(bountyId, { at }) {
      const [row] = await database.query(bountyRowSchema, {
        text: `update bounties set status = case when best.submission_id is null then 'expired' else 'awarded' end,
            awarded_submission_id = best.submission_id, closed_at = $2::timestamptz
          from (select coalesce((
            select r.submission_id from agent_ranks r
            join bounties b on b.id = r.bounty_id join submissions s on s.id = r.submission_id and s.status in ('accepted', 'rejected')
            where r.bounty_id = $1 and b.mode = 'best' and r.cases_passed > 0
            order by -r.cases_passed, r.engine_place, r.fuel_order, r.finished_at, r.submission_id limit 1
          ), (
            select s.id from submissions s join bounties b on b.id = s.bounty_id
            where b.id = $1 and b.mode = 'first' and s.status = 'accepted' and s.cases_passed = s.cases_total
            order by s.created_at, s.id limit 1
          ))) as best (submission_id)
          where id = $1 and status = 'open' and deadline <= $2::timestamptz
          returning ${bountyColumns}`,
        parameters: [bountyId, at],
      })
      return row
    },
  }
}
