// What a thousand executions cost: operations counted on the real local cloud, times list prices (shared/prices.ts), at the rate that a volume
// means when it comes evenly; beside what was promised and what others charge for the same run. Counts, not times: the load of the machine
// shows in CPU time alone.
import { costOf, totalOf, type Quantities, type Quantity } from '../../shared/execution-cost.ts'
import type { Outcome } from '../../shared/execution.ts'
import { stalePrices } from '../../shared/prices.ts'
import { peerCosts } from '../cost-peers.ts'
import { requestsOf } from '../counting-link.ts'
import { metersSince, quantitiesEach, withMeteredCloud, type MeteredCloud, type Meters, type Work } from '../metered-cloud.ts'
import { monthlyBill } from '../monthly-bill.ts'
import type { BenchRun, Figure, ScenarioResult } from '../scenario.ts'

/** Eight hours of 22 days, in which all of a month's executions may come. */
const workingHours = 176
/** What the platform's sheet promises, in dollars a month; per million executions it says 30. */
const volumes = [
  { executions: 10_000, shape: 'alone', promised: '5-10' },
  { executions: 100_000, shape: 'alone', promised: '30-50' },
  { executions: 1_000_000, shape: 'a million a month', promised: '300-500' },
  { executions: 100_000_000, shape: 'a hundred million a month', promised: '-' },
] as const
const promisedLines = 'Fly 20, Redis 1, Kafka 2, R2 0.4, Neon 10'
const monthSeconds = 30 * 86_400
const perSecond = (executions: number) => executions / monthSeconds

/** Outcomes are handed over within 0.2 s, bundles within one or two. */
const settledMs = 3_000
const callers = 10

type Call = (more?: { artifact?: boolean; isAsync?: boolean }) => Promise<void>
type Row = {
  name: string
  work: Work
  counts: Meters
  each: Quantities
  microUsdEach: Quantities
  total: number
  perUnit: Record<string, number>
}

export async function cost(run: BenchRun): Promise<ScenarioResult> {
  for (const warning of stalePrices(Date.now())) console.warn(`  ${warning}`)
  // The first and the last rows take as long however few there are.
  const scale = run.quick ? 0.1 : 1
  run.plan(10)
  return withMeteredCloud(async (cloud) => {
    const { call, callersKeys, plainAgent, takesAsync } = await setUp(cloud)
    const work = { count: 0, callerRequests: 0, memoryByteMs: 0 }
    const counted: Call = async (more) => {
      work.memoryByteMs += await call(more)
      work.count++
      work.callerRequests++
    }
    const rows: Row[] = []
    const idle = await used(cloud, () => pause(30_000 * scale))
    const row = async (name: string, begin: () => Promise<unknown>) => {
      run.step(name)
      Object.assign(work, { count: 0, callerRequests: 0, memoryByteMs: 0 })
      const counts = await used(cloud, begin)
      rows.push(rowOf(name, { work: { ...work }, counts, idle }))
    }
    await row('alone', async () => {
      for (let i = 0; i < 10 * scale; i++) await counted().then(() => pause(settledMs))
    })
    await row('a million a month', () => paced(perSecond(1e6), 120 * scale, () => counted()))
    await row('with an artifact, a million a month', () => paced(perSecond(1e6), 60 * scale, () => counted({ artifact: true })))
    await row('a hundred million a month', () => paced(perSecond(1e8), 30 * scale, () => counted()))
    await row('with an artifact, a hundred million a month', () => paced(perSecond(1e8), 20 * scale, () => counted({ artifact: true })))
    await row('as many as it takes', () => flood(16, 6 * scale, () => counted()))
    if (takesAsync) {
      await row('asynchronous, alone', async () => {
        for (let i = 0; i < 10 * scale; i++) await counted({ isAsync: true }).then(() => pause(settledMs))
      })
      await row('asynchronous, ten million a month', () => paced(perSecond(1e7), 30 * scale, () => counted({ isAsync: true })))
    }
    await row('a judged case', async () => Object.assign(work, await judge(cloud, { agentId: plainAgent, key: callersKeys[0] ?? '' })))
    return report(withBulk(rows), { idle, takesAsync })
  })
}

