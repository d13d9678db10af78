// The whole local cloud with EVENT_LOG=kafka: work ends whatever dies, once, and messages that come twice or in another order change nothing.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka } from '@upstash/kafka'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClient, type Client as ApiClient } from '../../client/create-client.ts'
import { startStack, type Stack } from '../../local/stack.ts'

const localDir = mkdtempSync(join(tmpdir(), 'bounty-kafka-cloud-'))
// Postgres runs as another user when this runs as root.
chmodSync(localDir, 0o755)
let stack: Stack
let database: Client
let kafka: Kafka
let key: string
let agentId: string
let api: ApiClient

const report = (line: string) => process.env['LOG_LEVEL'] && console.log(line)

beforeAll(async () => {
  stack = await startStack({ localDir, edgePort: 0, directPort: 0, hostPort: 0, eventLog: 'kafka', databaseUrl: '', redisUrl: '', report })
  if (!stack.kafka) throw new Error('the cloud has no Kafka')
  kafka = new Kafka(stack.kafka.gateway)
  database = new Client({ connectionString: stack.databaseUrl })
  await database.connect()
  key = stack.demoKey
  api = createClient({ url: stack.baseUrl, key })
  const source = `export default ({ n, loops }) => { let x = n; for (let i = 0; i < loops; i++) x = (x * 31 + 7) % 1000003; return { n, x } }`
  agentId = (await call('POST', '/api/agents', { name: `busy-${Date.now()}`, kind: 'script', source })).body.id
}, 180_000)
afterAll(async () => {
  await database?.end()
  await stack?.stop()
  rmSync(localDir, { recursive: true, force: true })
}, 60_000)

// Bodies are what the API says they are; each test asserts the fields that it reads.
// oxlint-disable-next-line typescript/no-explicit-any
type Answer = { status: number; body: any }

