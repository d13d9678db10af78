// Three hosts on a local cloud of their own: they join, drain, are killed, while callers go on; what was acknowledged is never lost.
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { receiptCrypto } from '../../cli/receipt-crypto.ts'
import { startStack, type Stack } from '../../local/stack.ts'
import { verifyReceipt } from '../../shared/receipt.ts'
import { neonDatabase, type Database } from '../../workers/adapters/neon.ts'
import { eventually } from '../fakes/eventually.ts'

const hostNames = ['host', 'host-2', 'host-3']
const withinMs = 60_000
let stack: Stack
let database: Database
let localDir: string

beforeAll(async () => {
  localDir = await mkdtemp(join(tmpdir(), 'bounty-hosts-'))
  await chmod(localDir, 0o755)
  // A database of its own: the hosts of another cloud would be given work.
  stack = await startStack({ localDir, edgePort: 0, directPort: 0, hostPort: 0, hosts: hostNames.length })
  database = neonDatabase(stack.neon)
})
afterAll(async () => {
  await stack.stop()
  await rm(localDir, { recursive: true, force: true })
})

// Bodies are what the API says they are; each test asserts the fields that it reads.
// oxlint-disable-next-line typescript/no-explicit-any
type Answer = { status: number; body: any; bytes: Buffer }
async function call(method: string, path: string, body?: object): Promise<Answer> {
  const headers = { authorization: `Bearer ${stack.demoKey}`, 'content-type': 'application/json' }
  const response = await fetch(stack.directUrl + path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) })
  const bytes = Buffer.from(await response.arrayBuffer())
  const isJson = /json/.test(response.headers.get('content-type') ?? '')
  return { status: response.status, body: isJson ? JSON.parse(bytes.toString()) : undefined, bytes }
}

let deployed = 0
async function deploy(source: string): Promise<string> {
  const { status, body } = await call('POST', '/api/agents', { name: `many-${deployed++}`, kind: 'script', source })
  expect([status, body.code]).toEqual([201, undefined])
  return body.id
}
const echo = (n: number) =>
  `export default (input, context) => { context.artifact('n.txt', 'echo ${n} ' + JSON.stringify(input)); return input } // ${n}`

/** Id of the host that keeps what this execution made. */
async function hostOf(id: string): Promise<string> {
  await eventually(async () => (await rows(id)).length, 1, { withinMs })
  const [row] = await rows(id)
  return row?.bundle.split('/')[0] ?? ''
}
async function rows(id: string) {
  const text = `select record->'artifacts'->0->>'bundle' as bundle from executions where id = $1`
  return database.query(z.object({ bundle: z.string() }), { text, parameters: [id] })
}
async function recordedOf(ids: string[]): Promise<number> {
  const text = 'select count(*)::integer as count from executions where id in (select json_array_elements_text($1::json))'
  const [row] = await database.query(z.object({ count: z.number() }), { text, parameters: [JSON.stringify(ids)] })
  return row?.count ?? 0
}

const pidOf = (name: string) => stack.processes()[name]
async function signal(name: string, sent: NodeJS.Signals): Promise<void> {
  const pid = pidOf(name)
  if (pid === undefined) throw new Error(`${name} does not run`)
  process.kill(pid, sent)
  await eventually(() => pidOf(name) !== pid && pidOf(name) !== undefined, true, { withinMs })
}
const statesSchema = z.object({ id: z.string(), state: z.string(), age: z.number() })
async function heard() {
  const text = `select id, state, (extract(epoch from now() - heard_at) * 1000)::integer as age from sandbox_hosts order by id`
  return database.query(statesSchema, { text, parameters: [] })
}
const upCount = async () => (await heard()).filter(({ state, age }) => state === 'up' && age < 6_000).length

/** Callers that execute until they are told to end. */
function load(agents: string[], callers = 8) {
  const ending = new AbortController()
  const answered: { id: string; output: unknown; input: unknown }[] = []
  const failed: { status: number; body: unknown }[] = []
  let sent = 0
  const lanes = Array.from({ length: callers }, async () => {
    while (!ending.signal.aborted) {
      const n = sent++
      const input = { n }
      const { status, body } = await call('POST', `/api/agents/${agents[n % agents.length]}/executions`, { input })
      if (status === 200) answered.push({ id: body.id, output: body.output, input })
      else failed.push({ status, body })
    }
  })
  return {
    answered,
    failed,
    async end() {
      ending.abort()
      await Promise.all(lanes)
      return { answered, failed }
    },
  }
}

