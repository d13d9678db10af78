// A Postgres for one test file, empty, in a directory of its own.
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { claimPorts } from '../../local/free-port.ts'
import { childEnvironment } from '../../local/node-process.ts'
import { postgresProcess } from '../../local/postgres.ts'
import { openProcessLog } from '../../local/process-log.ts'
import { superviseProcess } from '../../local/supervise-process.ts'

export type OwnPostgres = { databaseUrl: string; client: Client; stop: () => Promise<void> }

export async function startOwnPostgres(): Promise<OwnPostgres> {
  const localDir = await mkdtemp(join(tmpdir(), 'bounty-postgres-'))
  // Postgres runs as another user when the tests run as root, and must be able to reach its directory.
  await chmod(localDir, 0o755)
  const [port = 0] = await claimPorts([{ port: 0, variable: '' }])
  const { spec, url } = await postgresProcess({ localDir, port, password: 'secret', env: childEnvironment(localDir) })
  const log = openProcessLog(join(localDir, 'logs', 'postgres.log'))
  const postgres = superviseProcess(spec, { log, report: () => {}, onPid: () => {} })
  await postgres.ready
  const client = new Client({ connectionString: url })
  await client.connect()
  return {
    databaseUrl: url,
    client,
    stop: async () => {
      await client.end()
      await postgres.stop()
      await rm(localDir, { recursive: true, force: true })
    },
  }
}
