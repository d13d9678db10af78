// A database from before bundles were known of executions, over real Postgres.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrate, readMigrations } from '../../local/migrate.ts'
import { startOwnPostgres, type OwnPostgres } from '../fakes/own-postgres.ts'

let postgres: OwnPostgres
const query = (text: string, values: unknown[] = []) => postgres.client.query(text, values)

const of = { name: 'a', bytes: 1, sha256: '0'.repeat(64) }
const records = {
  exe_bundled: { output: 'null', artifacts: [{ ...of, bundle: 'host-1/000000000007', offset: 5 }] },
  exe_none: { output: 'null', artifacts: [] },
  // What a stranger's program writes about bundles is text within text.
  exe_forged: {
    output: JSON.stringify({ bundle: 'host-1/000000000009' }),
    logs: { stdout: '"bundle":"host-1/000000000008"' },
    artifacts: [],
  },
  exe_nul: { logs: { stdout: 'nul \0' }, artifacts: [{ ...of, bundle: 'host-2/000000000001', offset: 0 }] },
}

beforeAll(async () => {
  postgres = await startOwnPostgres()
  const { databaseUrl } = postgres
  const migrations = await readMigrations('workers/migrations')
  await migrate({ databaseUrl, migrations: migrations.filter(({ name }) => name < '0015') })
  await query(`insert into accounts (id, name, created_at) values ('acc_a', 'a', now())`)
  await query(`insert into agents values ('agt_a', 'acc_a', 'a', 'script', 1, repeat('0', 64), 1, now(), now())`)
  await query(`insert into agent_versions values ('agt_a', 1, repeat('0', 64), 1, 'e', now())`)
  for (const [id, record] of Object.entries(records)) {
    await query(
      `insert into executions (id, account_id, agent_id, version, status, finished_at, record)
        values ($1, 'acc_a', 'agt_a', 1, 'completed', now(), $2)`,
      [id, JSON.stringify(record)],
    )
  }
  await migrate({ databaseUrl, migrations })
}, 90_000)
afterAll(() => postgres.stop(), 30_000)

test('executions that were there know their bundle', async () => {
  const { rows } = await query('select id, bundle from executions order by id')
  expect(rows).toEqual([
    { id: 'exe_bundled', bundle: 'host-1/000000000007' },
    { id: 'exe_forged', bundle: null },
    { id: 'exe_none', bundle: null },
    { id: 'exe_nul', bundle: 'host-2/000000000001' },
  ])
})

test('the sweep begins at the beginning, at once', async () => {
  expect((await query('select cursor, due_at <= now() as is_due from storage_sweep')).rows).toEqual([{ cursor: null, is_due: true }])
  await expect(query('insert into storage_sweep default values')).rejects.toThrow('duplicate key')
})
