// A database from before judging in turns, over real Postgres: what was left running is taken up; and what nobody may do to a judging.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrate, readMigrations } from '../../local/migrate.ts'
import { startOwnPostgres, type OwnPostgres } from '../fakes/own-postgres.ts'

let postgres: OwnPostgres
const query = async (text: string) => (await postgres.client.query(text)).rows
beforeAll(async () => {
  postgres = await startOwnPostgres()
  const { databaseUrl } = postgres
  const migrations = await readMigrations('workers/migrations')
  await migrate({ databaseUrl, migrations: migrations.filter(({ name }) => name < '0009') })
  await query(`insert into accounts (id, name, created_at) values ('acc_a', 'a', now())`)
  await query(`insert into agents values ('agt_1', 'acc_a', 'a', 'script', 1, '${'0'.repeat(64)}', 1, now(), now())`)
  await query(`insert into agent_versions values ('agt_1', 1, '${'0'.repeat(64)}', 1, 'e', now())`)
  await query(`insert into bounties (id, account_id, title, description, reward_credits, mode, tier, case_count, created_at)
    values ('bty_1', 'acc_a', 't', '', 0, 'best', 'basic', 2, now())`)
  await query(`insert into cases (id, bounty_id, position, input, expected, hidden)
    select 'cas_' || i, 'bty_1', i, '1', '1', false from generate_series(0, 1) i`)
  await query(`insert into submissions (id, bounty_id, account_id, agent_id, version, status, cases_total, created_at, finished_at) values
    ('sub_left', 'bty_1', 'acc_a', 'agt_1', 1, 'running', 2, now(), null),
    ('sub_done', 'bty_1', 'acc_a', 'agt_1', 1, 'rejected', 2, now(), now())`)
  await query(`insert into verdicts (submission_id, case_id, status, wall_micros, memory_bytes_peak)
    values ('sub_left', 'cas_0', 'accepted', 1, 1), ('sub_done', 'cas_0', 'accepted', 1, 1)`)
  await migrate({ databaseUrl, migrations })
}, 90_000)
afterAll(() => postgres.stop(), 30_000)

test('what was left running is due, and what has ended is not', async () => {
  expect(await query('select id, turn, round, due_at <= now() as is_due from submissions order by id')).toEqual([
    { id: 'sub_done', turn: 1, round: 1, is_due: null },
    { id: 'sub_left', turn: 1, round: 1, is_due: true },
  ])
  expect(await query('select distinct revision from verdicts')).toEqual([{ revision: 1 }])
})

test.each([
  [
    'an end that is taken back',
    `update submissions set status = 'running', finished_at = null, due_at = now() where id = 'sub_done'`,
    /cannot go/,
  ],
  ['an end that becomes another', `update submissions set status = 'accepted' where id = 'sub_done'`, /cannot go/],
  ['a step back', `update submissions set status = 'queued' where id = 'sub_left'`, /cannot go/],
  [
    'a round that is left out',
    `update submissions set status = 'queued', round = 3, finished_at = null, due_at = now() where id = 'sub_done'`,
    /cannot go/,
  ],
  ['a next round before the end', `update submissions set status = 'queued', round = 2 where id = 'sub_left'`, /cannot go/],
  ['a turn that comes back', `update submissions set turn = 0 where id = 'sub_left'`, /is over/],
  ['an end that is still due', `update submissions set due_at = now() where id = 'sub_done'`, /submissions_due_until_finished/],
  ['a judging that is owed to nobody', `update submissions set due_at = null where id = 'sub_left'`, /submissions_due_until_finished/],
  ['a reason without a failure', `update submissions set failure = 'x' where id = 'sub_left'`, /submissions_failure_of_failed/],
  ['a verdict that changes', `update verdicts set status = 'wrong-answer'`, /verdicts never change/],
  ['a verdict that goes', `delete from verdicts`, /verdicts never change/],
  [
    'a second verdict of one revision',
    `insert into verdicts (submission_id, case_id, status, wall_micros, memory_bytes_peak) values ('sub_left', 'cas_0', 'accepted', 1, 1)`,
    /verdicts_pkey/,
  ],
  ['a case that is changed within its revision', `update cases set input = '2'`, /within revision/],
  ['a case that is hidden later', `update cases set hidden = true`, /never change/],
])('%s is refused by the database', async (_, text, says) => {
  await expect(query(text)).rejects.toThrow(says)
})
