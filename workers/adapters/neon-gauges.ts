// How much there is in Postgres, for the metrics; executions are counted by the planner's estimate, which costs nothing.
import { z } from 'zod'
import type { DatabaseGauges } from '../../shared/ports.ts'
import type { Database } from './neon.ts'
import { bigintSchema, ignoredRowSchema } from './neon-rows.ts'

const countsRowSchema = z.object({
  accounts: bigintSchema,
  agents: bigintSchema,
  bounties_open: bigintSchema,
  submissions_unfinished: bigintSchema,
  executions_unfinished: bigintSchema,
  outcomes_rejected: bigintSchema,
  executions_estimate: bigintSchema,
})

/** A probe that takes longer than this is an outage; with one probe a second it shows within 2 s. */
const pingMsMax = 800

export function neonGauges(database: Database): DatabaseGauges {
  return {
    async ping() {
      await database.query(ignoredRowSchema, { text: 'select 1', parameters: [] }, { timeoutMs: pingMsMax })
    },
    async counts() {
      const text = `select
          (select count(*) from accounts) as accounts,
          (select count(*) from agents) as agents,
          (select count(*) from bounties where status = 'open') as bounties_open,
          (select count(*) from submissions where status in ('queued', 'running')) as submissions_unfinished,
          (select count(*) from executions where due_at is not null) as executions_unfinished,
          (select count(*) from rejected_outcomes) as outcomes_rejected,
          (select greatest(reltuples, 0)::bigint from pg_class where oid = 'executions'::regclass) as executions_estimate`
      const [row] = await database.query(countsRowSchema, { text, parameters: [] }, { timeoutMs: 5_000 })
      return row ?? {}
    },
  }
}