async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}, as = key): Promise<Answer> {
  const response = await fetch(stack.baseUrl + path, {
    method,
    headers: { authorization: `Bearer ${as}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(10_000),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
}

let asked = 0
/** @returns the id, when it was acknowledged; under an Idempotency-Key, so that a lost answer is asked for again */
async function queueExecution(): Promise<string> {
  const n = asked++
  for (;;) {
    const headers = { prefer: 'respond-async', 'idempotency-key': `kafka-cloud-${n}` }
    const answer = await call('POST', `/api/agents/${agentId}/executions`, { input: { n, loops: 20_000 } }, headers).catch(() => undefined)
    if (answer?.status === 202) return answer.body.id
    await pause(200)
  }
}

async function rowsOf(ids: string[]): Promise<{ id: string; status: string; output: unknown }[]> {
  const { rows } = await database.query(
    `select id, status, record ->> 'output' as output from executions where id in (select json_array_elements_text($1::json))`,
    [JSON.stringify(ids)],
  )
  return rows
}
const endedOf = async (ids: string[]) => (await rowsOf(ids)).filter(({ status }) => status !== 'queued' && status !== 'running').length
/** As the accounts are charged: a run that was counted twice shows. */
async function countedRuns(): Promise<number> {
  const { rows } = await database.query('select coalesce(sum(executions), 0)::integer as count from account_usage')
  return rows[0].count
}

async function newBounty(cases: number): Promise<string> {
  const all = Array.from({ length: cases }, (_, n) => ({ input: { n, loops: 0 }, expected: { n, x: n } }))
  return (await call('POST', '/api/bounties', { title: 'busy', rewardCredits: 1, mode: 'best', cases: all })).body.id
}
const submission = async (id: string) => (await call('GET', `/api/submissions/${id}`)).body

function pidOf(name: string): number {
  return stack.processes()[name] ?? expect.fail(`${name} does not run`)
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

async function read(topic: string): Promise<{ key: string; value: string; headers: { key: string; value: string }[] }[]> {
  const places = Array.from({ length: 12 }, (_, partition) => ({ topic, partition, offset: 0 }))
  return kafka.consumer().fetch({ topicPartitionOffsets: places, timeout: 2_000 })
}

test('everything that it needs is ready, and an execution is run by the host that took it', { timeout: 60_000 }, async () => {
  const { body } = await call('GET', '/api/ready')
  expect(body.checks.eventLog.ok).toBe(true)
  const id = await queueExecution()
  await expect.poll(async () => (await call('GET', `/api/executions/${id}`)).body.status, { timeout: 30_000 }).toBe('completed')
  const { rows } = await database.query('select host, history from executions where id = $1', [id])
  expect(rows[0].history).toEqual([expect.objectContaining({ host: expect.stringMatching(/^host-/), end: 'completed' })])
})

test('a judging ends, and is told of on the topic of notifications', { timeout: 60_000 }, async () => {
  const bountyId = await newBounty(150)
  const { id } = (await call('POST', `/api/bounties/${bountyId}/submissions`, { agentId })).body
  await expect.poll(async () => (await submission(id)).status, { timeout: 40_000 }).toBe('accepted')
  const told = async () =>
    (await read('notifications')).map(({ value }) => JSON.parse(value).event).filter(({ data }) => data.submissionId === id)
  await expect
    .poll(told, { timeout: 20_000 })
    .toMatchObject([{ type: 'submission.finished', data: { status: 'accepted', casesPassed: 150 } }])
})

test('messages that come again, in another order, change nothing', { timeout: 90_000 }, async () => {
  const before = await countedRuns()
  const ids = await Promise.all(Array.from({ length: 20 }, queueExecution))
  await expect.poll(() => endedOf(ids), { timeout: 40_000 }).toBe(20)
  const rows = await rowsOf(ids)
  const { rows: finished } = await database.query('select id, finished_at, turn from executions order by id')
  const messages = await read('executions')
  expect(messages.length).toBeGreaterThanOrEqual(20)
  for (const { key: of, value, headers } of messages.toReversed().concat(messages)) {
    await kafka.producer().produce('executions', value, { key: of, headers })
  }
  // What is behind them has been taken when a new one is.
  const last = await Promise.all(Array.from({ length: 12 }, queueExecution))
  await expect.poll(() => endedOf(last), { timeout: 40_000 }).toBe(12)
  expect(await rowsOf(ids)).toEqual(rows)
  const { rows: after } = await database.query('select id, finished_at, turn from executions order by id limit $1', [finished.length])
  expect(after).toEqual(finished)
  expect(await countedRuns()).toBe(before + 32)
  const letters = (await call('GET', '/api/dead-letters', undefined, {}, stack.adminKey)).body.items
  expect(letters).toEqual([])
})

test(
  'an outcome is told on its topic, and a forged message becomes a dead letter, and a message of that topic',
  { timeout: 60_000 },
  async () => {
    const id = await queueExecution()
    const outcomes = async () =>
      (await read('outcomes')).map(({ value }) => JSON.parse(value)).filter(({ executionId }) => executionId === id)
    await expect.poll(outcomes, { timeout: 30_000 }).toMatchObject([{ topic: 'outcomes', executionId: id, agentId, status: 'completed' }])
    const value = JSON.stringify({ message: { topic: 'executions', executionId: id, turn: 1 } })
    await kafka.producer().produce('executions', value)
    const letters = async () => (await call('GET', '/api/dead-letters?kind=message', undefined, {}, stack.adminKey)).body.items
    await expect.poll(async () => (await letters()).length, { timeout: 30_000 }).toBe(1)
    const [letter] = await letters()
    expect(letter).toMatchObject({ accountId: null, message: { topic: 'executions', refusal: 'forged', text: value } })
    const told = async () => (await read('dead-letters')).map((message) => JSON.parse(message.value).letter)
    await expect.poll(told, { timeout: 30_000 }).toEqual([letter])
    await expect(api.call('GET /api/dead-letters')).resolves.toMatchObject({ items: [] })
  },
)

describe.each(['kafka', 'kafka-gateway', 'host', 'edge'])('while %s is killed', (name) => {
  test('nothing that was acknowledged is lost or doubled', { timeout: 180_000 }, async () => {
    const before = await countedRuns()
    const bountyId = await newBounty(600)
    const submissionId = (await call('POST', `/api/bounties/${bountyId}/submissions`, { agentId })).body.id
    const acknowledged: string[] = []
    const over = new AbortController()
    const caller = async () => {
      while (!over.signal.aborted) acknowledged.push(await queueExecution())
    }
    const callers = Array.from({ length: 4 }, caller)
    await expect.poll(() => acknowledged.length, { timeout: 40_000 }).toBeGreaterThan(10)
    const pid = pidOf(name)
    process.kill(pid, 'SIGKILL')
    const atKill = acknowledged.length
    await expect.poll(() => acknowledged.length, { timeout: 60_000 }).toBeGreaterThan(atKill + 10)
    over.abort()
    await Promise.all(callers)
    await expect.poll(() => endedOf(acknowledged), { timeout: 90_000, interval: 500 }).toBe(acknowledged.length)
    const rows = await rowsOf(acknowledged)
    expect(rows.filter(({ status }) => status !== 'completed')).toEqual([])
    expect(new Set(acknowledged).size).toBe(acknowledged.length)
    expect(await countedRuns()).toBe(before + acknowledged.length)
    await expect
      .poll(async () => (await submission(submissionId).catch(() => ({}))).status, { timeout: 90_000, interval: 500 })
      .toBe('accepted')
    expect(await submission(submissionId)).toMatchObject({ casesPassed: 600, round: 1 })
    expect(pidOf(name)).not.toBe(pid)
  })
})
