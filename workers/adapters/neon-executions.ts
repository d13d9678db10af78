// Executions in Postgres: one statement records a whole batch of the host, whatever parts of it are there already, ends those that wait for it,
// and counts what it records into the usage of its accounts. What is not recorded yet is written by neon-async-executions.ts.
import { z } from 'zod'
import { executionAttemptSchema, runRequestSchema, unrecordedStatusSchema } from '../../shared/async-execution.ts'
import { executionRecordSchema, executionStatusSchema } from '../../shared/execution.ts'
import type { ExecutionStore } from '../../shared/ports.ts'
import { keysetPage, ownFilters } from './keyset-page.ts'
import type { Database } from './neon.ts'
import { bigintSchema, ignoredRowSchema, instantSchema } from './neon-rows.ts'

const usageRowSchema = z
  .object({ day: z.string(), executions: bigintSchema, fuel: bigintSchema, wall_micros: bigintSchema, cost_nano_usd: bigintSchema })
  .transform(({ wall_micros, cost_nano_usd, ...rest }) => ({ ...rest, wallMicros: wall_micros, costMicroUsd: cost_nano_usd / 1_000 }))

const summaryColumns = 'id, agent_id, version, status, fuel, cost_nano_usd, finished_at'
const summaryRowSchema = z
  .object({
    id: z.string(),
    agent_id: z.string(),
    version: z.number(),
    status: executionStatusSchema,
    fuel: bigintSchema.nullable(),
    cost_nano_usd: bigintSchema.nullable(),
    finished_at: instantSchema.nullable(),
  })
  .transform(({ agent_id, cost_nano_usd, finished_at, ...rest }) => ({
    ...rest,
    agentId: agent_id,
    costMicroUsd: cost_nano_usd === null ? null : cost_nano_usd / 1_000,
    finishedAt: finished_at,
  }))

const recordedRowSchema = z
  .object({ record: z.string(), replay_of: z.string().nullable() })
  .transform(({ record, replay_of }) => ({ ...executionRecordSchema.parse(JSON.parse(record)), ...replayOf(replay_of) }))
/** Most replay nothing. */
const replayOf = (id: string | null) => (id === null ? {} : { replayOf: id })
const unrecordedRowSchema = z
  .object({
    id: z.string(),
    account_id: z.string(),
    agent_id: z.string(),
    version: z.number(),
    status: unrecordedStatusSchema,
    request: runRequestSchema,
    failure: z.string().nullable(),
    replay_of: z.string().nullable(),
    created_at: instantSchema,
    finished_at: instantSchema.nullable(),
    history: z.array(executionAttemptSchema),
  })
  .transform(({ account_id, agent_id, request, replay_of, created_at, finished_at, history, ...rest }) => ({
    ...rest,
    ...request,
    ...replayOf(replay_of),
    accountId: account_id,
    agentId: agent_id,
    createdAt: created_at,
    finishedAt: finished_at,
    attempts: history,
  }))

export function neonExecutionStore(database: Database): ExecutionStore {
  return {
    async record(records) {
      const rows = records.map((record) => ({
        id: record.id,
        account_id: record.accountId,
        agent_id: record.agentId,
        version: record.version,
        status: record.status,
        fuel: record.usage.fuel,
        wall_micros: record.usage.wallMicros,
        cost_nano_usd: nanoUsd(record.usage.costMicroUsd),
        finished_at: record.finishedAt,
        bundle: record.artifacts.flatMap((artifact) => ('bundle' in artifact ? [artifact.bundle] : []))[0] ?? null,
        record: JSON.stringify(record),
      }))
      const unknown = await database.query(z.object({ id: z.string() }), {
        text: `with incoming as (
            select * from json_to_recordset($1::json) as r (
              id text, account_id text, agent_id text, version integer, status text, fuel bigint, wall_micros bigint, cost_nano_usd bigint,
              finished_at timestamptz, bundle text, record text)
          ), known as (
            select distinct on (i.id) i.* from incoming i
            join accounts a on a.id = i.account_id
            join agent_versions v on v.agent_id = i.agent_id and v.version = i.version
          ), recorded as (
            insert into executions as held (id, account_id, agent_id, version, status, fuel, cost_nano_usd, finished_at, bundle, record)
            select id, account_id, agent_id, version, status, fuel, cost_nano_usd, finished_at, bundle, record::json from known order by id
            on conflict (id) do update set status = excluded.status, fuel = excluded.fuel, cost_nano_usd = excluded.cost_nano_usd,
              finished_at = excluded.finished_at, bundle = excluded.bundle, record = excluded.record, recorded_at = now(), due_at = null, began_at = null,
              history = execution_history(held, excluded.finished_at, excluded.status)
            where held.finished_at is null and held.account_id = excluded.account_id
            returning id
          ), counted as (
            -- In the order of the key, so that batches which meet wait for each other in one direction.
            insert into account_usage as held (account_id, day, executions, fuel, wall_micros, cost_nano_usd)
            select k.account_id, (k.finished_at at time zone 'UTC')::date, count(*), coalesce(sum(k.fuel), 0), sum(k.wall_micros),
              coalesce(sum(k.cost_nano_usd), 0)
            from known k join recorded r on r.id = k.id
            group by 1, 2 order by 1, 2
            on conflict (account_id, day) do update set executions = held.executions + excluded.executions,
              fuel = held.fuel + excluded.fuel, wall_micros = held.wall_micros + excluded.wall_micros,
              cost_nano_usd = held.cost_nano_usd + excluded.cost_nano_usd
          )
          select id from incoming except select id from known`,
        parameters: [JSON.stringify(rows)],
      })
      return unknown.map(({ id }) => id)
    },

    async keepRejected(host, rejected) {
      await database.query(ignoredRowSchema, {
        text: `insert into rejected_outcomes (host, id, reason, record)
          select $1, id, reason, record::json from json_to_recordset($2::json) as r (id text, reason text, record text)
          on conflict do nothing`,
        parameters: [host, JSON.stringify(rejected)],
      })
    },

    async find(id) {
      const [found] = await database.query(z.union([recordedRowSchema, unrecordedRowSchema]), {
        text: `select record::text as record, id, account_id, agent_id, version, status, request, failure, replay_of, created_at, finished_at, history
          from executions where id = $1`,
        parameters: [id],
      })
      return found
    },

    list: (accountId, { agentId, status, limit, after }) => {
      const filters = ownFilters('executions', accountId, { agent_id: agentId, status })
      return keysetPage(database, { row: summaryRowSchema, table: 'executions', columns: summaryColumns, filters, limit, after })
    },

    async usageByDay(accountId, { from }) {
      return database.query(usageRowSchema, {
        text: `select day::text as day, executions, fuel, wall_micros, cost_nano_usd from account_usage
          where account_id = $1 and day >= $2::date order by account_usage.day desc`,
        parameters: [accountId, from],
      })
    },
  }
}

/** Whole numbers, so that sums are exact. */
function nanoUsd(microUsd: number | null): number | null {
  return microUsd === null ? null : Math.round(microUsd * 1_000)
}
