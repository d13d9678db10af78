// A local cloud whose operations are counted as they are charged for: requests on the wire by proxies on every link, Redis by its own command
// statistics (what scripts call, too, as Upstash counts), bucket and queue by the Worker's counters, its log by lines, CPU time by the operating
// system, bytes of rows by Postgres.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { nothing, type Quantities } from '../shared/execution-cost.ts'
import { linkNames, type LinkName } from '../local/stack.ts'
import { countsSince, openCountingLink, requestsOf, type CountingLink, type LinkCounts } from './counting-link.ts'
import { restKey } from '../workers/sweep-rest.ts'
import { withLocalCloud, type LocalCloud } from './local-cloud.ts'
import { treeCpuMs } from './process-tree.ts'

export type Meters = {
  links: Record<LinkName, LinkCounts>
  /** By command. */
  redis: Record<string, number>
  /** Of the Worker's own: `bucket_operations_total{operation="read"}` and so on. */
  worker: Record<string, number>
  /** Lines that the Worker logged, each an event of Workers Logs. */
  logEvents: number
  /** workerd is all that runs in it: the Worker, but also what emulates bucket and queue, and miniflare's entry in front of the bucket. */
  cpuMs: { workerd: number; host: number; postgres: number }
  /** Of these tables with their indexes. */
  tableBytes: { executions: number; verdicts: number }
  seconds: number
}

export type MeteredCloud = LocalCloud & { database: Client; read: (order: 'before' | 'after') => Promise<Meters> }

/** Of connections and of the one who counts; no caller pays for them. */
const notCharged = /^(info|hello|client|config|select|command|auth|ping)\b/

export async function withMeteredCloud<T>(measure: (cloud: MeteredCloud) => Promise<T>): Promise<T> {
  const links = new Map<LinkName, CountingLink>()
  const link = async (name: LinkName, port: number) => {
    const opened = await openCountingLink(name, port)
    links.set(name, opened)
    return opened.port
  }
  try {
    return await withLocalCloud(
      async (cloud) => {
        const database = new Client({ connectionString: cloud.databaseUrl })
        await database.connect()
        try {
          return await measure({ ...cloud, database, read: (order) => readMeters(cloud, { database, links, order }) })
        } finally {
          await database.end()
        }
      },
      { link },
    )
  } finally {
    for (const { close } of links.values()) close()
  }
}

/** Asking the Worker passes the links: it is the first thing before and the last thing afterwards. */
async function readMeters(
  cloud: LocalCloud,
  { database, links, order }: { database: Client; links: Map<LinkName, CountingLink>; order: 'before' | 'after' },
): Promise<Meters> {
  const early = order === 'before' ? await workerCounters(cloud) : undefined
  // Between any two readings the cron does the same: it has not seen for long enough that there is nothing to do.
  if (order === 'before') await askRedis(cloud, 'del', restKey)
  // Every link was opened when the cloud was started.
  const counts = Object.fromEntries(linkNames.map((name) => [name, links.get(name)?.counts()])) as Record<LinkName, LinkCounts>
  const { edge = 0, host = 0, postgres = 0 } = cloud.processes()
  const cpuMs = { workerd: treeCpuMs(edge, 'workerd'), host: treeCpuMs(host), postgres: treeCpuMs(postgres) }
  const seconds = performance.now() / 1_000
  const redis = await redisCommands(cloud)
  const { rows } = await database.query<{ executions: string; verdicts: string }>(
    `select pg_total_relation_size('executions') as executions, pg_total_relation_size('verdicts') as verdicts`,
  )
  const tableBytes = { executions: Number(rows[0]?.executions), verdicts: Number(rows[0]?.verdicts) }
  const logEvents = await linesLogged(join(cloud.localDir, 'logs', 'edge.log'))
  return { links: counts, redis, worker: early ?? (await workerCounters(cloud)), logEvents, cpuMs, tableBytes, seconds }
}

async function linesLogged(path: string): Promise<number> {
  return ((await readFile(path, 'utf8')).match(/"level":/g) ?? []).length
}

