// Executions that nobody waits for, on the real cloud: from the row to the end, cancelled before and during the run, and with edge and host killed in
// the middle of it. Only the rows are looked at here; stores.test.ts has the contract, async-executions-property.test.ts the crashes at every await.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { z } from 'zod'
import { neonDatabase } from '../../workers/adapters/neon.ts'
import { eventually } from '../fakes/eventually.ts'
import { call, deployScript, newAccount, type Answer } from './caller.ts'
import { edgeInProcess } from './edge-in-process.ts'

const { localDir, neon } = inject('stack')
const withinMs = 60_000
const headers = { prefer: 'respond-async' }
/** Takes seconds, so that there is time to disturb it; fuel ends it at the latest. */
const slow = 'export default ({ n }) => { let x = 0; for (let i = 0; i < 5_000_000; i++) x = (x + i) | 0; return n }'
const endless = 'export default () => { for (;;); }'

const pidOf = (name: string): number => JSON.parse(readFileSync(join(localDir, 'processes.json'), 'utf8'))[name]
async function kill(name: string): Promise<void> {
  const killed = pidOf(name)
  process.kill(killed, 'SIGKILL')
  await eventually(() => pidOf(name) !== killed, true, { withinMs })
}

const post = (agentId: string, body: object, more: { key?: string } = {}) =>
  call('POST', `/api/agents/${agentId}/executions`, { body, headers, ...more })
/** Undefined while the edge is away. */
async function read(id: string, more: { key?: string } = {}): Promise<Answer['body']> {
  try {
    return (await call('GET', `/api/executions/${id}`, more)).body
  } catch {
    return undefined
  }
}
const ended = (id: string, more: { key?: string } = {}) =>
  eventually(async () => typeof (await read(id, more))?.finishedAt, 'string', { withinMs })
const reads = (id: string, status: string) => eventually(async () => (await read(id))?.status, status, { withinMs })

const database = neonDatabase(neon)
const rowSchema = z.object({
  status: z.string(),
  attempts: z.number(),
  waits: z.number(),
  has_input: z.boolean(),
  history: z.array(z.object({ end: z.string() })),
})
async function row(id: string) {
  const text = `select status, attempts, waits, input is not null as has_input, history from executions where id = $1`
  const [found] = await database.query(rowSchema, { text, parameters: [id] })
  return found ?? expect.fail('there is no such row')
}

test('an execution is acknowledged, runs, and has its outcome, artifacts and receipt', async () => {
  const source = `export default ({ a }, context) => { context.artifact('made.txt', 'bytes'); return a + 1 }`
  const agentId = await deployScript(source)
  const { status, headers: given, body } = await post(agentId, { input: { a: 1 }, seed: 3 })
  expect([status, body.status, given.get('preference-applied')]).toEqual([202, 'queued', 'respond-async'])
  const location = given.get('location') ?? ''
  await ended(body.id)
  expect((await call('GET', location)).body).toMatchObject({
    id: body.id,
    status: 'completed',
    output: 2,
    seed: 3,
    artifacts: [{ name: 'made.txt' }],
  })
  await eventually(async () => (await call('GET', `${location}/artifacts/made.txt`)).status, 200, { withinMs })
  expect((await call('GET', `${location}/receipt`)).body.statement.outputSha256).toMatch(/^[0-9a-f]{64}$/)
  expect(await row(body.id)).toMatchObject({ attempts: 1, waits: 0, has_input: false, history: [{ end: 'completed' }] })
})

test('the largest input, and an agent that throws', async () => {
  const agentId = await deployScript(`export default (input) => { throw new Error(String(input.length)) }`)
  const input = 'x'.repeat(512 * 1024 - 2)
  const { body } = await post(agentId, { input })
  await ended(body.id)
  expect(await read(body.id)).toMatchObject({ status: 'threw', error: { message: String(input.length) } })
}, 60_000)

