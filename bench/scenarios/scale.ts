// Many hosts. What this machine can show: throughput of 1, 2 and 3 hosts in processes of their own, and a small open-loop run over three. What it
// cannot: that run is asked of the simulation, too, and where the two agree the simulation says what a fleet does (bench/simulation).
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import autocannon from 'autocannon'
import { makeId } from '../../shared/ids.ts'
import { startTimeDefault, type HostExecution } from '../../shared/execution.ts'
import { signRequest } from '../../sandbox-host/signature.ts'
import { withLocalCloud, type LocalCloud } from '../local-cloud.ts'
import { plannedArrivals } from '../simulation/arrivals.ts'
import { fleetHours, type FleetRun } from '../simulation/fleet-hours.ts'
import { simulate, type Arrival, type SimulationResult } from '../simulation/simulate.ts'
import { median, quantile } from '../statistics.ts'

const hostCounts = [1, 2, 3]
const repeats = 2
const secondsPerRound = 5
const connections = 60

/**
 * Of the small run: three hosts of one thread, more programs than their memory holds, and work for a tenth of a core: what a run waits for is then other
 * runs on its host, and not processes that share its core.
 */
const trace = { seed: 7, perSecond: 20, endMs: 40_000, programs: 48, serviceMsMean: 4, serviceSigma: 0.8 }
/** Steps of the loop that take a millisecond here, about; each run's own time is measured. */
const stepsPerMs = 20_000

type Deployed = { id: string; sha256: string; accountId: string }
type Round = { hosts: number; perSecond: number; p50Ms: number; p99Ms: number; failed: number }

export async function scale() {
  const rounds: Round[] = []
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const hosts of repeat % 2 === 0 ? hostCounts : hostCounts.toReversed()) rounds.push(await throughput(hosts))
  }
  const small = await smallRun()
  const fleet = await fleetHours((name) => console.log(`  simulating ${name}`))
  const of = (hosts: number, pick: (round: Round) => number) => median(rounds.filter((round) => round.hosts === hosts).map(pick))
  const one = of(1, ({ perSecond }) => perSecond)
  return {
    figures: [
      { name: `cores of this machine, which hosts, load generator, edge and database share`, value: cpus().length },
      ...hostCounts.flatMap((hosts) => [
        { name: `${hosts} host(s): signed script executions per second at the hosts`, value: of(hosts, ({ perSecond }) => perSecond) },
        { name: `${hosts} host(s): over one host`, value: of(hosts, ({ perSecond }) => perSecond) / one },
        { name: `${hosts} host(s): p99, ms`, value: of(hosts, ({ p99Ms }) => p99Ms) },
      ]),
      { name: 'failed requests', value: rounds.reduce((sum, { failed }) => sum + failed, 0), target: '0' },
      ...smallFigures(small),
      ...fleet.flatMap(fleetFigures),
    ],
    raw: { rounds, small, fleet },
  }
}

async function throughput(hosts: number): Promise<Round> {
  return onCloud(hosts, async (cloud) => {
    const agent = await deploy(cloud, 'export default (input) => input')
    const urls = Object.values(cloud.hostUrls)
    const load = (seconds: number) =>
      Promise.all(urls.map((url) => loadHost(cloud, { url, agent, seconds, connections: connections / hosts })))
    await load(2)
    const results = await load(secondsPerRound)
    return {
      hosts,
      perSecond: results.reduce((sum, { perSecond }) => sum + perSecond, 0),
      p50Ms: median(results.map(({ p50Ms }) => p50Ms)),
      p99Ms: Math.max(...results.map(({ p99Ms }) => p99Ms)),
      failed: results.reduce((sum, { failed }) => sum + failed, 0),
    }
  })
}

