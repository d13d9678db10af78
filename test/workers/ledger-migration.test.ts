// A database from before the ledger, over real Postgres: what was promised then is in escrow afterwards, and everything adds up.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { idSchema, makeId } from '../../shared/ids.ts'
import { migrate, readMigrations } from '../../local/migrate.ts'
import { startOwnPostgres, type OwnPostgres } from '../fakes/own-postgres.ts'

let postgres: OwnPostgres
beforeAll(async () => {
  postgres = await startOwnPostgres()
}, 60_000)
afterAll(() => postgres.stop(), 30_000)

test('rewards that were only recorded are minted to their owners and held in escrow', async () => {
  const { client, databaseUrl } = postgres
  const migrations = await readMigrations('workers/migrations')
  await migrate({ databaseUrl, migrations: migrations.filter(({ name }) => name < '0005') })
  await client.query(`insert into accounts (id, name, created_at) values ('acc_a', 'a', now()), ('acc_b', 'b', now())`)
  await client.query(`insert into bounties (id, account_id, title, description, reward_credits, mode, tier, case_count, created_at) values
    ('bty_1', 'acc_a', 't', '', 1000, 'best', 'basic', 1, '2026-11-01T00:00:00Z'),
    ('bty_2', 'acc_a', 't', '', 0, 'first', 'basic', 1, '2026-11-01T00:00:00Z')`)
  await migrate({ databaseUrl, migrations })
  const { rows } = await client.query('select id, balance::integer, entries::integer from ledger_holders order by id')
  expect(rows).toEqual([
    { id: 'acc_a', balance: 0, entries: 2 },
    { id: 'acc_b', balance: 0, entries: 0 },
    { id: 'bty_1', balance: 1_000, entries: 1 },
    { id: 'bty_2', balance: 0, entries: 0 },
    { id: 'mint', balance: -1_000, entries: 1 },
  ])
  await client.query(`update bounties set status = 'cancelled', closed_at = now()`)
  const refunded = await client.query(`select balance::integer from ledger_holders where id = 'acc_a'`)
  expect(refunded.rows).toEqual([{ balance: 1_000 }])
})

test('ids that the database makes are those that the API takes', async () => {
  const { rows } = await postgres.client.query<{ id: string }>(
    `select ledger_transfer_id('2026-11-23T12:00:00.123Z') as id from generate_series(1, 100)`,
  )
  const ids = rows.map(({ id }) => id)
  expect(new Set(ids).size).toBe(100)
  const prefix = makeId('transfer', { at: Date.parse('2026-11-23T12:00:00.123Z'), random: new Uint8Array(10) }).slice(0, 14)
  for (const id of ids) {
    expect(id.startsWith(prefix)).toBe(true)
    expect(idSchema('transfer').safeParse(id).success).toBe(true)
  }
})