async function workerCounters({ directUrl }: LocalCloud): Promise<Record<string, number>> {
  const text = await (await fetch(`${directUrl}/api/metrics`)).text()
  const lines = text.matchAll(/^bounty_isolate_((?:queue|bucket)_operations_total\{.*\}) (\d+)$/gm)
  return Object.fromEntries([...lines].map(([, series, value]) => [series, Number(value)]))
}

async function askRedis({ upstash: { url, token } }: LocalCloud, ...command: string[]): Promise<unknown> {
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(command) })
  // Upstash's protocol, of our own bridge.
  return ((await response.json()) as { result: unknown }).result
}

async function redisCommands(cloud: LocalCloud): Promise<Record<string, number>> {
  const result = String(await askRedis(cloud, 'info', 'commandstats'))
  const lines = [...result.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)]
  return Object.fromEntries(lines.flatMap(([, name = '', calls]) => (notCharged.test(name) ? [] : [[name, Number(calls)]])))
}

export function metersSince(before: Meters, after: Meters): Meters {
  const links = Object.fromEntries(linkNames.map((name) => [name, countsSince(before.links[name], after.links[name])]))
  return {
    // One entry for each name.
    links: links as Record<LinkName, LinkCounts>,
    redis: less(after.redis, before.redis),
    worker: less(after.worker, before.worker),
    logEvents: after.logEvents - before.logEvents,
    cpuMs: { ...before.cpuMs, ...less(after.cpuMs, before.cpuMs) },
    tableBytes: { ...before.tableBytes, ...less(after.tableBytes, before.tableBytes) },
    seconds: after.seconds - before.seconds,
  }
}

function less(after: Record<string, number>, before: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)]))
}

export type Work = {
  /** What each is counted for: executions, or cases. */
  count: number
  /** Requests that callers made of the Worker. */
  callerRequests: number
  /** What guests held, times how long, of all. */
  memoryByteMs: number
}

/** What one of them takes, without what goes on anyway: crons here every 5 s. */
export function quantitiesEach(used: Meters, idle: Meters, { count, callerRequests, memoryByteMs }: Work): Quantities {
  const anyway = used.seconds / idle.seconds
  const over = (pick: (meters: Meters) => number) => Math.max(0, pick(used) - pick(idle) * anyway) / count
  const sum = (numbers: Record<string, number>) => Object.values(numbers).reduce((all, value) => all + value, 0)
  const worker = (series: string) => (meters: Meters) => meters.worker[series] ?? 0
  const bucket = (meters: Meters) => meters.links['host-bucket']
  return {
    ...nothing,
    workerRequests: callerRequests / count + over(({ links }) => requestsOf(links['host-edge'])),
    workerCpuMs: over(({ cpuMs }) => cpuMs.workerd),
    workerLogEvents: over(({ logEvents }) => logEvents),
    queueOperations: ['write', 'read', 'delete'].reduce(
      (all, name) => all + over(worker(`queue_operations_total{operation="${name}"}`)),
      0,
    ),
    redisCommands: over(({ redis }) => sum(redis)),
    r2Writes: over((meters) => requestsOf(bucket(meters), /^(PUT|POST)/)) + over(worker('bucket_operations_total{operation="write"}')),
    r2Reads: over((meters) => requestsOf(bucket(meters), /^(GET|HEAD)/)) + over(worker('bucket_operations_total{operation="read"}')),
    r2Bytes: over((meters) => bucket(meters).requestBytes),
    neonCpuMs: over(({ cpuMs }) => cpuMs.postgres),
    neonBytes: over(({ tableBytes }) => tableBytes.executions + tableBytes.verdicts),
    hostCpuMs: over(({ cpuMs }) => cpuMs.host),
    hostMemoryByteMs: memoryByteMs / count,
    hostEgressBytes: over(
      ({ links }) => links['edge-host'].responseBytes + links['host-edge'].requestBytes + links['host-bucket'].requestBytes,
    ),
  }
}
