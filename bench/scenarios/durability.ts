// What keeping results costs: script executions over HTTP at a host with its journal on the disk, with the journal in memory (tmpfs: the same
// work without the disk), and at a host that keeps nothing. Rounds alternate. Then how long a host with a gigabyte of journal takes to come back.
import { fork, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile, readdir } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import autocannon from 'autocannon'
import { programKey } from '../../shared/agent.ts'
import { Journal } from '../../sandbox-host/journal.ts'
import { createLog } from '../../sandbox-host/log.ts'
import { signRequest } from '../../sandbox-host/signature.ts'
import type { Deployed } from '../fill-cloud.ts'
import type { BenchRun, ScenarioResult } from '../scenario.ts'
import { executionsPath, newId, signedExecutions } from '../signed-executions.ts'
import { median } from '../statistics.ts'

const roundsFull = 7
const secondsPerRound = 3
const connections = [1, 64]
const recoveries = 5
const journalBytes = 2 ** 30

const secret = 'of the benchmark and of nothing else'
const source = Buffer.from('export default (input) => input')
const sha256 = createHash('sha256').update(source).digest('hex')

const hosts = {
  disk: { file: '../../sandbox-host/main.ts', under: tmpdir() },
  memory: { file: '../../sandbox-host/main.ts', under: '/dev/shm' },
  nothing: { file: '../peers/forgetful-host.ts', under: tmpdir() },
} as const
type HostName = keyof typeof hosts
type Host = { url: string; id: string; stop: () => Promise<void> }
type Round = { perSecond: number; p50Ms: number; p99Ms: number; failed: number; executionsPerSync: number | null }

export async function durability(run: BenchRun): Promise<ScenarioResult> {
  const rounds = run.quick ? 2 : roundsFull
  run.plan(rounds * connections.length * Object.keys(hosts).length + 1)
  const peers = await startPeers()
  const running = new Map<HostName, Host>()
  try {
    for (const name of Object.keys(hosts) as HostName[]) running.set(name, await startHost(name, peers.url))
    const cells = connections.flatMap((count) => [...running].map(([name, host]) => ({ name, host, count, all: [] as Round[] })))
    for (const { host, count } of cells) await load(host, count, 1)
    for (let round = 0; round < rounds; round++) {
      for (const { name, host, count, all } of cells) {
        run.step(`journal: ${name}, ${count} connections`)
        all.push(await load(host, count, secondsPerRound))
      }
    }
    for (const host of running.values()) await host.stop()
    running.clear()
    run.step('recovery of a gigabyte')
    const recovery = await measureRecovery()
    const of = (name: HostName, count: number) => cells.find((cell) => cell.name === name && cell.count === count)?.all ?? []
    const perSecond = (name: HostName, count: number) => median(of(name, count).map((round) => round.perSecond))
    const failed = cells.flatMap(({ all }) => all).reduce((sum, round) => sum + round.failed, 0)
    return {
      figures: [
        ...connections.flatMap((count) => [
          { name: `${count} connections, journal on disk: executions per second`, value: perSecond('disk', count) },
          { name: `${count} connections, journal in memory: the same`, value: perSecond('memory', count) },
          { name: `${count} connections, nothing kept: the same`, value: perSecond('nothing', count) },
          {
            name: `${count} connections: share of the speed that is left with the journal`,
            value: median(of('disk', count).map((round, i) => round.perSecond / (of('nothing', count)[i]?.perSecond ?? Number.NaN))),
          },
          {
            name: `${count} connections: executions per sync`,
            value: median(of('disk', count).map(({ executionsPerSync }) => executionsPerSync ?? 0)),
          },
        ]),
        { name: 'failed requests', value: failed, target: '0' },
        { name: 'recovery of a journal of 1 GiB, s', value: median(recovery.seconds) },
        { name: 'recovery, MiB per second', value: journalBytes / 2 ** 20 / median(recovery.seconds) },
        { name: 'reading the same files, nothing else, s', value: median(recovery.readSeconds) },
      ],
      raw: { cells: cells.map(({ name, count, all }) => ({ name, count, all })), recovery },
    }
  } finally {
    for (const host of running.values()) await host.stop()
    peers.stop()
  }
}

