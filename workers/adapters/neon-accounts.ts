// Accounts in Postgres; their keys are in neon-keys.ts.
import { z } from 'zod'
import { ProblemError } from '../../shared/problem.ts'
import type { AccountStore } from '../../shared/ports.ts'
import { isUniqueViolation, type Database } from './neon.ts'
import { insertKey } from './neon-keys.ts'
import { bigintSchema, instantSchema } from './neon-rows.ts'

const accountRowSchema = z
  .object({ id: z.string(), name: z.string(), created_at: instantSchema })
  .transform(({ id, name, created_at }) => ({ id, name, createdAt: created_at }))

const pageRowSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    created_at: instantSchema,
    balance: bigintSchema,
    agents: z.number(),
    open_bounties: z.number(),
    executions_waiting: z.number(),
    keys: bigintSchema,
    webhooks: bigintSchema,
  })
  .transform(({ id, name, created_at, balance, agents, open_bounties, executions_waiting, keys, webhooks }) => ({
    id,
    name,
    createdAt: created_at,
    balanceCredits: balance,
    used: { agents, openBounties: open_bounties, executionsWaiting: executions_waiting, keys, webhooks },
  }))

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

    async findPage(id) {
      const [row] = await database.query(pageRowSchema, {
        text: `select a.id, a.name, a.created_at, h.balance, q.agents, q.open_bounties, q.executions_waiting,
            (select count(*) from api_keys where account_id = a.id) as keys, (select count(*) from webhooks where account_id = a.id) as webhooks
          from accounts a join ledger_holders h on h.id = a.id join account_quotas q on q.account_id = a.id where a.id = $1`,
        parameters: [id],
      })
      return row
    },
  }
}
