// Dead letters in Postgres. Those of work are written by triggers (migrations/0013-dead-letters.sql).
import { z } from 'zod'
import { deadLetterKindSchema, deadLetterSchema, refusedMessagesMax } from '../../shared/dead-letter.ts'
import type { DeadLetterStore } from '../../shared/dead-letter-ports.ts'
import { keysetPage, ownFilters } from './keyset-page.ts'
import type { Database } from './neon.ts'
import { ignoredRowSchema, instantSchema } from './neon-rows.ts'

const table = 'dead_letters'
const columns = `id, kind, account_id, submission_id, execution_id, agent_id, version, reason, attempts, message, replayed_as, created_at`

const rowSchema = z
  .object({
    id: z.string(),
    kind: deadLetterKindSchema,
    account_id: z.string().nullable(),
    submission_id: z.string().nullable(),
    execution_id: z.string().nullable(),
    agent_id: z.string().nullable(),
    version: z.number().nullable(),
    reason: z.string(),
    attempts: deadLetterSchema.shape.attempts,
    message: deadLetterSchema.shape.message,
    replayed_as: z.string().nullable(),
    created_at: instantSchema,
  })
  .transform((row) => ({
    id: row.id,
    kind: row.kind,
    accountId: row.account_id,
    submissionId: row.submission_id,
    executionId: row.execution_id,
    agentId: row.agent_id,
    version: row.version,
    reason: row.reason,
    attempts: row.attempts,
    message: row.message,
    replayedAs: row.replayed_as,
    createdAt: row.created_at,
  }))

export function neonDeadLetterStore(database: Database): DeadLetterStore {
  return {
    list({ accountId, kind, agentId, limit, after }) {
      const wanted = { kind, agent_id: agentId }
      const all = Object.entries(wanted).flatMap(([column, value]) => (value === undefined ? [] : [{ table, where: { [column]: value } }]))
      const filters = accountId === undefined ? all : ownFilters(table, accountId, wanted)
      return keysetPage(database, { row: rowSchema, table, columns, filters, limit, after })
    },

    async find(id, accountId) {
      const [letter] = await database.query(rowSchema, {
        text: `select ${columns} from ${table} where id = $1 and ($2::text is null or account_id = $2)`,
        parameters: [id, accountId ?? null],
      })
      return letter
    },

    async remove(id, accountId) {
      const removed = await database.query(ignoredRowSchema, {
        text: `delete from ${table} where id = $1 and ($2::text is null or account_id = $2) returning id`,
        parameters: [id, accountId ?? null],
      })
      return removed.length > 0
    },

    async replay(id, { from, to }) {
      const claimed = await database.query(ignoredRowSchema, {
        text: `update ${table} set replayed_as = $3 where id = $1 and replayed_as is not distinct from $2::text returning id`,
        parameters: [id, from, to],
      })
      return claimed.length > 0
    },

    async keepRefused({ host, topic, partition, offset, refusal, detail, bytes, text, sha256 }, { id, at }) {
      await database.query(ignoredRowSchema, {
        text: `insert into ${table} (id, origin, kind, reason, message, created_at)
          select $1, $2, 'message', $3, $4::json, $5::timestamptz
          where (select count(*) from (select from ${table} where kind = 'message' limit ${refusedMessagesMax}) kept) < ${refusedMessagesMax}
          on conflict (origin) do nothing`,
        parameters: [
          id,
          `${topic} ${partition} ${offset} ${sha256}`,
          `${refusal}: ${detail}; refused by ${host}`.slice(0, 1_000),
          JSON.stringify({ topic, partition, offset, refusal, bytes, text }),
          at,
        ],
      })
    },

    unannounced: (limit) =>
      database.query(rowSchema, {
        text: `select ${columns} from ${table} where announced_at is null order by id limit $1`,
        parameters: [limit],
      }),

    async announced(ids, at) {
      await database.query(ignoredRowSchema, {
        text: `update ${table} set announced_at = $2::timestamptz where id in (select json_array_elements_text($1::json))`,
        parameters: [JSON.stringify(ids), at],
      })
    },

    async forgetOld({ before, limit }) {
      const forgotten = await database.query(ignoredRowSchema, {
        text: `delete from ${table} where id in (
            select id from ${table} where created_at < $1::timestamptz order by created_at limit $2
          ) returning id`,
        parameters: [before, limit],
      })
      return forgotten.length
    },
  }
}
