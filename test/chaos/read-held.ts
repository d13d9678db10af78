// Reads what the cloud holds: rows straight from Postgres, artifacts through the API and, for themselves, out of the bucket.
import { createHash } from 'node:crypto'
import { Client } from 'pg'
import { z } from 'zod'
import { executionRecordSchema, placeOf, type ExecutionRecord } from '../../shared/execution.ts'
import { submissionStatusSchema } from '../../shared/submission.ts'
import { createBucket } from '../../sandbox-host/bucket.ts'
import type { Stack } from '../../local/stack.ts'
import { deedsOf, outcomesOf, type Deed } from './deed.ts'
import type { Held, HeldArtifact } from './held.ts'

/** Longer than a sweep takes to come by, see local/edge.ts. */
const overdueSeconds = 15
/** More than a segment of the host's journal. */
const objectBytesMax = 64 * 1024 * 1024
const readMsMax = 10_000

const count = z.coerce.number().int()

const tables = {
  executions: [z.object({ id: z.string(), record: executionRecordSchema }), 'select id, record from executions'],
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
      isOverdue: z.boolean(),
    }),
    `select id, title, account_id as "accountId", status, reward_credits as "rewardCredits", awarded_submission_id as "awardedSubmissionId",
      coalesce(deadline < now() - interval '${overdueSeconds} s', false) as "isOverdue" from bounties`,
  ],
  submissions: [
    z.object({
      id: z.string(),
      bountyId: z.string(),
      agentId: z.string(),
      accountId: z.string(),
      status: submissionStatusSchema,
      casesTotal: z.number(),
      casesPassed: z.number(),
    }),
    `select id, bounty_id as "bountyId", agent_id as "agentId", account_id as "accountId", status, cases_total as "casesTotal",
      cases_passed as "casesPassed" from submissions`,
  ],
  verdicts: [
    z.object({ submissionId: z.string(), caseId: z.string(), status: z.string() }),
    'select submission_id as "submissionId", case_id as "caseId", status from verdicts',
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
    `select id, body ->> 'type' as type, coalesce(case when body ->> 'type' = 'submission.finished' then body -> 'data' ->> 'submissionId'
      else body -> 'data' ->> 'bountyId' end, '') as subject from webhook_events`,
  ],
} as const

export type HeldReader = {
  /** @throws when Postgres does not answer */
  read: () => Promise<Held>
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

  async function readArtifacts(executions: Held['executions']): Promise<void> {
    const records = new Map(executions.map(({ id, record }) => [id, record]))
    const objects = new Map<string, Promise<Buffer | undefined>>()
    const objectOf = (key: string) => {
      const known = objects.get(key) ?? bucket.get(key, objectBytesMax).catch(() => undefined)
      objects.set(key, known)
      return known
    }
    for (const deed of deedsOf(deeds, 'execute')) {
      const { artifact } = deed.aim
      const record = records.get(outcomesOf(deed)[0]?.id ?? '')
      if (!artifact || !record) continue
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
    read: async () => {
      const client = new Client({ connectionString: stack.databaseUrl, connectionTimeoutMillis: readMsMax, query_timeout: readMsMax })
      // The query below is told of it.
      client.on('error', () => {})
      try {
        await client.connect()
        // One instant: money that is on its way would not add up.
        await client.query('begin isolation level repeatable read read only')
        const rows: Record<string, unknown[]> = {}
        for (const [name, [schema, text]] of Object.entries(tables)) {
          rows[name] = (await client.query<object>(text)).rows.map((row) => schema.parse(row))
        }
        // Its tables are those of Held, each parsed by its schema.
        const held = { ...rows, artifacts, heardEventIds: heardEventIds() } as unknown as Held
        await readArtifacts(held.executions)
        return held
      } finally {
        await client.end().catch(() => {})
      }
    },
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
