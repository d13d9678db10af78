// A database from before webhooks, over real Postgres: keys that could do everything can go on, and verdicts that are there can be followed.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { scopes } from '../../shared/api-key.ts'
import { idSchema } from '../../shared/ids.ts'
import { migrate, readMigrations } from '../../local/migrate.ts'
import { startOwnPostgres, type OwnPostgres } from '../fakes/own-postgres.ts'

let postgres: OwnPostgres
beforeAll(async () => {
  postgres = await startOwnPostgres()
  const { client, databaseUrl } = postgres
  const migrations = await readMigrations('workers/migrations')
  await migrate({ databaseUrl, migrations: migrations.filter(({ name }) => name < '0007') })
  await client.query(`insert into accounts (id, name, created_at) values ('acc_a', 'a', now())`)
  const hash = (digit: string) => digit.repeat(64)
  await client.query(`insert into api_keys (id, account_id, sha256, created_at, name, scopes) values
    ('key_all', 'acc_a', '${hash('1')}', now(), 'all', array['read', 'run', 'deploy', 'bounties', 'keys']),
    ('key_few', 'acc_a', '${hash('2')}', now(), 'few', array['read', 'keys'])`)
  await client.query(`insert into agents values ('agt_1', 'acc_a', 'a', 'script', 1, '${hash('0')}', 1, now(), now())`)
  await client.query(`insert into agent_versions values ('agt_1', 1, '${hash('0')}', 1, 'e', now())`)
  await client.query(`insert into bounties (id, account_id, title, description, reward_credits, mode, tier, case_count, created_at)
    values ('bty_1', 'acc_a', 't', '', 0, 'best', 'basic', 3, now())`)
  await client.query(`insert into cases (id, bounty_id, position, input, expected, hidden)
    select 'cas_' || (9 - i), 'bty_1', i, '1', '1', false from generate_series(0, 2) i`)
  await client.query(`insert into submissions (id, bounty_id, account_id, agent_id, version, status, cases_total, created_at)
    values ('sub_1', 'bty_1', 'acc_a', 'agt_1', 1, 'running', 3, now())`)
  await client.query(`insert into verdicts (submission_id, case_id, status, wall_micros, memory_bytes_peak)
    select 'sub_1', id, 'accepted', 1, 1 from cases where position < 2`)
  await migrate({ databaseUrl, migrations })
}, 90_000)
afterAll(() => postgres.stop(), 30_000)

test('keys that could do everything can make webhooks, others cannot', async () => {
  const { rows } = await postgres.client.query('select id, scopes from api_keys order by id')
  expect(rows).toEqual([
    { id: 'key_all', scopes: [...scopes] },
    { id: 'key_few', scopes: ['read', 'keys'] },
  ])
})

test('verdicts that were there are numbered, and those that come go on behind them', async () => {
  await postgres.client.query(`insert into verdicts (submission_id, case_id, status, wall_micros, memory_bytes_peak)
    select 'sub_1', id, 'accepted', 1, 1 from cases on conflict do nothing`)
  const { rows } = await postgres.client.query('select case_id, number from verdicts order by number')
  expect(rows).toEqual([
    { case_id: 'cas_9', number: 1 },
    { case_id: 'cas_8', number: 2 },
    { case_id: 'cas_7', number: 3 },
  ])
})

test('ids that the database makes are those that the API takes', async () => {
  const { rows } = await postgres.client.query(`select sortable_id('evt', now()) as event, sortable_id('dlv', now()) as delivery`)
  expect(idSchema('event').safeParse(rows[0].event).success).toBe(true)
  expect(idSchema('delivery').safeParse(rows[0].delivery).success).toBe(true)
})

test('a change that cannot be told of does not happen', async () => {
  await postgres.client.query(`insert into webhooks values ('whk_1', 'acc_a', 'https://x.y', 's', array['bounty.cancelled'], now())`)
  await postgres.client.query(`alter table webhook_deliveries add constraint full_up check (false) not valid`)
  const cancel = postgres.client.query(`update bounties set status = 'cancelled', closed_at = now()`)
  await expect(cancel).rejects.toThrow(/full_up/)
  const { rows } = await postgres.client.query('select status, (select count(*)::integer from webhook_events) as events from bounties')
  expect(rows).toEqual([{ status: 'open', events: 0 }])
})
