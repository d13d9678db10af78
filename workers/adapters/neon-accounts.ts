// Accounts in Postgres; their keys are in neon-keys.ts.
import { z } from 'zod'
import { ProblemError } from '../../shared/problem.ts'
import type { AccountStore } from '../../shared/ports.ts'
import { isUniqueViolation, type Database } from './neon.ts'
import { insertKey } from './neon-keys.ts'
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
          insertKey(id, key),
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
  }
}
