// Real PostgreSQL from npm as a child of its own: creates the cluster once, and says how to run it. `DATABASE_URL` replaces all of this.
import { execFile } from 'node:child_process'
import { appendFileSync, chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { loopback } from './free-port.ts'
import { postgresPlace } from './postgres-place.ts'
import type { ProcessSpec } from './supervise-process.ts'

const run = promisify(execFile)
const databaseUser = 'bounty'

/**
 * Settings while it starts. After a kill -9 it would flush a thousand files one by one, 2 to 3 s on a busy disk, against a loss of power
 * that has not happened; once it serves, fsync is on.
 */
const startingFile = 'starting.conf'

export type PostgresOptions = { localDir: string; port: number; password: string; env: Record<string, string> }

/** Leaves a running server of the same directory alone: that is ended before, with all other leftovers. */
export async function postgresProcess({ localDir, port, password, env }: PostgresOptions): Promise<{ spec: ProcessSpec; url: string }> {
  const { binaries, dataDir, owner } = await postgresPlace(localDir)
  if (!existsSync(join(dataDir, 'PG_VERSION'))) await createCluster({ binaries, dataDir, owner, password, env })
  const url = `postgresql://${databaseUser}:${password}@${loopback}:${port}/postgres`
  const settings = {
    listen_addresses: loopback,
    // No file in a shared directory, and no limit on the path's length.
    unix_socket_directories: '',
    max_connections: '60',
    log_min_messages: 'warning',
  }
  const spec: ProcessSpec = {
    name: 'postgres',
    command: join(binaries, 'postgres'),
    args: ['-D', dataDir, '-p', String(port), ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    env: { ...env, LC_ALL: 'C' },
    cwd: dataDir,
    isReady: () => answers(url),
    // Fast shutdown: ends sessions and writes a checkpoint.
    stopSignal: 'SIGINT',
    beforeStart: () => {
      removeStalePid(dataDir)
      writeFileSync(join(dataDir, startingFile), 'fsync = off\n', { mode: 0o644 })
    },
    afterReady: (pid) => {
      rmSync(join(dataDir, startingFile), { force: true })
      process.kill(pid, 'SIGHUP')
    },
    ...(owner ? { owner } : {}),
  }
  return { spec, url }
}

type Cluster = {
  binaries: string
  dataDir: string
  owner: { uid: number; gid: number } | undefined
  password: string
  env: Record<string, string>
}

async function createCluster({ binaries, dataDir, owner, password, env }: Cluster) {
  // What a start that was killed in the middle of this left: initdb refuses a directory that is not empty.
  rmSync(dataDir, { recursive: true, force: true })
  mkdirSync(dataDir, { recursive: true })
  const passwordFile = join(dataDir, '..', `postgres-password-${process.pid}`)
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 })
  if (owner) for (const path of [dataDir, passwordFile]) chownSync(path, owner.uid, owner.gid)
  chmodSync(dataDir, 0o700)
  try {
    const args = ['--pgdata', dataDir, '--auth=scram-sha-256', `--username=${databaseUser}`, `--pwfile=${passwordFile}`]
    // Files are synced by the kernel soon enough for a cluster that can be created again.
    await run(join(binaries, 'initdb'), [...args, '--encoding=UTF8', '--locale=C', '--no-sync', '--no-instructions'], {
      env: { ...env, LC_ALL: 'C' },
      cwd: dataDir,
      ...owner,
    })
    appendFileSync(join(dataDir, 'postgresql.conf'), `include_if_exists = '${startingFile}'\n`)
  } catch (error) {
    rmSync(dataDir, { recursive: true, force: true })
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim().split('\n').slice(-3).join(' ') : String(error)
    throw new Error(`postgres cannot create its files in ${dataDir} as user ${owner?.uid ?? userInfo().username}: ${said}`, {
      cause: error,
    })
  } finally {
    rmSync(passwordFile, { force: true })
  }
}

/** Postgres refuses to start over a pid file whose number now belongs to any process it can signal, even a stranger's. */
function removeStalePid(dataDir: string) {
  const path = join(dataDir, 'postmaster.pid')
  if (!existsSync(path)) return
  const pid = Number.parseInt(readFileSync(path, 'utf8'), 10)
  if (!isPostgres(pid)) rmSync(path, { force: true })
}

function isPostgres(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return process.platform !== 'linux' || readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('postgres')
  } catch {
    return false
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 1_000 })
  // An end of the connection is the answer of the query below, and nothing more.
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('select 1')
    return true
  } finally {
    await client.end().catch(() => {})
  }
}