let agents: string[]
test('three hosts have joined, each with a process, a directory, an identity and a receipt key of its own', async () => {
  expect(Object.keys(stack.processes())).toEqual(expect.arrayContaining([...hostNames, 'host-proxy']))
  const ids = (await heard()).map(({ id }) => id)
  expect(ids.map((id) => id.replace(/-[0-9a-f]{8}$/, '')).toSorted()).toEqual(hostNames)
  const { body } = await call('GET', '/api/receipt-keys')
  expect(body.items.map(({ host }: { host: string }) => host).toSorted()).toEqual(ids)
  const metrics = (await call('GET', '/api/metrics')).bytes.toString()
  for (const id of ids) expect(metrics).toContain(`bounty_host_up{host="${id}"} 1`)
  expect(metrics.match(/^# TYPE host_executions_total /gm)).toHaveLength(1)
})

test('programs are spread over the hosts, and each stays on its own; artifacts and receipts are read from any', async () => {
  agents = await Promise.all(Array.from({ length: 12 }, (_, n) => deploy(echo(n))))
  const homes = new Map<string, Set<string>>()
  const { body: keys } = await call('GET', '/api/receipt-keys')
  for (const [n, agent] of [...agents, ...agents, ...agents].entries()) {
    const { status, body } = await call('POST', `/api/agents/${agent}/executions`, { input: n })
    expect([status, body.status]).toEqual([200, 'completed'])
    // At once, from the host that has it.
    const artifact = await call('GET', `/api/executions/${body.id}/artifacts/n.txt`)
    expect([artifact.status, artifact.bytes.toString()]).toEqual([200, `echo ${n % agents.length} ${n}`])
    const receipt = await call('GET', `/api/executions/${body.id}/receipt`)
    const key = keys.items.find(({ id }: { id: string }) => id === receipt.body.statement.keyId)
    expect(await verifyReceipt(receipt.body, { ...receiptCrypto, publicKey: key.publicKey })).toMatchObject({ ok: true })
    const host = await hostOf(body.id)
    expect(key.host).toBe(host)
    homes.set(agent, (homes.get(agent) ?? new Set()).add(host))
  }
  for (const home of homes.values()) expect(home.size).toBe(1)
  // All twelve on one of three happens once in 177,000 draws of names.
  expect(new Set([...homes.values()].flatMap((home) => [...home])).size).toBeGreaterThan(1)
})

test('all hosts are restarted, one after the other, under load: no request fails, and no execution is lost', async () => {
  const callers = load(agents)
  for (const name of hostNames) {
    const before = callers.answered.length
    await signal(name, 'SIGTERM')
    await eventually(upCount, 3, { withinMs })
    await eventually(() => callers.answered.length > before + 20, true, { withinMs })
  }
  const { answered, failed } = await callers.end()
  expect(failed).toEqual([])
  expect(answered.filter(({ output, input }) => JSON.stringify(output) !== JSON.stringify(input))).toEqual([])
  const ids = answered.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  await eventually(() => recordedOf(ids), ids.length, { withinMs })
}, 180_000)

test('a host is killed under load: what was acknowledged is not lost, and no request fails', async () => {
  const callers = load(agents)
  await eventually(() => callers.answered.length > 50, true, { withinMs })
  await signal('host-2', 'SIGKILL')
  await eventually(upCount, 3, { withinMs })
  const before = callers.answered.length
  await eventually(() => callers.answered.length > before + 50, true, { withinMs })
  const { answered, failed } = await callers.end()
  expect(failed).toEqual([])
  const ids = answered.map(({ id }) => id)
  await eventually(() => recordedOf(ids), ids.length, { withinMs })
}, 180_000)

test('a judging whose host is killed goes on elsewhere, with one verdict for each case', async () => {
  const agentId = await deploy('export default ({ n }) => { for (let i = 0; i < 300_000; i++); return n }')
  const cases = Array.from({ length: 120 }, (_, n) => ({ input: { n }, expected: n, hidden: n % 2 === 1 }))
  const bounty = await call('POST', '/api/bounties', { title: 'many hosts', rewardCredits: 0, mode: 'best', cases })
  const { body } = await call('POST', `/api/bounties/${bounty.body.id}/submissions`, { agentId })
  const verdicts = async () => {
    const text = 'select count(*)::integer as count, count(distinct case_id)::integer as cases from verdicts where submission_id = $1'
    const [row] = await database.query(z.object({ count: z.number(), cases: z.number() }), { text, parameters: [body.id] })
    return row ?? { count: 0, cases: 0 }
  }
  await eventually(async () => (await verdicts()).count > 0, true, { withinMs })
  // Whichever judges: one after the other.
  for (const name of hostNames) await signal(name, 'SIGKILL')
  const read = async () => (await call('GET', `/api/submissions/${body.id}`)).body
  await eventually(async () => typeof (await read()).finishedAt, 'string', { withinMs })
  expect(await read()).toMatchObject({ status: 'accepted', casesPassed: cases.length })
  expect(await verdicts()).toEqual({ count: cases.length, cases: cases.length })
}, 180_000)

test('the cloud is ready while one host is, and says so when none is', async () => {
  await eventually(upCount, 3, { withinMs })
  const stopped = ['host', 'host-3'].map((name) => pidOf(name) ?? 0)
  for (const pid of stopped) process.kill(pid, 'SIGSTOP')
  try {
    await eventually(async () => (await call('GET', '/api/ready')).status, 200, { withinMs })
    expect((await call('GET', '/api/ready')).status).toBe(200)
    const last = pidOf('host-2') ?? 0
    process.kill(last, 'SIGSTOP')
    stopped.push(last)
    await eventually(async () => (await call('GET', '/api/ready')).body.checks.sandbox.ok, false, { withinMs })
  } finally {
    for (const pid of stopped) process.kill(pid, 'SIGCONT')
  }
  await eventually(async () => (await call('GET', '/api/ready')).status, 200, { withinMs })
}, 120_000)
