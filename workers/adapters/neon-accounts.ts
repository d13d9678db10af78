// Accounts and their keys in Postgres.
import { z } from 'zod'
import { ProblemError } from '../../shared/problem.ts'
import type { AccountStore } from '../../shared/ports.ts'
import { isUniqueViolation, type Database } from './neon.ts'
import { instantSchema } from './neon-rows.ts'

const accountRowSchema = z
  .object({ id: z.string(), name: z.string(), created_at: instantSchema })
  .transform(({ id, name, created_at }) => ({ id, name, createdAt: created_at }))

export function neonAccountStore(database: Database): AccountStore {
  return {
    async create({ id, name, createdAt }, key) {
      try {
        await database.transaction([
          { text: 'insert into accounts (id, name, created_at) values ($1, $2, $3)', parameters: [id, name, createdAt] },
          {
            text: 'insert into api_keys (id, account_id, sha256, created_at) values ($1, $2, $3, $4)',
            parameters: [key.id, id, key.sha256, createdAt],
          },
        ])
      } catch (error) {
        if (!isUniqueViolation(error, 'accounts_name_key')) throw error
        throw new ProblemError('name-taken', { detail: `an account named ${JSON.stringify(name)} exists already; choose another name` })
      }
    },

    async find(id) {
      const [row] = await database.query(accountRowSchema, {
        text: 'select id, name, created_at from accounts where id = $1',
        parameters: [id],
      })
      return row
    },

    async findByKey(sha256) {
      const [row] = await database.query(z.object({ account_id: z.string() }), {
        text: 'select account_id from api_keys where sha256 = $1',
        parameters: [sha256],
      })
      return row?.account_id
    },
  }
}
