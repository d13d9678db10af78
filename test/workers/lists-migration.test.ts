// A database from before search and quotas, over real Postgres: what is there is found and counted, and whoever has too much keeps it.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrate, readMigrations } from '../../local/migrate.ts'
import { startOwnPostgres, type OwnPostgres } from '../fakes/own-postgres.ts'

let postgres: OwnPostgres
const open = (from: number, to: number) =>
  postgres.client.query(`insert into bounties (id, account_id, title, description, reward_credits, mode, tier, case_count, created_at)
    select 'bty_' || lpad(i::text, 5, '0'), 'acc_a', 'Render it', 'The CommonMark way: render-it, naïve', 0, 'best', 'basic', 1, now()
    from generate_series(${from}, ${to}) i`)
const counted = async () => (await postgres.client.query('select * from account_quotas order by account_id')).rows

beforeAll(async () => {
  postgres = await startOwnPostgres()
  const { client, databaseUrl } = postgres
  const migrations = await readMigrations('workers/migrations')
  await migrate({ databaseUrl, migrations: migrations.filter(({ name }) => name < '0010') })
  await client.query(`insert into accounts (id, name, created_at) values ('acc_a', 'a', now()), ('acc_b', 'b', now())`)
  await client.query(`insert into agents values ('agt_1', 'acc_b', 'markdown-it', 'script', 1, '${'0'.repeat(64)}', 1, now(), now())`)
  await open(1, 1_002)
  await client.query(`update bounties set status = 'cancelled', closed_at = now() where id = 'bty_00001'`)
  await migrate({ databaseUrl, migrations })
}, 90_000)
afterAll(() => postgres.stop(), 30_000)

test('bounties and agents that are there are found by their words', async () => {
  const words = async (table: string, where: string) =>
    (await postgres.client.query(`select word from ${table} where ${where} order by word`)).rows.map(({ word }) => word)
  expect(await words('bounty_words', `bounty_id = 'bty_00002'`)).toEqual(
    expect.arrayContaining(['commonmark', 'it', 'render', 'the', 'way']),
  )
  expect(await words('agent_words', 'true')).toEqual(['it', 'markdown'])
})

test('an account that has more than its quota closes what it has, and opens nothing before there is a place', async () => {
  expect(await counted()).toEqual([
    { account_id: 'acc_a', agents: 0, open_bounties: 1_001, executions_waiting: 0 },
    { account_id: 'acc_b', agents: 1, open_bounties: 0, executions_waiting: 0 },
  ])
  await postgres.client.query(`update bounties set status = 'cancelled', closed_at = now() where id = 'bty_00002'`)
  await expect(open(2_000, 2_000)).rejects.toMatchObject({ constraint: 'quota_open_bounties' })
  await postgres.client.query(`update bounties set status = 'cancelled', closed_at = now() where id = 'bty_00003'`)
  await open(2_000, 2_000)
  await expect(open(2_001, 2_001)).rejects.toMatchObject({ constraint: 'quota_open_bounties' })
  expect((await counted())[0]).toMatchObject({ open_bounties: 1_000 })
})
