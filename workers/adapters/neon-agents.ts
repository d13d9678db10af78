// Agents and their versions in Postgres.
import { z } from 'zod'
import { programKindSchema } from '../../shared/agent.ts'
import { ProblemError } from '../../shared/problem.ts'
import type { AgentStore } from '../../shared/ports.ts'
import { isUniqueViolation, type Database } from './neon.ts'
import { instantSchema } from './neon-rows.ts'

const columns = 'id, account_id, name, kind, version, sha256, bytes, created_at, updated_at'

const agentRowSchema = z
  .object({
    id: z.string(),
    account_id: z.string(),
    name: z.string(),
    kind: programKindSchema,
    version: z.number(),
    sha256: z.string(),
    bytes: z.number(),
    created_at: instantSchema,
    updated_at: instantSchema,
  })
  .transform(({ account_id, created_at, updated_at, ...rest }) => ({
    ...rest,
    accountId: account_id,
    createdAt: created_at,
    updatedAt: updated_at,
  }))

const runnableRowSchema = z
  .object({ agent_id: z.string(), account_id: z.string(), version: z.number(), kind: programKindSchema, sha256: z.string() })
  .transform(({ agent_id, account_id, version, kind, sha256 }) => ({
    agentId: agent_id,
    accountId: account_id,
    version,
    program: { kind, sha256 },
  }))

export function neonAgentStore(database: Database): AgentStore {
  return {
    async create({ id, accountId, name, kind, version, sha256, bytes, createdAt, updatedAt }, engine) {
      try {
        await database.transaction([
          {
            text: `insert into agents (${columns}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
            parameters: [id, accountId, name, kind, version, sha256, bytes, createdAt, updatedAt],
          },
          {
            text: 'insert into agent_versions (agent_id, version, sha256, bytes, engine, created_at) values ($1, $2, $3, $4, $5, $6)',
            parameters: [id, version, sha256, bytes, engine, createdAt],
          },
        ])
      } catch (error) {
        if (!isUniqueViolation(error, 'agents_account_id_name_key')) throw error
        throw new ProblemError('name-taken', {
          detail: `the account has an agent named ${JSON.stringify(name)} already; choose another name, or post a version of that agent`,
        })
      }
    },

    async addVersion({ agentId, sha256, bytes, engine, at }) {
      const [row] = await database.query(agentRowSchema, {
        text: `with changed as (
            update agents set version = version + 1, sha256 = $2, bytes = $3, updated_at = $5 where id = $1 returning ${columns}
          ), added as (
            insert into agent_versions (agent_id, version, sha256, bytes, engine, created_at)
            select id, version, $2, $3::integer, $4, $5::timestamptz from changed
          )
          select ${columns} from changed`,
        parameters: [agentId, sha256, bytes, engine, at],
      })
      return row
    },

    async find(id) {
      const [row] = await database.query(agentRowSchema, { text: `select ${columns} from agents where id = $1`, parameters: [id] })
      return row
    },

    async findRunnable(id, version) {
      const [row] = await database.query(runnableRowSchema, {
        text: `select v.agent_id, a.account_id, v.version, a.kind, v.sha256
          from agents a join agent_versions v on v.agent_id = a.id and v.version = coalesce($2::integer, a.version)
          where a.id = $1`,
        parameters: [id, version ?? null],
      })
      return row
    },

    async list({ limit, after }) {
      return database.query(agentRowSchema, {
        text: `select ${columns} from agents where $1::text is null or id < $1 order by id desc limit $2`,
        parameters: [after ?? null, limit],
      })
    },
  }
}
