// A database from before checkers, over real Postgres: its bounties have none, and what the schema refuses from then on.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkerMessageCharsMax } from '../../shared/checker.ts'
import { migrate, readMigrations } from '../../local/migrate.ts'
import { startOwnPostgres, type OwnPostgres } from '../fakes/own-postgres.ts'

let postgres: OwnPostgres
const query = (text: string) => postgres.client.query(text)
beforeAll(async () => {
  postgres = await startOwnPostgres()
  const { databaseUrl } = postgres
  const migrations = await readMigrations('workers/migrations')
  await migrate({ databaseUrl, migrations: migrations.filter(({ name }) => name < '0011') })
  await query(`insert into accounts (id, name, created_at) values ('acc_a', 'a', now()), ('acc_b', 'b', now())`)
  const hash = '0'.repeat(64)
  await query(`insert into agents values ('agt_a', 'acc_a', 'a', 'script', 1, '${hash}', 1, now(), now()),
    ('agt_b', 'acc_b', 'b', 'script', 1, '${hash}', 1, now(), now())`)
  await query(`insert into agent_versions values ('agt_a', 1, '${hash}', 1, 'e', now()), ('agt_b', 1, '${hash}', 1, 'e', now())`)
  await query(`insert into bounties (id, account_id, title, description, reward_credits, mode, tier, case_count, created_at)
    values ('bty_1', 'acc_a', 't', '', 0, 'best', 'basic', 1, now())`)
  await query(`insert into cases (id, bounty_id, position, input, expected, hidden) values ('cas_1', 'bty_1', 0, '1', '1', false)`)
  await query(`insert into submissions (id, bounty_id, account_id, agent_id, version, status, cases_total, created_at, due_at)
    values ('sub_1', 'bty_1', 'acc_a', 'agt_a', 1, 'running', 1, now(), now())`)
  await query(
    `insert into verdicts (submission_id, case_id, status, wall_micros, memory_bytes_peak) values ('sub_1', 'cas_1', 'accepted', 1, 1)`,
  )
  await migrate({ databaseUrl, migrations })
}, 90_000)
afterAll(() => postgres.stop(), 30_000)

const posted = (
  checker: string,
) => `insert into bounties (id, account_id, title, description, reward_credits, mode, tier, case_count, created_at,
  checker_agent_id, checker_version) values ('bty_2', 'acc_a', 't', '', 0, 'best', 'basic', 1, now(), ${checker})`

test('bounties that were there have no checker, and verdicts no message', async () => {
  expect((await query('select checker_agent_id, checker_version from bounties')).rows).toEqual([
    { checker_agent_id: null, checker_version: null },
  ])
  expect((await query('select status, message from verdicts')).rows).toEqual([{ status: 'accepted', message: null }])
})

test.each([
  [`'agt_b', 1`, 'bounties_checker_of_owner'],
  [`'agt_a', 2`, 'bounties_checker_version'],
  [`'agt_a', null`, 'bounties_checker_whole'],
  [`null, 1`, 'bounties_checker_whole'],
])('no bounty is posted with the checker %s', async (checker, constraint) => {
  await expect(query(posted(checker))).rejects.toThrow(constraint)
})

test('the checker of a bounty never changes, whatever else does', async () => {
  await query(posted(`'agt_a', 1`))
  for (const change of ['checker_agent_id = null, checker_version = null', 'checker_version = 2']) {
    await expect(query(`update bounties set ${change} where id = 'bty_2'`)).rejects.toThrow('never changes')
  }
  await expect(query(`update bounties set checker_agent_id = 'agt_a', checker_version = 1 where id = 'bty_1'`)).rejects.toThrow(
    'never changes',
  )
  await query(`update bounties set status = 'cancelled', closed_at = now() where id = 'bty_2'`)
})

test('a verdict is one of those that are known, and a message no longer than may be', async () => {
  const add = (status: string, message: string) =>
    query(`insert into verdicts (submission_id, case_id, revision, status, wall_micros, memory_bytes_peak, message)
      values ('sub_1', 'cas_1', 2, '${status}', 1, 1, ${message})`)
  await expect(add('fine', 'null')).rejects.toThrow('verdicts_status_known')
  await expect(add('accepted', `repeat('x', ${checkerMessageCharsMax + 1})`)).rejects.toThrow('verdicts_message_length')
  await add('checker-failed', `repeat('€', ${checkerMessageCharsMax})`)
})