/** Hosts of one thread, as small machines have, with memory for a few programs. */
async function onCloud<T>(hosts: number, use: (cloud: LocalCloud) => Promise<T>): Promise<T> {
  const settings = { THREADS: '1', PROGRAM_BYTES_BUDGET: String(1024 * 1024) }
  const before = Object.keys(settings).map((name) => [name, process.env[name]] as const)
  Object.assign(process.env, settings)
  try {
    return await withLocalCloud(use, { hosts })
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
}

async function deploy({ baseUrl, demoKey }: LocalCloud, source: string): Promise<Deployed> {
  const headers = { authorization: `Bearer ${demoKey}`, 'content-type': 'application/json' }
  const name = `scale-${crypto.randomUUID()}`
  const response = await fetch(`${baseUrl}/api/agents`, { method: 'POST', headers, body: JSON.stringify({ name, kind: 'script', source }) })
  if (response.status !== 201) throw new Error(`deploy answered ${response.status}: ${await response.text()}`)
  // Our own API's answer to a deploy that succeeded.
  return (await response.json()) as Deployed
}

type HostLoad = { url: string; agent: Deployed; seconds: number; connections: number }

async function loadHost({ localDir }: LocalCloud, { url, agent, seconds, connections: count }: HostLoad) {
  const path = '/v1/executions'
  const secret: string = JSON.parse(readFileSync(join(localDir, 'secrets.json'), 'utf8')).sandboxSecret
  // Our own host's answer.
  const { host } = (await (await fetch(`${url}/ready`)).json()) as { host: string }
  const setupRequest = (request: autocannon.Request) => {
    const execution: HostExecution = {
      id: makeId('execution', { at: Date.now(), random: crypto.getRandomValues(new Uint8Array(10)) }),
      agentId: agent.id,
      accountId: agent.accountId,
      version: 1,
      tier: 'basic',
      seed: 0,
      startTime: startTimeDefault,
      program: { kind: 'script', sha256: agent.sha256 },
      input: { n: 1 },
    }
    const body = JSON.stringify(execution)
    const signature = signRequest({ secret, audience: `host ${host}`, method: 'POST', path, body: Buffer.from(body), now: Date.now() })
    return { ...request, body, headers: { ...request.headers, 'content-type': 'application/json', ...signature } }
  }
  const result = await autocannon({ url: url + path, method: 'POST', requests: [{ setupRequest }], connections: count, duration: seconds })
  const failed = result.errors + result.timeouts + result.non2xx
  return { perSecond: result['2xx'] / result.duration, p50Ms: result.latency.p50, p99Ms: result.latency.p99, failed }
}

type SmallFigures = { runs: Record<string, number>; warmShare: number; waitMsP50: number; waitMsP90: number; waitMsP99: number }
type SmallRun = {
  executions: number
  failed: number
  serviceMsMean: number
  overheadMs: number
  programsMax: number
  costs: { compileMs: number; loadMs: number }
  real: SmallFigures
  simulated: SimulationResult
}
type Sample = Arrival & { latencyMs: number }

async function smallRun(): Promise<SmallRun> {
  return onCloud(3, async (cloud) => {
    const programs: Deployed[] = []
    const source = (n: number) => `export default (steps) => { let sum = ${n}; for (let i = 0; i < steps; i++) sum += i; return sum }`
    for (let n = 0; n < trace.programs; n++) programs.push(await deploy(cloud, source(n)))
    // The second host of each prepares it behind the answer.
    await sleep(3_000)
    const before = await counted(cloud)
    const planned = [...plannedArrivals(trace)]
    const { samples, failed } = await openLoop(cloud, { planned, programs })
    const after = await counted(cloud)

    const runs = Object.fromEntries([...after.runs].map(([id, count]) => [id, count - (before.runs.get(id) ?? 0)]))
    const [hits, misses] = [after.hits - before.hits, after.misses - before.misses]
    const coldCount = after.coldCount - before.coldCount
    const costs = {
      compileMs: (before.coldSeconds / Math.max(before.coldCount, 1)) * 1_000,
      loadMs: ((after.coldSeconds - before.coldSeconds) / Math.max(coldCount, 1)) * 1_000,
    }
    const programsMax = Math.round(median([...after.loaded.values()]))
    const overheads = samples.map(({ latencyMs, serviceMs }) => latencyMs - serviceMs)
    // What stands between caller and thread when nothing waits: more than half of all does not.
    const overheadMs = quantile(overheads, 0.25)
    const waits = overheads.map((ms) => Math.max(0, ms - overheadMs))
    const simulated = await simulate({
      hostIds: [...after.runs.keys()],
      model: { threads: 1, queueMax: 1_024, programsMax, ...costs },
      arrivals: samples.toSorted((a, b) => a.atMs - b.atMs),
      programs: programs.map(({ sha256 }) => sha256),
      isolates: 1,
      warmUpMs: 0,
      endMs: trace.endMs + 10_000,
    })
    return {
      executions: samples.length,
      failed,
      serviceMsMean: samples.reduce((sum, { serviceMs }) => sum + serviceMs, 0) / samples.length,
      overheadMs,
      programsMax,
      costs,
      real: { runs, warmShare: hits / (hits + misses), ...waitFigures(waits) },
      simulated,
    }
  })
}

function waitFigures(waits: readonly number[]) {
  return { waitMsP50: quantile(waits, 0.5), waitMsP90: quantile(waits, 0.9), waitMsP99: quantile(waits, 0.99) }
}

/** Each at its time, whatever has become of those before it. */
async function openLoop({ directUrl, demoKey }: LocalCloud, { planned, programs }: { planned: Arrival[]; programs: Deployed[] }) {
  const headers = { authorization: `Bearer ${demoKey}`, 'content-type': 'application/json' }
  const samples: Sample[] = []
  let failed = 0
  const beganAt = performance.now()
  async function execute({ program, serviceMs }: Arrival) {
    const sentAt = performance.now()
    const body = JSON.stringify({ input: Math.round(serviceMs * stepsPerMs) })
    const response = await fetch(`${directUrl}/api/agents/${programs[program]?.id}/executions`, { method: 'POST', headers, body })
    // Our own API's answer.
    const outcome = (await response.json()) as { status: unknown; usage?: { wallMicros: number } }
    if (outcome.status !== 'completed' || !outcome.usage) return void failed++
    const latencyMs = performance.now() - sentAt
    return void samples.push({ atMs: sentAt - beganAt, program, serviceMs: outcome.usage.wallMicros / 1_000, latencyMs })
  }
  const underWay: Promise<void>[] = []
  for (const arrival of planned) {
    await sleep(Math.max(0, arrival.atMs - (performance.now() - beganAt)))
    underWay.push(execute(arrival))
  }
  await Promise.all(underWay)
  return { samples, failed }
}

/** What the hosts have counted so far. */
async function counted({ baseUrl }: LocalCloud) {
  // The edge keeps the text for five seconds.
  await sleep(5_500)
  const text = await (await fetch(`${baseUrl}/api/metrics`)).text()
  const samples = [...text.matchAll(/^(\w+)\{([^}]*)\} (\S+)$/gm)].map(([, name, labels = '', value]) => {
    return { name, host: /host="([^"]*)"/.exec(labels)?.[1] ?? '', labels, value: Number(value) }
  })
  const sum = (name: string, label: string) =>
    samples.filter((of) => of.name === name && of.labels.includes(label)).reduce((all, { value }) => all + value, 0)
  const byHost = (name: string, label = '') =>
    new Map(samples.filter((of) => of.name === name && of.labels.includes(label)).map(({ host, value }) => [host, value]))
  return {
    runs: new Map([...byHost('bounty_host_up').keys()].map((host) => [host, byHost('host_executions_total', 'completed').get(host) ?? 0])),
    loaded: byHost('host_programs_loaded'),
    hits: sum('host_program_lookups_total', 'result="hit"'),
    misses: sum('host_program_lookups_total', 'result="miss"'),
    coldCount: sum('host_start_seconds_count', 'state="cold"'),
    coldSeconds: sum('host_start_seconds_sum', 'state="cold"'),
  }
}

