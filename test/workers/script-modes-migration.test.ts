// A database from before scripts had modes, over real Postgres: all that is there was interpreted, by the engine that it names, and what was judged still
// counts; a Worker from before goes on writing.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrate, readMigrations } from '../../local/migrate.ts'
import { startOwnPostgres, type OwnPostgres } from '../fakes/own-postgres.ts'

let postgres: OwnPostgres
const query = async (text: string) => (await postgres.client.query(text)).rows
beforeAll(async () => {
  postgres = await startOwnPostgres()
  const { databaseUrl } = postgres
  const migrations = await readMigrations('workers/migrations')
  await migrate({ databaseUrl, migrations: migrations.filter(({ name }) => name < '0018') })
  const hash = '0'.repeat(64)
  await query(`insert into accounts (id, name, created_at) values ('acc_a', 'a', now())`)
  await query(`insert into agents values ('agt_s', 'acc_a', 's', 'script', 1, '${hash}', 1, now(), now()),
    ('agt_c', 'acc_a', 'c', 'command', 1, '${hash}', 1, now(), now())`)
  await query(`insert into agent_versions values ('agt_s', 1, '${hash}', 1, 'e', now()), ('agt_c', 1, '${hash}', 1, 'e', now())`)
  await query(`insert into bounties (id, account_id, title, description, reward_credits, mode, tier, case_count, created_at)
    values ('bty_1', 'acc_a', 't', '', 0, 'best', 'basic', 1, now())`)
  await query(`insert into cases (id, bounty_id, position, input, expected, hidden) values ('cas_1', 'bty_1', 0, '1', '1', false)`)
  await query(`insert into submissions (id, bounty_id, account_id, agent_id, version, status, cases_total, engine, created_at, due_at)
    select 'sub_' || agent, 'bty_1', 'acc_a', 'agt_' || agent, 1, 'running', 1, engine, now(), now()
    from (values ('s', 'engine-2'), ('c', 'engine-1')) of (agent, engine)`)
  await query(`insert into verdicts (submission_id, case_id, status, fuel, wall_micros, memory_bytes_peak)
    values ('sub_s', 'cas_1', 'accepted', 7, 1, 1), ('sub_c', 'cas_1', 'accepted', 9, 1, 1)`)
  await query(
    `insert into judgement_receipts (submission_id, first_case_id, receipt) values ('sub_s', 'cas_1', '{"statement":{"engine":"engine-2"}}')`,
  )
  await query(`update submissions set status = 'accepted', due_at = null,
    finished_at = case id when 'sub_s' then '2026-01-01T00:00:00Z'::timestamptz else '2026-01-02T00:00:00Z' end`)
  await query(`insert into agent_ranks select bounty_id, agent_id, account_id, id, cases_passed, fuel_total, finished_at from submissions`)
  await migrate({ databaseUrl, migrations })
}, 90_000)
afterAll(() => postgres.stop(), 30_000)

test('scripts that were there are interpreted, other kinds have no mode', async () => {
  const modes = [
    { id: 'agt_c', script_mode: null },
    { id: 'agt_s', script_mode: 'interpreted' },
  ]
  expect(await query('select id, script_mode from agents order by id')).toEqual(modes)
  expect(await query('select agent_id as id, script_mode from agent_versions order by agent_id')).toEqual(modes)
})

test('a version never changes, and has no other mode than there are', async () => {
  await expect(query(`update agent_versions set script_mode = 'compiled'`)).rejects.toThrow('never changes')
  await expect(query(`update agents set script_mode = 'fast'`)).rejects.toThrow('agents_script_mode')
})

test('verdicts, receipts and ranks belong to the engine that their submission names, and places to the order of finishing', async () => {
  expect(await query('select submission_id, engine from verdicts order by 1')).toEqual([
    { submission_id: 'sub_c', engine: 'engine-1' },
    { submission_id: 'sub_s', engine: 'engine-2' },
  ])
  expect(await query('select engine from judgement_receipts')).toEqual([{ engine: 'engine-2' }])
  expect(await query('select submission_id, engine_place from agent_ranks order by 1')).toEqual([
    { submission_id: 'sub_c', engine_place: 2 },
    { submission_id: 'sub_s', engine_place: 1 },
  ])
  expect(await query('select id, cases_passed, fuel_total::integer from submissions order by 1')).toEqual([
    { id: 'sub_c', cases_passed: 1, fuel_total: 9 },
    { id: 'sub_s', cases_passed: 1, fuel_total: 7 },
  ])
})

test('a Worker from before names no engine, and its verdicts count all the same', async () => {
  await query(`insert into submissions (id, bounty_id, account_id, agent_id, version, status, cases_total, created_at, due_at)
    values ('sub_n', 'bty_1', 'acc_a', 'agt_s', 1, 'running', 1, now(), now())`)
  await query(`with held as (update submissions set engine = 'engine-3' where id = 'sub_n' returning id)
    insert into verdicts (submission_id, case_id, status, fuel, wall_micros, memory_bytes_peak) select id, 'cas_1', 'accepted', 5, 1, 1 from held`)
  expect(await query(`select engine, cases_passed, fuel_total::integer from submissions where id = 'sub_n'`)).toEqual([
    { engine: 'engine-3', cases_passed: 1, fuel_total: 5 },
  ])
  await query(`insert into agents values ('agt_n', 'acc_a', 'n', 'script', 1, '${'0'.repeat(64)}', 1, now(), now())`)
})