test('one of a tier whose runs are longer than its Worker may live is taken from its message', async () => {
  const agentId = await deployScript('export default (input) => input')
  const { body } = await post(agentId, { input: 7, tier: 'premium' })
  await ended(body.id)
  expect(['completed', 'failed']).toContain((await read(body.id))?.status)
}, 60_000)

test('one that is cancelled while it runs is stopped, and its place is free', async () => {
  const { key } = await newAccount()
  const agentId = await deployScript(endless, key)
  const { body } = await post(agentId, { input: 1, tier: 'premium' }, { key })
  await eventually(async () => (await read(body.id, { key }))?.status, 'running', { withinMs })
  const cancelled = await call('DELETE', `/api/executions/${body.id}`, { key })
  expect([cancelled.status, cancelled.body.status]).toEqual([200, 'cancelled'])
  // Asked of the host itself. Fuel ends the program within some ten seconds where nobody stops it; then there would be a record.
  const { sandbox } = edgeInProcess().services
  for (let i = 0; i < 30; i++) {
    expect(await sandbox.findExecution(body.id)).toBeUndefined()
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  expect(await read(body.id, { key })).toMatchObject({ status: 'cancelled', receipt: null })
  expect((await call('DELETE', `/api/executions/${body.id}`, { key })).status).toBe(200)
  expect((await call('GET', '/api/accounts/me', { key })).body.quotas.executionsWaiting.used).toBe(0)
}, 90_000)

test('64 wait, and the 65th does not; those that are cancelled before they begin never do', async () => {
  const { key } = await newAccount()
  const agentId = await deployScript(endless, key)
  const answers: Answer[] = []
  // The host runs two of one account's at once, at most, for five seconds each.
  for (let i = 0; i < 8; i++) {
    answers.push(...(await Promise.all(Array.from({ length: 8 }, () => post(agentId, { input: 1, tier: 'standard' }, { key })))))
  }
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 64 }, () => 202))
  const more = await Promise.all(Array.from({ length: 3 }, () => post(agentId, { input: 1 }, { key })))
  expect(more.map(({ status, body }) => [status, body.code])).toEqual(Array.from({ length: 3 }, () => [429, 'too-many-waiting']))
  const ids = answers.map(({ body }) => body.id as string)
  const deleted = await Promise.all(ids.map((id) => call('DELETE', `/api/executions/${id}`, { key })))
  expect(new Set(deleted.map(({ status, body }) => `${status} ${body.status}`))).toEqual(new Set(['200 cancelled']))
  expect((await call('GET', '/api/accounts/me', { key })).body.quotas.executionsWaiting).toEqual({ used: 0, max: 64 })
  expect((await post(agentId, { input: 1 }, { key })).status).toBe(202)
}, 120_000)

async function endedWhile(disturb: () => Promise<void>) {
  const agentId = await deployScript(slow)
  const { status, body } = await post(agentId, { input: { n: 5 }, tier: 'standard' })
  expect(status).toBe(202)
  await reads(body.id, 'running')
  await disturb()
  await ended(body.id)
  expect(await read(body.id)).toMatchObject({ status: 'completed', output: 5 })
  const { status: stored, history } = await row(body.id)
  expect([stored, history.at(-1)?.end]).toEqual(['completed', 'completed'])
  const { executions } = z.object({ executions: z.number() }).parse(
    (
      await database.query(z.object({ executions: z.number() }), {
        text: 'select count(*)::integer as executions from executions where id = $1',
        parameters: [body.id],
      })
    )[0],
  )
  expect(executions).toBe(1)
}

test('an execution ends with its outcome when the edge is killed in the middle of it', async () => {
  await endedWhile(() => kill('edge'))
}, 120_000)

test('and when the host is', async () => {
  await endedWhile(() => kill('host'))
}, 120_000)

test('and when both are', async () => {
  await endedWhile(async () => {
    await Promise.all([kill('host'), kill('edge')])
  })
}, 120_000)
