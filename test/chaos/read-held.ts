// Reads what the cloud holds: rows straight from Postgres, artifacts through the API and, for themselves, out of the bucket.
import { createHash } from 'node:crypto'
import { Client } from 'pg'
import { z } from 'zod'
import { executionRecordSchema, executionStatusSchema, placeOf, type ExecutionRecord } from '../../shared/execution.ts'
import { submissionStatusSchema } from '../../shared/submission.ts'
import { createBucket } from '../../sandbox-host/bucket.ts'
import type { Stack } from '../../local/stack.ts'
import { deedsOf, idOf, type Deed } from './deed.ts'
import type { Held, HeldArtifact, HeldVerdict } from './held.ts'

/** Longer than a sweep takes to come by, see local/edge.ts. */
const overdueSeconds = 15
/** More than a segment of the host's journal. */
const objectBytesMax = 64 * 1024 * 1024
const readMsMax = 10_000

const count = z.coerce.number().int()

const tables = {
  executions: [z.object({ id: z.string(), record: executionRecordSchema }), 'select id, record from executions where record is not null'],
  asyncExecutions: [
    z.object({
      id: z.string(),
      accountId: z.string(),
      seed: count,
      status: executionStatusSchema,
      replayOf: z.string().nullable(),
      output: z.string().nullable(),
    }),
    `select id, account_id as "accountId", request ->> 'seed' as seed, status, replay_of as "replayOf", record ->> 'output' as output
      from executions where turn is not null`,
  ],
  waiting: [
    z.object({ accountId: z.string(), count: z.number() }),
    'select account_id as "accountId", executions_waiting as count from account_quotas',
  ],
  deadLetters: [
    z.object({ id: z.string(), executionId: z.string().nullable(), submissionId: z.string().nullable(), attempts: z.number() }),
    `select id, execution_id as "executionId", submission_id as "submissionId", jsonb_array_length(attempts) as attempts
      from dead_letters where kind <> 'message'`,
  ],
  rejectedOutcomes: [z.object({ id: z.string() }).transform(({ id }) => id), 'select id from rejected_outcomes'],
  agents: [
    z.object({ id: z.string(), accountId: z.string(), name: z.string(), version: z.number() }),
    'select id, account_id as "accountId", name, version from agents',
  ],
  versions: [
    z.object({ agentId: z.string(), version: z.number(), sha256: z.string() }),
    'select agent_id as "agentId", version, sha256 from agent_versions',
  ],
  bounties: [
    z.object({
      id: z.string(),
      title: z.string(),
      accountId: z.string(),
      status: z.string(),
      rewardCredits: count,
      awardedSubmissionId: z.string().nullable(),
      hasChecker: z.boolean(),
      isOverdue: z.boolean(),
    }),
    `select id, title, account_id as "accountId", status, reward_credits as "rewardCredits", awarded_submission_id as "awardedSubmissionId",
      checker_agent_id is not null as "hasChecker", coalesce(deadline < now() - interval '${overdueSeconds} s', false) as "isOverdue" from bounties`,
  ],
  submissions: [
    z.object({
      id: z.string(),
      bountyId: z.string(),
      agentId: z.string(),
      accountId: z.string(),
      status: submissionStatusSchema,
      round: z.number(),
      casesTotal: z.number(),
      casesPassed: z.number(),
    }),
    `select id, bounty_id as "bountyId", agent_id as "agentId", account_id as "accountId", status, round, cases_total as "casesTotal",
      cases_passed as "casesPassed" from submissions`,
  ],
  verdicts: [
    z.object({ submissionId: z.string(), caseId: z.string(), revision: z.number(), status: z.string() }),
    'select submission_id as "submissionId", case_id as "caseId", revision, status from verdicts',
  ],
  cases: [
    z.object({
      id: z.string(),
      bountyId: z.string(),
      name: z.string().nullable(),
      revision: z.number(),
      isCurrent: z.boolean(),
      n: count,
      expected: count,
    }),
    `select id, bounty_id as "bountyId", name, revision, true as "isCurrent", input ->> 'n' as n, expected::text as expected from cases
      union all
      select c.id, c.bounty_id, c.name, r.revision, false, r.input ->> 'n', r.expected::text from case_revisions r join cases c on c.id = r.case_id`,
  ],
  agentRanks: [
    z.object({ bountyId: z.string(), agentId: z.string(), accountId: z.string(), submissionId: z.string(), casesPassed: z.number() }),
    `select bounty_id as "bountyId", agent_id as "agentId", account_id as "accountId", submission_id as "submissionId",
      cases_passed as "casesPassed" from agent_ranks`,
  ],
  accountRanks: [
    z.object({ accountId: z.string(), casesPassed: count }),
    'select account_id as "accountId", cases_passed as "casesPassed" from account_ranks',
  ],
  holders: [z.object({ id: z.string(), balance: count }), 'select id, balance from ledger_holders'],
  transfers: [
    z.object({
      id: z.string(),
      kind: z.string(),
      subject: z.string(),
      fromId: z.string(),
      toId: z.string(),
      credits: count,
      reason: z.string().nullable(),
    }),
    'select id, kind, subject, from_id as "fromId", to_id as "toId", credits, reason from ledger_transfers',
  ],
  entries: [
    z.object({ holderId: z.string(), transferId: z.string(), credits: count }),
    'select holder_id as "holderId", transfer_id as "transferId", credits from ledger_entries',
  ],
  deliveries: [
    z.object({ id: z.string(), eventId: z.string(), status: z.string() }),
    'select id, event_id as "eventId", status from webhook_deliveries',
  ],
  events: [
    z.object({ id: z.string(), type: z.string(), subject: z.string() }),
    `select id, body ->> 'type' as type, coalesce(case body ->> 'type'
      when 'submission.finished' then body -> 'data' ->> 'submissionId' when 'execution.finished' then body -> 'data' ->> 'executionId'
      else body -> 'data' ->> 'bountyId' end, '') as subject from webhook_events`,
  ],
} as const

