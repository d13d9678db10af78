// Agents and their versions in Postgres.
import { z } from 'zod'
import { programKindSchema, scriptModeOf } from '../../shared/agent.ts'
import type { Program } from '../../shared/agent.ts'
import { functionReportSchema } from '../../shared/function-report.ts'
import { ProblemError } from '../../shared/problem.ts'
import type { AgentStore, PreparedVersion } from '../../shared/agent-ports.ts'
import { quotaExceeded } from '../../shared/quotas.ts'
import { scriptModeSchema } from '../../shared/script-mode.ts'
import { searchWords } from '../../shared/search-words.ts'
import { limits } from '../../shared/tiers.ts'
import { keysetPage, type KeysetFilter } from './keyset-page.ts'
import { isUniqueViolation, isViolation, type Database } from './neon.ts'
import { instantSchema } from './neon-rows.ts'

const columns = 'id, account_id, name, kind, version, sha256, bytes, script_mode, created_at, updated_at'

const functions = functionReportSchema.nullable()
const agentRow = z.object({
  id: z.string(),
  account_id: z.string(),
  name: z.string(),
  kind: programKindSchema,
  version: z.number(),
  sha256: z.string(),
  bytes: z.number(),
  script_mode: scriptModeSchema.nullable(),
  created_at: instantSchema,
  updated_at: instantSchema,
})

function programOf({ kind, sha256, script_mode }: Pick<z.infer<typeof agentRow>, 'kind' | 'sha256' | 'script_mode'>): Program {
  return { kind, sha256, ...(script_mode === null ? {} : { scriptMode: script_mode }) }
}

function agentOf<R extends z.infer<typeof agentRow>>(row: R) {
  const { account_id, script_mode: _mode, created_at, updated_at, ...rest } = row
  return { ...rest, accountId: account_id, scriptMode: scriptModeOf(programOf(row)), createdAt: created_at, updatedAt: updated_at }
}

const agentRowSchema = agentRow.transform((row) => agentOf(row))
const deployedRowSchema = agentRow.extend({ functions }).transform((row) => agentOf(row))

const versionRowSchema = agentRow
  .omit({ id: true, name: true, updated_at: true })
  .extend({ agent_id: z.string(), functions, engine: z.string() })
  .transform((row) => {
    const { agent_id, account_id, script_mode: _mode, created_at, ...rest } = row
    return { ...rest, agentId: agent_id, accountId: account_id, scriptMode: scriptModeOf(programOf(row)), createdAt: created_at }
  })

const runnableRowSchema = agentRow
  .pick({ account_id: true, version: true, kind: true, sha256: true, script_mode: true })
  .extend({ agent_id: z.string() })
  .transform((row) => ({ agentId: row.agent_id, accountId: row.account_id, version: row.version, program: programOf(row) }))

export function neonAgentStore(database: Database): AgentStore {
  async function find(id: string) {
    const [row] = await database.query(agentRowSchema, { text: `select ${columns} from agents where id = $1`, parameters: [id] })
    return row
  }

  return {
    async create({ id, accountId, name, kind, version, sha256, bytes, scriptMode, createdAt, updatedAt }, prepared) {
      try {
        await database.transaction([
          {
            text: `insert into agents (${columns}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
            parameters: [id, accountId, name, kind, version, sha256, bytes, scriptMode, createdAt, updatedAt],
          },
          {
            text: `insert into agent_versions (agent_id, version, sha256, bytes, engine, script_mode, functions, created_at)
              values ($1, $2, $3, $4, $5, $6, $7, $8)`,
            parameters: [id, version, sha256, bytes, prepared.engine, scriptMode, jsonOf(prepared), createdAt],
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

    async addVersion({ agentId, sha256, bytes, scriptMode, askedAt, at, ...prepared }) {
      await database.transaction([
        // One after the other: the next statement sees what another try at the same request has added.
        { text: 'select 1 from agents where id = $1 for no key update', parameters: [agentId] },
        {
          text: `with changed as (
              update agents set version = version + 1, sha256 = $2, bytes = $3::integer, script_mode = $7, updated_at = $6::timestamptz
              where id = $1 and version < ${limits.versionsPerAgentMax} and not exists (
                select from agent_versions where agent_id = $1 and sha256 = $2 and created_at = $5::timestamptz)
              returning id, version
            )
            insert into agent_versions (agent_id, version, sha256, bytes, engine, script_mode, functions, created_at)
            select id, version, $2, $3::integer, $4, $7, $8::json, $5::timestamptz from changed`,
          parameters: [agentId, sha256, bytes, prepared.engine, askedAt, at, scriptMode, jsonOf(prepared)],
        },
      ])
      const [row] = await database.query(deployedRowSchema, {
        text: `select a.id, a.account_id, a.name, a.kind, v.version, v.sha256, v.bytes, v.script_mode, v.functions, a.created_at, a.updated_at
          from agents a join agent_versions v on v.agent_id = a.id
          where a.id = $1 and v.sha256 = $2 and v.created_at = $3::timestamptz`,
        parameters: [agentId, sha256, askedAt],
      })
      // Agents are never deleted: one that is there, and has no such version, has all the versions that it may have.
      if (!row && (await find(agentId))) throw quotaExceeded(`versions of agent ${agentId}`, limits.versionsPerAgentMax)
      return row
    },

    find,

    async findVersion(id, version) {
      const [row] = await database.query(versionRowSchema, {
        text: `select v.agent_id, a.account_id, v.version, a.kind, v.sha256, v.bytes, v.script_mode, v.functions, v.engine, v.created_at
          from agents a join agent_versions v on v.agent_id = a.id and v.version = $2::integer
          where a.id = $1`,
        parameters: [id, version],
      })
      return row
    },

    async findRunnable(id, version) {
      const [row] = await database.query(runnableRowSchema, {
        text: `select v.agent_id, a.account_id, v.version, a.kind, v.sha256, v.script_mode
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

function jsonOf({ functions: report }: PreparedVersion): string | null {
  return report === undefined ? null : JSON.stringify(report)
}