/** A bucket and a Worker that take everything. */
async function startPeers(): Promise<{ url: string; stop: () => void }> {
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => {
      if (request.url?.endsWith(programKey(sha256))) response.end(source)
      else response.end('{"rejected":[]}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the peers have no port')
  return { url: `http://127.0.0.1:${address.port}`, stop: () => server.close() }
}

async function startHost(name: HostName, peersUrl: string): Promise<Host> {
  const { file, under } = hosts[name]
  const directory = mkdtempSync(join(under, 'bounty-bench-'))
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOST_PORT: '0',
    DATA_DIR: directory,
    SANDBOX_SECRET: secret,
    WORKER_URL: peersUrl,
    R2_ENDPOINT: `${peersUrl}/bucket`,
    R2_ACCESS_KEY_ID: 'key',
    R2_SECRET_ACCESS_KEY: 'secret',
    LOG_LEVEL: 'error',
    DRAIN_GRACE_MS: '5000',
    DISK_FREE_BYTES_MIN: '0',
  }
  const child: ChildProcess = fork(new URL(file, import.meta.url), [], { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const exited = once(child, 'exit')
  const ready = once(child, 'message') as Promise<[{ port: number }]>
  const [{ port }] = await Promise.race([ready, exited.then(() => Promise.reject(new Error(`the host "${name}" did not start`)))])
  const url = `http://127.0.0.1:${port}`
  // A signature is for one host.
  const { host: id } = (await (await fetch(`${url}/ready`)).json()) as { host: string }
  return {
    url,
    id,
    async stop() {
      child.kill('SIGTERM')
      await exited
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

const agent: Deployed = { id: newId('agent'), accountId: newId('account'), sha256 }

async function load({ url, id: host }: Host, count: number, seconds: number): Promise<Round> {
  const before = await journalCounts({ url, host })
  const result = await autocannon({
    url: `${url}${executionsPath}`,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    requests: [signedExecutions({ secret, host }, agent, { n: 1 })],
    connections: count,
    duration: seconds,
  })
  const after = await journalCounts({ url, host })
  const syncs = after.syncs - before.syncs
  return {
    perSecond: result['2xx'] / result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    failed: result.errors + result.timeouts + result.non2xx,
    executionsPerSync: syncs > 0 ? (after.records - before.records) / syncs : null,
  }
}

async function journalCounts({ url, host }: { url: string; host: string }): Promise<{ syncs: number; records: number }> {
  const headers = signRequest({ secret, audience: `host ${host}`, method: 'GET', path: '/metrics', body: Buffer.alloc(0), now: Date.now() })
  const text = await (await fetch(`${url}/metrics`, { headers })).text()
  const read = (name: string) => Number(new RegExp(`^host_journal_${name}\\{[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1] ?? 0)
  return { syncs: read('syncs'), records: read('records') }
}

/** Of a host that died with a gigabyte that it could not hand over: records of 1.2 KB, as a no-op has, every tenth with an artifact of 20 KB. */
async function measureRecovery(): Promise<{ records: number; seconds: number[]; readSeconds: number[]; heapMiB: number; isCold: boolean }> {
  const directory = mkdtempSync(join(tmpdir(), 'bounty-bench-journal-'))
  const open = () => Journal.open({ directory, host: 'bench', log: createLog('silent'), bytesMax: Number.MAX_SAFE_INTEGER })
  try {
    const writer = await open()
    const artifact = Buffer.alloc(20_000, 'artifact ')
    const filler = 'x'.repeat(1_150)
    let records = 0
    while (writer.stats().bytes < journalBytes) {
      const batch = Array.from({ length: 500 }, () => {
        const id = newId('execution')
        const artifacts = records++ % 10 === 0 ? [artifact] : []
        return writer.append({ id, artifacts, bytes: 2_000, record: () => JSON.stringify({ id, artifacts: [], filler }) })
      })
      await Promise.all(batch)
    }
    await writer.close()
    const seconds: number[] = []
    const readSeconds: number[] = []
    let isCold = true
    let heapMiB = 0
    for (let i = 0; i < recoveries; i++) {
      isCold = dropCaches() && isCold
      readSeconds.push(await timed(() => readAll(directory)))
      isCold = dropCaches() && isCold
      globalThis.gc?.()
      const heapBefore = process.memoryUsage().heapUsed
      let journal: Journal | undefined
      seconds.push(await timed(async () => void (journal = await open())))
      heapMiB = (process.memoryUsage().heapUsed - heapBefore) / 2 ** 20
      await journal?.close()
    }
    return { records, seconds, readSeconds, heapMiB, isCold }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1_000
}

async function readAll(directory: string): Promise<void> {
  for (const name of await readdir(directory)) if (name.endsWith('.segment')) await readFile(join(directory, name))
}

/** So that files are read from the disk and not from memory; the administrator of the machine alone can. */
function dropCaches(): boolean {
  try {
    writeFileSync('/proc/sys/vm/drop_caches', '1')
    return true
  } catch {
    return false
  }
}