export type HeldReader = {
  /** @throws when Postgres does not answer */
  read: () => Promise<Held>
  /** A look at what may never change, to be held against what is read later. */
  glance: () => Promise<void>
}

export type HeldReaderOptions = {
  stack: Pick<Stack, 'baseUrl' | 'databaseUrl' | 'bucket'>
  deeds: readonly Deed[]
  /** Who made an execution may read its artifacts. */
  apiKeyOf: (accountId: string) => string
  heardEventIds: () => string[]
}

export function heldReader({ stack, deeds, apiKeyOf, heardEventIds }: HeldReaderOptions): HeldReader {
  const bucket = createBucket(stack.bucket)
  /** Those that were right once: bundles never change. */
  const artifacts: Record<string, HeldArtifact> = {}
  const earlierVerdicts = new Map<string, HeldVerdict>()

  function keep(verdicts: readonly HeldVerdict[]): void {
    for (const verdict of verdicts) earlierVerdicts.set(Object.values(verdict).join(' '), verdict)
  }

  async function withDatabase<T>(use: (client: Client) => Promise<T>): Promise<T> {
    const client = new Client({ connectionString: stack.databaseUrl, connectionTimeoutMillis: readMsMax, query_timeout: readMsMax })
    // The query is told of it.
    client.on('error', () => {})
    try {
      await client.connect()
      return await use(client)
    } finally {
      await client.end().catch(() => {})
    }
  }

  async function readArtifacts(executions: Held['executions']): Promise<void> {
    const records = new Map(executions.map(({ id, record }) => [id, record]))
    const objects = new Map<string, Promise<Buffer | undefined>>()
    const objectOf = (key: string) => {
      const known = objects.get(key) ?? bucket.get(key, objectBytesMax).catch(() => undefined)
      objects.set(key, known)
      return known
    }
    for (const deed of [...deedsOf(deeds, 'execute'), ...deedsOf(deeds, 'execute-async')]) {
      const { artifact } = deed.aim
      const record = records.get(idOf(deed) ?? '')
      if (!artifact || record?.status !== 'completed') continue
      const name = `${record.id}/${artifact.name}`
      const known = artifacts[name]
      if (known?.api === artifact.sha256 && known.bucket === artifact.sha256) continue
      const place = record.artifacts.find((stored) => stored.name === artifact.name)
      const { key, offset } = place ? placeOf(place) : { key: '', offset: 0 }
      const object = place && (await objectOf(key))
      const bytes = place && object?.subarray(offset, offset + place.bytes)
      artifacts[name] = { api: await readThroughApi(record, artifact.name), bucket: bytes ? sha256(bytes) : 'no bundle in the bucket' }
    }
  }

  async function readThroughApi({ id, accountId }: ExecutionRecord, name: string): Promise<string> {
    const headers = { authorization: `Bearer ${apiKeyOf(accountId)}` }
    try {
      const response = await fetch(`${stack.baseUrl}/api/executions/${id}/artifacts/${name}`, {
        headers,
        signal: AbortSignal.timeout(readMsMax),
      })
      const bytes = Buffer.from(await response.arrayBuffer())
      return response.ok ? sha256(bytes) : `was answered ${response.status}`
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  return {
    read: () =>
      withDatabase(async (client) => {
        // One instant: money that is on its way would not add up.
        await client.query('begin isolation level repeatable read read only')
        const rows: Record<string, unknown[]> = {}
        for (const [name, [schema, text]] of Object.entries(tables)) {
          rows[name] = (await client.query<object>(text)).rows.map((row) => schema.parse(row))
        }
        // Its tables are those of Held, each parsed by its schema.
        const held = {
          ...rows,
          artifacts,
          earlierVerdicts: [...earlierVerdicts.values()],
          heardEventIds: heardEventIds(),
        } as unknown as Held
        keep(held.verdicts)
        await readArtifacts(held.executions)
        return held
      }),
    glance: () =>
      withDatabase(async (client) => {
        const [schema, text] = tables.verdicts
        keep((await client.query<object>(text)).rows.map((row) => schema.parse(row)))
      }),
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
