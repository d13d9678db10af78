// Agents and their versions in Postgres.
import { z } from 'zod'
import { programKindSchema } from '../../shared/agent.ts'
import { ProblemError } from '../../shared/problem.ts'
import type { AgentStore } from '../../shared/ports.ts'
import { quotaExceeded } from '../../shared/quotas.ts'
import { searchWords } from '../../shared/search-words.ts'
import { limits } from '../../shared/tiers.ts'
import { keysetPage, type KeysetFilter } from './keyset-page.ts'
import { isUniqueViolation, isViolation, type Database } from './neon.ts'
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
  async function find(id: string) {
    const [row] = await database.query(agentRowSchema, { text: `select ${columns} from agents where id = $1`, parameters: [id] })
    return row
  }

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
          {
            text: 'insert into agent_words (word, agent_id) select json_array_elements_text($2::json), $1',
            parameters: [id, JSON.stringify(searchWords(name))],
          },
        ])
      } catch (error) {
        if (isViolation(error, 'quota_agents')) throw quotaExceeded('agents', limits.agentsPerAccountMax)
        if (!isUniqueViolation(error, 'agents_account_id_name_key')) throw error
        throw new ProblemError('name-taken', {
          detail: `the account has an agent named ${JSON.stringify(name)} already; choose another name, or post a version of that agent`,
        })
      }
    },

    async addVersion({ agentId, sha256, bytes, engine, askedAt, at }) {
      await database.transaction([
        // One after the other: the next statement sees what another try at the same request has added.
        { text: 'select 1 from agents where id = $1 for no key update', parameters: [agentId] },
        {
          text: `with changed as (
              update agents set version = version + 1, sha256 = $2, bytes = $3::integer, updated_at = $6::timestamptz
              where id = $1 and version < ${limits.versionsPerAgentMax} and not exists (
                select from agent_versions where agent_id = $1 and sha256 = $2 and created_at = $5::timestamptz)
              returning id, version
            )
            insert into agent_versions (agent_id, version, sha256, bytes, engine, created_at)
            select id, version, $2, $3::integer, $4, $5::timestamptz from changed`,
          parameters: [agentId, sha256, bytes, engine, askedAt, at],
        },
      ])
      const [row] = await database.query(agentRowSchema, {
        text: `select a.id, a.account_id, a.name, a.kind, v.version, v.sha256, v.bytes, a.created_at, a.updated_at
          from agents a join agent_versions v on v.agent_id = a.id
          where a.id = $1 and v.sha256 = $2 and v.created_at = $3::timestamptz`,
        parameters: [agentId, sha256, askedAt],
      })
      // Agents are never deleted: one that is there, and has no such version, has all the versions that it may have.
      if (!row && (await find(agentId))) throw quotaExceeded(`versions of agent ${agentId}`, limits.versionsPerAgentMax)
      return row
    },

    find,

    async findRunnable(id, version) {
      const [row] = await database.query(runnableRowSchema, {
        text: `select v.agent_id, a.account_id, v.version, a.kind, v.sha256
          from agents a join agent_versions v on v.agent_id = a.id and v.version = coalesce($2::integer, a.version)
          where a.id = $1`,
        parameters: [id, version ?? null],
      })
      return row
    },

    list: ({ kind, owner, words = [], limit, after }) => {
      const filters: KeysetFilter[] = words.map((word) => ({ table: 'agent_words', id: 'agent_id', where: { word } }))
      if (owner !== undefined) filters.push({ table: 'agents', where: { account_id: owner } })
      if (kind !== undefined) filters.push({ table: 'agents', where: { kind } })
      return keysetPage(database, { row: agentRowSchema, table: 'agents', columns, filters, limit, after })
    },
  }
}