async function setUp(cloud: MeteredCloud) {
  const post = async (path: string, key: string, body: unknown, headers: Record<string, string> = {}) => {
    const init = { method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers } }
    const response = await fetch(`${cloud.directUrl}${path}`, { ...init, body: JSON.stringify(body) })
    if (!response.ok) throw new Error(`POST ${path} was answered ${response.status}: ${(await response.text()).slice(0, 300)}`)
    return response
  }
  // Our own API's answers to requests that succeeded.
  const made = async <T>(path: string, key: string, body: unknown) => (await (await post(path, key, body)).json()) as T
  const callersKeys: string[] = []
  for (let i = 0; i < callers; i++)
    callersKeys.push((await made<{ key: string }>('/api/accounts', cloud.adminKey, { name: `caller ${i}` })).key)
  const deploy = async (name: string, source: string) =>
    (await made<{ id: string }>('/api/agents', callersKeys[0] ?? '', { name, kind: 'script', source })).id
  const plainAgent = await deploy('echo', 'export default (input) => input')
  const keepingAgent = await deploy(
    'keeps',
    `export default (input, { artifact }) => { artifact('report.txt', 'x'.repeat(1000)); return input }`,
  )
  let turn = 0
  /** @returns what the guest held, times how long */
  const call = async ({ artifact = false, isAsync = false } = {}): Promise<number> => {
    const path = `/api/agents/${artifact ? keepingAgent : plainAgent}/executions`
    const key = callersKeys[turn++ % callers] ?? ''
    const response = await post(path, key, { input: { n: turn } }, isAsync ? { prefer: 'respond-async' } : {})
    if (isAsync) return 0
    const { usage } = (await response.json()) as Outcome
    return (usage.memoryBytesPeak * usage.wallMicros) / 1_000
  }
  // What is done once (keys, agents, programs, connections) is not what an execution costs.
  for (let i = 0; i < 2 * callers; i++) await call({ artifact: i % 2 === 0 })
  const probe = await post(`/api/agents/${plainAgent}/executions`, callersKeys[0] ?? '', { input: 1 }, { prefer: 'respond-async' })
  await pause(settledMs)
  return { call, callersKeys, plainAgent, takesAsync: probe.status === 202 }
}

async function judge(cloud: MeteredCloud, { agentId, key }: { agentId: string; key: string }): Promise<Work> {
  const [cases, submissions] = [100, 6]
  const headers = { authorization: `Bearer ${cloud.demoKey}`, 'content-type': 'application/json' }
  const list = Array.from({ length: cases }, (_, n) => ({ input: { n }, expected: { n }, hidden: n % 2 === 0 }))
  const bounty = JSON.stringify({ title: 'Echo', rewardCredits: 0, mode: 'best', cases: list })
  const response = await fetch(`${cloud.directUrl}/api/bounties`, { method: 'POST', headers, body: bounty })
  // Our own API's answer.
  const { id } = (await response.json()) as { id: string }
  for (let i = 0; i < submissions; i++) {
    const mine = { method: 'POST', headers: { ...headers, authorization: `Bearer ${key}` }, body: JSON.stringify({ agentId }) }
    const submitted = await fetch(`${cloud.directUrl}/api/bounties/${id}/submissions`, mine)
    if (submitted.status !== 202) throw new Error(`a submission was answered ${submitted.status}: ${await submitted.text()}`)
  }
  const open = 'select count(*)::int as open from submissions where bounty_id = $1 and finished_at is null'
  for (let i = 0; i < 300 && (await cloud.database.query<{ open: number }>(open, [id])).rows[0]?.open !== 0; i++) await pause(200)
  return { count: cases * submissions, callerRequests: submissions + 1, memoryByteMs: 0 }
}

async function used(cloud: MeteredCloud, run: () => Promise<unknown>): Promise<Meters> {
  const before = await cloud.read('before')
  await run()
  await pause(settledMs)
  return metersSince(before, await cloud.read('after'))
}

function rowOf(name: string, { work, counts, idle }: { work: Work; counts: Meters; idle: Meters }): Row {
  const each = quantitiesEach(counts, idle, work)
  const microUsdEach = costOf(each)
  const over = (of: (meters: Meters) => number) => Math.max(0, of(counts) - (of(idle) * counts.seconds) / idle.seconds) / work.count
  const perUnit = {
    neonRequests: over(({ links }) => requestsOf(links['edge-neon'])),
    neonStatements: over(({ links }) => links['edge-neon'].parts),
    upstashRequests: over(({ links }) => requestsOf(links['edge-upstash'])),
    hostRequests: over(({ links }) => requestsOf(links['edge-host'])),
  }
  return { name, work, counts, each, microUsdEach, total: totalOf(microUsdEach), perUnit }
}

