// Brings a database to the current schema: applies `workers/migrations/*.sql` in order, forward only, each in a transaction.
// `DATABASE_URL=postgresql://… node local/migrate.ts` does the same to a production database (Neon: the direct, not the pooled, URL).
import { createHash } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'

/** Any number, the same for every migrator of this product: only one runs at a time on one database. */
const lockNumber = 4_217_190_533
const migrationsDir = fileURLToPath(new URL('../workers/migrations', import.meta.url))

export type Migration = { name: string; sql: string; sha256: string }
export type MigrateOptions = { databaseUrl: string; migrations?: Migration[]; report?: (line: string) => void }

/** @returns the names applied now; throws when a file that was applied has changed, or is gone */
export async function migrate({ databaseUrl, migrations, report = () => {} }: MigrateOptions): Promise<string[]> {
  const wanted = migrations ?? (await readMigrations(migrationsDir))
  const client = new Client({ connectionString: databaseUrl, connectionTimeoutMillis: 10_000 })
  await client.connect()
  try {
    // A session lock: it is gone with the connection, however this process ends.
    await client.query('select pg_advisory_lock($1)', [lockNumber])
    await client.query(`create table if not exists migrations (
      name text primary key, sha256 text not null, applied_at timestamptz not null default now())`)
    const { rows } = await client.query<{ name: string; sha256: string }>('select name, sha256 from migrations order by name')
    const applied = pending(wanted, rows)
    for (const migration of applied) {
      await apply(client, migration)
      report(`applied ${migration.name}`)
    }
    return applied.map(({ name }) => name)
  } finally {
    await client.end()
  }
}

/** Which are still to be applied. Throws when history and files do not agree. */
export function pending(wanted: Migration[], applied: { name: string; sha256: string }[]): Migration[] {
  const files = new Map(wanted.map((migration) => [migration.name, migration]))
  for (const { name, sha256 } of applied) {
    const file = files.get(name)
    if (file === undefined)
      throw new Error(`migration ${name} was applied to this database and is not in this checkout: update the checkout.`)
    if (file.sha256 !== sha256)
      throw new Error(`migration ${name} has changed since it was applied: restore it, and put the change into a new file.`)
  }
  const done = new Set(applied.map(({ name }) => name))
  const last = applied.at(-1)?.name ?? ''
  const rest = wanted.filter(({ name }) => !done.has(name))
  const late = rest.find(({ name }) => name < last)
  if (late) throw new Error(`migration ${late.name} comes before ${last}, which is applied already: give it a later number.`)
  return rest
}

async function apply(client: Client, { name, sql, sha256 }: Migration) {
  await client.query('begin')
  try {
    await client.query(sql)
    await client.query('insert into migrations (name, sha256) values ($1, $2)', [name, sha256])
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    throw new Error(`migration ${name} failed and was rolled back: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
}

export async function readMigrations(directory: string): Promise<Migration[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql')).toSorted()
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(join(directory, name), 'utf8')
      return { name, sql, sha256: createHash('sha256').update(sql).digest('hex') }
    }),
  )
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const databaseUrl = process.env['DATABASE_URL']
  if (!databaseUrl) {
    console.error('DATABASE_URL is not set: it names the database to migrate, e.g. postgresql://user:password@host/database')
    process.exit(2)
  }
  try {
    const applied = await migrate({ databaseUrl, report: console.log })
    console.log(applied.length === 0 ? 'nothing to apply' : `${applied.length} applied`)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exit(1)
  }
}
