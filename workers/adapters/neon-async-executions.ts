// The turns of asynchronous executions in Postgres. Each write is one statement that names its turn and does nothing when that is over; what
// the host has recorded ends the same rows (neon-executions.ts), and the database sees to it that they end once
// (migrations/0012-async-executions.sql).
import { z } from 'zod'
import { runRequestSchema } from '../../shared/async-execution.ts'
import type { AsyncExecutionStore } from '../../shared/async-execution-ports.ts'
import { tooManyWaiting } from '../../shared/quotas.ts'
import { isViolation, type Database, type Statement } from './neon.ts'
import { ignoredRowSchema, instantSchema } from './neon-rows.ts'

const dueRowSchema = z
  .object({ id: z.string(), turn: z.number(), attempts: z.number(), waiting_since: instantSchema })
  .transform(({ waiting_since, ...row }) => ({ ...row, waitingSince: waiting_since }))
const turnRowSchema = z.object({ turn: z.number() })
const takenRowSchema = z
  .object({
    id: z.string(),
    agent_id: z.string(),
    account_id: z.string(),
    version: z.number(),
    request: runRequestSchema,
    input: z.string(),
    turn: z.number(),
    attempts: z.number(),
    waits: z.number(),
    waiting_since: instantSchema,
  })
  .transform(({ agent_id, account_id, waiting_since, request, ...row }) => ({
    ...row,
    ...request,
    agentId: agent_id,
    accountId: account_id,
    waitingSince: waiting_since,
  }))

/** Holds the execution for the statement, if the turn $2 is not over. */
const inTurn = 'e.id = $1 and e.turn = $2::integer and e.finished_at is null'

export function neonAsyncExecutionStore(database: Database): AsyncExecutionStore {
  const changed = async (statement: Statement) => (await database.query(ignoredRowSchema, statement)).length > 0

  return {
    async create({ id, agentId, accountId, version, tier, seed, startTime, program, input, createdAt, dueAt }) {
      const request = JSON.stringify({ tier, seed, startTime, program })
      try {
        return await changed({
          text: `insert into executions (id, account_id, agent_id, version, status, request, input, created_at, waiting_since, due_at,
              turn, attempts, waits, history)
            values ($1, $2, $3, $4::integer, 'queued', $5::json, $6::json, $7::timestamptz, $7::timestamptz, $8::timestamptz, 1, 0, 0, '[]')
            on conflict (id) do nothing returning id`,
          parameters: [id, accountId, agentId, version, request, input, createdAt, dueAt],
        })
      } catch (error) {
        if (isViolation(error, 'quota_executions_waiting')) throw tooManyWaiting()
        throw error
      }
    },

    async replay(id, { replayOf, createdAt, dueAt }) {
      try {
        return await changed({
          text: `insert into executions (id, account_id, agent_id, version, status, request, input, replay_of, created_at, waiting_since, due_at,
              turn, attempts, waits, history)
            select $1, account_id, agent_id, version, 'queued', request, input, id, $3::timestamptz, $3::timestamptz, $4::timestamptz, 1, 0, 0, '[]'
            from executions where id = $2 and status = 'failed'
            on conflict (id) do nothing returning id`,
          parameters: [id, replayOf, createdAt, dueAt],
        })
      } catch (error) {
        if (isViolation(error, 'quota_executions_waiting')) throw tooManyWaiting()
        throw error
      }
    },

    async take(id, { turn, at, dueAt, host = null }) {
      const [taken] = await database.query(takenRowSchema, {
        text: `update executions e set turn = e.turn + 1, status = 'running', attempts = e.attempts + 1, began_at = $3::timestamptz,
            due_at = $4::timestamptz, host = $5
          where ${inTurn} returning id, agent_id, account_id, version, request, input::text as input, turn, attempts, waits, waiting_since`,
        parameters: [id, turn, at, dueAt, host],
      })
      return taken
    },

    renew: (id, { turn, dueAt }) =>
      changed({ text: `update executions e set due_at = $3::timestamptz where ${inTurn} returning id`, parameters: [id, turn, dueAt] }),

    async putBack(id, { turn, at, dueAt, isWaiting, why }) {
      const [row] = await database.query(turnRowSchema, {
        text: `update executions e set turn = e.turn + 1, due_at = $4::timestamptz, began_at = null, host = null,
            attempts = case when $5::boolean then greatest(e.attempts - 1, 0) else e.attempts end,
            waits = case when $5::boolean then e.waits + 1 when e.began_at is null then e.waits else 0 end,
            waiting_since = case when $5::boolean or e.began_at is null then e.waiting_since else $3::timestamptz end,
            history = case when $5::boolean then e.history else execution_history(e, $3::timestamptz, $6) end
          where ${inTurn} returning turn`,
        parameters: [id, turn, at, dueAt, isWaiting, why],
      })
      return row?.turn
    },

    fail: (id, { turn, at, failure, why = failure }) =>
      changed({
        text: `update executions e set status = 'failed', failure = $4, finished_at = $3::timestamptz, due_at = null, began_at = null,
            history = execution_history(e, $3::timestamptz, $5)
          where ${inTurn} returning id`,
        parameters: [id, turn, at, failure, why],
      }),

    cancel: (id, { at }) =>
      changed({
        text: `update executions e set status = 'cancelled', finished_at = $2::timestamptz, due_at = null, began_at = null,
            history = execution_history(e, $2::timestamptz, 'cancelled')
          where e.id = $1 and e.finished_at is null returning id`,
        parameters: [id, at],
      }),

    findDue: ({ at, limit }) =>
      database.query(dueRowSchema, {
        text: `select id, turn, attempts, waiting_since from executions where due_at <= $1::timestamptz order by due_at limit $2`,
        parameters: [at, limit],
      }),
  }
}