/** Executions that the simulation puts on another host than the real run did. */
function movedShare({ real, simulated, executions }: SmallRun): number {
  const differences = Object.entries(real.runs).map(([id, runs]) => Math.abs(runs - (simulated.runs[id] ?? 0)))
  return differences.reduce((a, b) => a + b, 0) / 2 / executions
}

function smallFigures(small: SmallRun) {
  const both = (name: string, pick: (figures: SmallFigures) => number) => [
    { name: `small run: ${name}`, value: pick(small.real) },
    { name: `the same, simulated: ${name}`, value: pick(small.simulated) },
  ]
  return [
    { name: 'small run: executions, open loop over three hosts', value: small.executions },
    { name: 'small run: failed', value: small.failed, target: '0' },
    { name: 'small run: time on the thread, mean, ms', value: small.serviceMsMean },
    { name: 'small run: share on another host than simulated', value: movedShare(small) },
    ...both('warm share', ({ warmShare }) => warmShare),
    ...both('wait p50, ms', ({ waitMsP50 }) => waitMsP50),
    ...both('wait p90, ms', ({ waitMsP90 }) => waitMsP90),
    ...both('wait p99, ms', ({ waitMsP99 }) => waitMsP99),
  ]
}

function fleetFigures({ name, result }: FleetRun) {
  const { warmShare, waitMsP50, waitMsP99, imbalance, utilisation, failed, begunTwice, windows } = result
  const figures = [
    { name: `${name}: warm share`, value: warmShare },
    { name: `${name}: wait p50, ms`, value: waitMsP50 },
    { name: `${name}: wait p99, ms`, value: waitMsP99 },
    { name: `${name}: busiest host over mean`, value: imbalance },
    { name: `${name}: threads busy`, value: utilisation },
  ]
  if (windows.length === 0) return figures
  const [, then] = windows
  return [
    ...figures,
    { name: `${name}: a host dies: failed`, value: failed },
    { name: `${name}: a host dies: begun twice`, value: begunTwice },
    { name: `${name}: a host dies: warm share of the next 10 s`, value: then?.warmShare ?? 0 },
    { name: `${name}: a host dies: wait p99 of the next 10 s, ms`, value: then?.waitMsP99 ?? 0 },
  ]
}
