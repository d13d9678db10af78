// A database from before asynchronous executions, over real Postgres: what was recorded stays; and what nobody may do to an execution.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrate, readMigrations } from '../../local/migrate.ts'
import { startOwnPostgres, type OwnPostgres } from '../fakes/own-postgres.ts'

let postgres: OwnPostgres
const query = async (text: string) => (await postgres.client.query(text)).rows
const request = `'{"tier":"basic","seed":0,"startTime":"2000-01-01T00:00:00Z","program":{"kind":"script","sha256":"${'0'.repeat(64)}"}}'`
const queued = (
  id: string,
) => `insert into executions (id, account_id, agent_id, version, status, request, input, created_at, waiting_since,
  due_at, turn, attempts, waits, history) values ('${id}', 'acc_a', 'agt_1', 1, 'queued', ${request}, '1', now(), now(), now(), 1, 0, 0, '[]')`
beforeAll(async () => {
  postgres = await startOwnPostgres()
  const { databaseUrl } = postgres
  const migrations = await readMigrations('workers/migrations')
  await migrate({ databaseUrl, migrations: migrations.filter(({ name }) => name < '0012') })
  await query(`insert into accounts (id, name, created_at) values ('acc_a', 'a', now())`)
  await query(`insert into agents values ('agt_1', 'acc_a', 'a', 'script', 1, '${'0'.repeat(64)}', 1, now(), now())`)
  await query(`insert into agent_versions values ('agt_1', 1, '${'0'.repeat(64)}', 1, 'e', now())`)
  await query(`insert into executions (id, account_id, agent_id, version, status, finished_at, record)
    values ('exe_old', 'acc_a', 'agt_1', 1, 'completed', now(), '{}')`)
  await migrate({ databaseUrl, migrations })
  await query(queued('exe_queued'))
  await query(queued('exe_running'))
  await query(`update executions set status = 'running', turn = 2 where id = 'exe_running'`)
  await query(queued('exe_done'))
  await query(`update executions set status = 'cancelled', finished_at = now(), due_at = null where id = 'exe_done'`)
  await query(queued('exe_failed'))
  await query(`update executions set status = 'failed', failure = 'x', finished_at = now(), due_at = null where id = 'exe_failed'`)
}, 90_000)
afterAll(() => postgres.stop(), 30_000)

test('what was recorded stays, and has no turns', async () => {
  expect(await query(`select status, turn, due_at from executions where id = 'exe_old'`)).toEqual([
    { status: 'completed', turn: null, due_at: null },
  ])
})

test('the input goes with the end, but for one that failed', async () => {
  expect(await query(`select id from executions where turn is not null and input is null`)).toEqual([{ id: 'exe_done' }])
})

test('what has not ended is counted', async () => {
  expect(await query('select executions_waiting from account_quotas')).toEqual([{ executions_waiting: 2 }])
})

const done = `where id = 'exe_done'`
const running = `where id = 'exe_running'`
test.each([
  ['an end that is taken back', `update executions set status = 'running', finished_at = null, due_at = now() ${done}`, /cannot go/],
  ['an end that becomes another', `update executions set status = 'failed', failure = 'x' ${done}`, /cannot go/],
  ['an outcome behind the end', `update executions set status = 'completed', record = '{}' ${done}`, /cannot go/],
  ['an end that is moved', `update executions set finished_at = now() + interval '1 second' ${done}`, /cannot go/],
  ['an outcome that becomes another', `update executions set record = '{"a":1}' where id = 'exe_old'`, /cannot go/],
  ['a step back', `update executions set status = 'queued' ${running}`, /cannot go/],
  ['a turn that comes back', `update executions set turn = 1 ${running}`, /is over/],
  ['an end without an instant', `update executions set status = 'cancelled' ${running}`, /executions_finished/],
  ['an instant without an end', `update executions set finished_at = now(), due_at = null ${running}`, /executions_finished/],
  [
    'an end that is still due',
    `update executions set status = 'cancelled', finished_at = now() ${running}`,
    /executions_due_until_finished/,
  ],
  ['an execution that is owed to nobody', `update executions set due_at = null ${running}`, /executions_due_until_finished/],
  [
    'an outcome without a record',
    `update executions set status = 'completed', finished_at = now(), due_at = null ${running}`,
    /executions_recorded/,
  ],
  ['a record of one that runs', `update executions set record = '{}' ${running}`, /executions_recorded/],
  [
    'a failure without a reason',
    `update executions set status = 'failed', finished_at = now(), due_at = null ${running}`,
    /executions_failure_of_failed/,
  ],
  ['a reason without a failure', `update executions set failure = 'x' ${running}`, /executions_failure_of_failed/],
  [
    'a status that there is not',
    `update executions set status = 'paused', finished_at = now(), due_at = null, record = '{}' ${running}`,
    /executions_status_known/,
  ],
  ['an execution that has lost its input', `update executions set input = null ${running}`, /executions_input_until_finished/],
  ['turns without their counts', `update executions set attempts = null ${running}`, /executions_turns_whole/],
])('%s is refused by the database', async (_, text, says) => {
  await expect(query(text)).rejects.toThrow(says)
})
