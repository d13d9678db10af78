// What Postgres knows about how long things are kept, and how far the clean-up has come.
import { z } from 'zod'
import type { RetentionStore } from '../../shared/sweep-ports.ts'
import type { Database } from './neon.ts'
import { ignoredRowSchema } from './neon-rows.ts'

const nameSchema = z.object({ name: z.string() })
const countSchema = z.object({ count: z.coerce.number() })

export function neonRetentionStore(database: Database): RetentionStore {
  async function names(text: string, asked: string[], since: string): Promise<string[]> {
    const rows = await database.query(nameSchema, { text, parameters: [JSON.stringify(asked), since] })
    return rows.map(({ name }) => name)
  }

  async function count(text: string, { before, limit }: { before: string; limit: number }): Promise<number> {
    const [row] = await database.query(countSchema, { text, parameters: [before, limit] })
    return row?.count ?? 0
  }

  const oldExecutions = 'select id from executions where finished_at < $1::timestamptz order by finished_at limit $2::integer'
  const oldRejected = 'select host, id from rejected_outcomes where received_at < $1::timestamptz order by received_at limit $2::integer'
  const deleted = (table: string, columns: string, old: string) =>
    `with old as (${old}), gone as (delete from ${table} where (${columns}) in (select ${columns} from old) returning 1) select count(*) from gone`

  return {
    namedBundles: (bundles, since) =>
      names(
        `select asked.name from (select distinct json_array_elements_text($1::json) collate "C" as name) asked
          where exists (select from executions e where e.bundle = asked.name and e.finished_at >= $2::timestamptz)`,
        bundles,
        since,
      ),

    keptExecutions: (executions, since) =>
      names(
        `select id as name from executions
          where id in (select json_array_elements_text($1::json)) and finished_at >= $2::timestamptz`,
        executions,
        since,
      ),

    async countOld(old) {
      const [executions, rejectedOutcomes] = await Promise.all([
        count(`select count(*) from (${oldExecutions}) old`, old),
        count(`select count(*) from (${oldRejected}) old`, old),
      ])
      return { executions, rejectedOutcomes }
    },

    async deleteOld(old) {
      const executions = await count(deleted('executions', 'id', oldExecutions), old)
      const rejectedOutcomes = await count(deleted('rejected_outcomes', 'host, id', oldRejected), old)
      // Nobody's word any more: such a row is as good as none.
      await count(
        `with old as (select sha256 from program_claims where until < $1::timestamptz order by until limit $2::integer),
          gone as (delete from program_claims p using old where p.sha256 = old.sha256 and p.until < $1::timestamptz returning 1)
          select count(*) from gone`,
        old,
      )
      return { executions, rejectedOutcomes }
    },

    async takeStep({ at, leaseUntil }) {
      const [row] = await database.query(z.object({ cursor: z.string().nullable() }), {
        text: 'update storage_sweep set due_at = $2::timestamptz where due_at <= $1::timestamptz returning cursor',
        parameters: [at, leaseUntil],
      })
      return row
    },

    async endStep({ cursor, dueAt }) {
      await database.query(ignoredRowSchema, {
        text: 'update storage_sweep set cursor = $1, due_at = $2::timestamptz',
        parameters: [cursor, dueAt],
      })
    },
  }
}