/**
 * What a few executions do not show beside a machine that idles: tables grow by pages, so bytes are those of the row with the most; CPU time
 * comes in hundredths of a second, so it is at least what one takes in that row.
 */
function withBulk(rows: Row[]): Row[] {
  const bulk = rows.find(({ name }) => name === 'as many as it takes')?.each
  if (!bulk) return rows
  return rows.map((row) => {
    if (row.name === 'a judged case') return row
    const least = (name: Quantity) => Math.max(row.each[name], bulk[name])
    const cpu = { workerCpuMs: least('workerCpuMs'), neonCpuMs: least('neonCpuMs'), hostCpuMs: least('hostCpuMs') }
    const each = { ...row.each, ...cpu, neonBytes: bulk.neonBytes }
    return { ...row, each, microUsdEach: costOf(each), total: totalOf(costOf(each)) }
  })
}

function report(rows: Row[], { idle, takesAsync }: { idle: Meters; takesAsync: boolean }): ScenarioResult {
  const shapeOf = (name: string) => rows.find((row) => row.name === name) ?? rows[0]
  const target = shapeOf('a million a month')
  if (!target) throw new Error('nothing was measured')
  const bills = volumes.map(({ executions, shape, promised }) => {
    const { each } = shapeOf(shape) ?? target
    return { ...monthlyBill(executions, each), workingHoursUsd: monthlyBill(executions, each, workingHours).billUsd, shape, promised }
  })
  const peers = peerCosts(0.03)
  const ourCompute = (['hostCpuMs', 'hostMemoryByteMs', 'hostEgressBytes'] as const).reduce(
    (sum, name) => sum + target.microUsdEach[name],
    0,
  )
  // The keys of quantities are their names.
  const lines = (Object.keys(target.microUsdEach) as Quantity[]).filter((name) => target.microUsdEach[name] > 0)
  const figures: Figure[] = [
    ...rows.map(({ name, total }) => figure(`$ for a million more, ${name}`, total, name === 'a million a month' ? '<= 3' : undefined)),
    ...lines.map((name) => figure(`of it at a million a month: ${name}`, target.microUsdEach[name])),
    ...bills.flatMap(({ executions, fixedUsd, neonAwakeUsd, marginalUsd, billUsd, workingHoursUsd, promised }) => {
      const month = executions.toLocaleString('en')
      return [
        figure(`$ a month for ${month}: fixed`, fixedUsd),
        figure(`$ a month for ${month}: by use, at list price`, marginalUsd),
        figure(`$ a month for ${month}: Neon kept awake by calls at all hours`, neonAwakeUsd),
        figure(`$ a month for ${month}: bill, calls at all hours (promised ${promised})`, billUsd),
        figure(`$ a month for ${month}: bill, calls in ${workingHours} working hours`, workingHoursUsd),
      ]
    }),
    figure('$ for a million runs, sandbox alone: here', ourCompute),
    ...peers.map(({ name, microUsdEach }) => figure(`$ for a million runs, sandbox alone: ${name}`, microUsdEach)),
  ]
  return { figures, raw: { promisedPerMillion: promisedLines, takesAsync, idle, rows, bills, peers, ourCompute } }
}

function figure(name: string, value: number, target?: string): Figure {
  return target === undefined ? { name, value } : { name, value, target }
}

/** One begins each `1 / rate` seconds, whether or not the ones before have ended. */
async function paced(rate: number, seconds: number, send: () => Promise<void>): Promise<void> {
  const count = Math.round(rate * seconds)
  const startedAt = performance.now()
  const sent: Promise<void>[] = []
  for (let i = 0; i < count; i++) {
    await pause(startedAt + (i * 1_000) / rate - performance.now())
    sent.push(send())
  }
  await Promise.all(sent)
  await pause(startedAt + seconds * 1_000 - performance.now())
}

async function flood(connections: number, seconds: number, send: () => Promise<void>): Promise<void> {
  const until = performance.now() + seconds * 1_000
  const lane = async () => {
    while (performance.now() < until) await send()
  }
  await Promise.all(Array.from({ length: connections }, lane))
}

async function pause(ms: number): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms))
}
