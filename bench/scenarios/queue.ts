// How long an execution that nobody waits for takes from its row to its outcome's row, over both drivers of the event log: submitted at a steady
// rate that leaves the machine idle most of the time, in turns, so that whatever else runs there meets them alike. Both instants are those of the
// rows: `created_at` is the Worker's clock just before its 202, `recorded_at` the database's when the outcome is written; one machine, one clock.
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { z } from 'zod'
import type { EventLogName } from '../../local/kafka-parts.ts'
import { startStack, type Stack } from '../../local/stack.ts'
import type { BenchRun, ScenarioResult } from '../scenario.ts'
import { quantile } from '../statistics.ts'

const roundsFull = 5
const perRound = 50
const everyMs = 100
const settleMsMax = 60_000

type Way = { name: string; eventLog: EventLogName; tier: 'basic' | 'premium' }
/** The Worker that answers takes a first turn of at most 20 s itself; a larger tier leaves it to whoever takes the message. */
const ways: Way[] = [
  { name: 'queues, by its message', eventLog: 'queues', tier: 'premium' },
  { name: 'queues, first turn taken at once', eventLog: 'queues', tier: 'basic' },
  { name: 'kafka, by its message', eventLog: 'kafka', tier: 'premium' },
]

type Sample = { totalMs: number; takenMs: number }
type Cloud = { stack: Stack; agentId: string; database: Client; stop: () => Promise<void> }

export async function queue(run: BenchRun): Promise<ScenarioResult> {
  const rounds = run.quick ? 1 : roundsFull
  run.plan((rounds + 1) * ways.length)
  const clouds = new Map<EventLogName, Cloud>()
  const samples = new Map<Way, Sample[]>(ways.map((way) => [way, []]))
  try {
    for (const eventLog of ['queues', 'kafka'] as const) clouds.set(eventLog, await startCloud(eventLog))
    // The first round warms up.
    for (let round = 0; round <= rounds; round++) {
      for (const way of ways) {
        const cloud = clouds.get(way.eventLog)
        if (!cloud) throw new Error(`there is no cloud with ${way.eventLog}`)
        run.step(way.name)
        const found = await measure(cloud, way)
        if (round > 0) samples.get(way)?.push(...found)
      }
    }
  } finally {
    for (const cloud of clouds.values()) await cloud.stop()
  }
  const figures = [...samples].flatMap(([{ name }, all]) => {
    const of = (q: number, pick: (sample: Sample) => number) => quantile(all.map(pick), q)
    return [
      { name: `${name}: queue to outcome, p50, ms`, value: of(0.5, ({ totalMs }) => totalMs) },
      { name: `${name}: queue to outcome, p99, ms`, value: of(0.99, ({ totalMs }) => totalMs) },
      { name: `${name}: queue to taken, p50, ms`, value: of(0.5, ({ takenMs }) => takenMs) },
    ]
  })
  const raw = { rounds, perRound, everyMs, samples: Object.fromEntries([...samples].map(([{ name }, all]) => [name, all])) }
  return { figures, raw }
}

async function startCloud(eventLog: EventLogName): Promise<Cloud> {
  const localDir = await mkdtemp(join(tmpdir(), `bounty-bench-${eventLog}-`))
  // postgres runs as another user when this runs as root
  await chmod(localDir, 0o755)
  const stack = await startStack({ localDir, edgePort: 0, directPort: 0, hostPort: 0, eventLog })
  const database = new Client({ connectionString: stack.databaseUrl })
  await database.connect()
  const stop = async () => {
    await database.end()
    await stack.stop()
    await rm(localDir, { recursive: true, force: true })
  }
  try {
    const program = { name: 'bench-queue', kind: 'script', source: 'export default (n) => n + 1' }
    return { stack, database, stop, agentId: await post(stack, '/api/agents', program) }
  } catch (error) {
    await stop()
    throw error
  }
}

async function post({ baseUrl, demoKey }: Stack, path: string, body: object): Promise<string> {
  const headers = { authorization: `Bearer ${demoKey}`, 'content-type': 'application/json', prefer: 'respond-async' }
  const response = await fetch(baseUrl + path, { method: 'POST', headers, body: JSON.stringify(body) })
  const text = await response.text()
  if (!response.ok) throw new Error(`POST ${path} was answered ${response.status}: ${text.slice(0, 300)}`)
  return z.object({ id: z.string() }).parse(JSON.parse(text)).id
}

async function measure({ stack, agentId, database }: Cloud, { tier }: Way): Promise<Sample[]> {
  const asked: Promise<string>[] = []
  for (let n = 0; n < perRound; n++) {
    asked.push(post(stack, `/api/agents/${agentId}/executions`, { input: n, tier }))
    await pause(everyMs)
  }
  const ids = await Promise.all(asked)
  const until = performance.now() + settleMsMax
  for (;;) {
    const { rows } = await database.query<{ total: number; taken: number }>(
      `select extract(epoch from recorded_at - created_at)::float8 * 1000 as total,
        extract(epoch from (history -> 0 ->> 'beganAt')::timestamptz - created_at)::float8 * 1000 as taken
      from executions where id in (select json_array_elements_text($1::json)) and status = 'completed'`,
      [JSON.stringify(ids)],
    )
    if (rows.length === ids.length) return rows.map(({ total, taken }) => ({ totalMs: total, takenMs: taken }))
    if (performance.now() > until) throw new Error(`${ids.length - rows.length} of ${ids.length} executions have not completed`)
    await pause(100)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
