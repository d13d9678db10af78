// The load of the platform's sheet: its seven rows with the same connections and durations, against the Worker's direct socket. Beside them,
// in the same rounds: the least that workerd can answer, alone and in front of a server of Node's, what miniflare's entry worker costs, and an Express server with pg on the same
// Postgres. Then throughput over the number of connections. Everything takes its turn in every round, so that a slow moment of the machine
// falls on all; the load generator shares the cores.
import { withLocalCloud, type LocalCloud } from '../local-cloud.ts'
import { deployAgent, fillLists } from '../fill-cloud.ts'
import { latencyAt, load, percentiles, type LoadRound, type Percentile } from '../load.ts'
import { startPeer } from '../peers/start-peer.ts'
import { apiPromises, type Promised } from '../promised.ts'
import type { BenchRun, Chart, Figure, ScenarioResult, Table } from '../scenario.ts'
import { median, quantile } from '../statistics.ts'

type Subject = {
  name: string
  url: string
  connections: number
  seconds: number
  /** Headers and body of an execution; absent: a GET. */
  post?: { headers: Record<string, string>; body: string }
  promised?: Promised
}
type Measured = Map<string, { subject: Subject; rounds: LoadRound[] }>

const readSeconds = 10
const executionSeconds = 15
const warmUpSeconds = 1
const sweep = { full: [1, 2, 5, 10, 25, 50, 100, 200], quick: [1, 10, 100] }

/** Least share of what the bare Worker answers with as many connections. */
const shareOfBare = { health: 0.9, bounties: 0.5, agents: 0.5, leaderboard: 0.5 }
/** From this share on, a row that misses its promise misses it because of the machine. */
const machineShare = 0.9
/** Least multiple of what the Express server answers to the same question. */
const timesExpress = { bounties: 2, agents: 2, leaderboard: 2 }

export async function api(run: BenchRun): Promise<ScenarioResult> {
  const rounds = run.quick ? 1 : 3
  return withLocalCloud(async (cloud) => {
    await fillLists(cloud)
    const agent = await deployAgent(cloud, { name: 'noop', source: 'export default (input) => input' })
    const bare = await startPeer('bare-worker.ts')
    const forwarding = await startPeer('forwarding-worker.ts')
    const express = await startPeer('express-pg.ts', { DATABASE_URL: cloud.databaseUrl })
    try {
      const subjects = subjectsOf({ cloud, agentId: agent.id, bare: bare.url, forwarding: forwarding.url, express: express.url })
      const measured: Measured = new Map(subjects.map((subject) => [subject.name, { subject, rounds: [] }]))
      const swept = subjects.filter(({ name }) => sweepNames.includes(name))
      const sweptConnections = run.quick ? sweep.quick : sweep.full
      run.plan(subjects.length * rounds + swept.length * sweptConnections.length)
      // The first requests to a path make caches and machine code.
      for (const subject of subjects) await loadSubject(subject, run.quick ? 0.3 : warmUpSeconds)
      for (let round = 0; round < rounds; round++) {
        for (const subject of subjects) {
          run.step(`${subject.name}, round ${round + 1} of ${rounds}`)
          measured.get(subject.name)?.rounds.push(await loadSubject(subject, run.quick ? 1.5 : subject.seconds))
        }
      }
      const points: Chart['points'] = []
      for (const connections of sweptConnections) {
        for (const subject of swept) {
          run.step(`${subject.name} at ${connections} connections`)
          const { perSecond } = await loadSubject({ ...subject, connections }, run.quick ? 0.7 : 3)
          points.push({ series: subject.name, x: connections, y: perSecond })
        }
      }
      return {
        figures: figuresOf(measured),
        tables: [promisedTable(measured), peerTable(measured)],
        charts: [latencyChart(measured), sweepChart(points)],
        raw: { percentiles, rounds: Object.fromEntries([...measured].map(([name, of]) => [name, of.rounds])), sweep: points },
      }
    } finally {
      await Promise.all([bare.stop(), forwarding.stop(), express.stop()])
    }
  })
}

const bareName = (connections: number) => `bare worker, ${connections} connections`
const forwardingName = (connections: number) => `bare forwarding worker, ${connections} connections`
const executionName = 'execution'
const manyExecutionsName = 'execution, 100 connections'
const sweepNames = [bareName(100), forwardingName(100), 'health', 'bounties', executionName]

/** What an endpoint is compared with: an execution cannot be had without a second server behind the Worker. */
const leastFor = ({ name, connections }: Subject) => (name === executionName ? forwardingName(connections) : bareName(connections))

type Places = { cloud: LocalCloud; agentId: string; bare: string; forwarding: string; express: string }

function subjectsOf({ cloud, agentId, bare, forwarding, express }: Places): Subject[] {
  const get = (name: string, url: string, connections: number): Subject => ({ name, url, connections, seconds: readSeconds })
  const ours = (name: keyof typeof apiPromises): Subject => {
    const promised = apiPromises[name]
    return { ...get(name, `${cloud.directUrl}/api/${name}`, promised.connections), promised }
  }
  const execution = {
    name: executionName,
    url: `${cloud.directUrl}/api/agents/${agentId}/executions`,
    seconds: executionSeconds,
    post: {
      headers: { authorization: `Bearer ${cloud.demoKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ input: { n: 1 } }),
    },
  }
  const forward = (connections: number): Subject => {
    return { ...execution, name: forwardingName(connections), url: `${forwarding}/`, connections }
  }
  const lists = ['bounties', 'agents', 'leaderboard'] as const
  return [
    get(bareName(100), `${bare}/`, 100),
    ours('health'),
    ours('ready'),
    get(bareName(50), `${bare}/`, 50),
    ours('metrics'),
    ...lists.map(ours),
    forward(apiPromises.execution.connections),
    { ...execution, connections: apiPromises.execution.connections, promised: apiPromises.execution },
    forward(100),
    { ...execution, name: manyExecutionsName, connections: 100 },
    get("health through miniflare's entry", `${cloud.baseUrl}/api/health`, 100),
    get('express: health', `${express}/api/health`, 100),
    ...lists.map((list) => get(`express: ${list}`, `${express}/api/${list}`, 50)),
  ]
}

function loadSubject({ url, connections, post }: Subject, duration: number): Promise<LoadRound> {
  return load({ url, connections, duration, ...(post ? { method: 'POST', ...post } : {}) })
}

function roundsOf(measured: Measured, name: string): LoadRound[] {
  return measured.get(name)?.rounds ?? []
}

const perSecond = (rounds: LoadRound[]) => median(rounds.map((round) => round.perSecond))
const latency = (rounds: LoadRound[], at: Percentile) => median(rounds.map((round) => latencyAt(round, at)))
const failed = (rounds: LoadRound[]) => rounds.reduce((sum, round) => sum + round.failed, 0)

/** Each round's own ratio: both sides of it were measured within seconds. */
function ratios(measured: Measured, name: string, to: string): number[] {
  const others = roundsOf(measured, to)
  return roundsOf(measured, name).map((round, at) => round.perSecond / (others[at]?.perSecond ?? Number.NaN))
}

function promisedTable(measured: Measured): Table {
  const rows = [...measured.values()].flatMap(({ subject, rounds }) => {
    const { name, connections, promised } = subject
    if (!promised) return []
    const share = median(ratios(measured, name, leastFor(subject)))
    const reached = { perSecond: perSecond(rounds), p99Ms: latency(rounds, 99) }
    const isReached = reached.perSecond >= promised.perSecond && reached.p99Ms <= promised.p99Ms && failed(rounds) === 0
    const verdict = isReached ? 'reached' : share >= machineShare ? "the machine's limit" : '**missed**'
    return [
      [
        name,
        connections,
        `${promised.p50Ms} / ${promised.p95Ms} / ${promised.p99Ms}`,
        ([50, 95, 99] as const).map((at) => latency(rounds, at).toFixed(1)).join(' / '),
        promised.perSecond,
        reached.perSecond,
        failed(rounds),
        share,
        verdict,
      ],
    ]
  })
  return {
    title: 'Promised and reached: load',
    columns: [
      'endpoint',
      'connections',
      'promised p50 / p95 / p99, ms',
      'reached, ms',
      'promised /s',
      'reached /s',
      'errors',
      'share of a bare Worker',
      '',
    ],
    rows,
    note: `The promise is of other hardware. The bare Worker answers a constant in the same rounds with as many connections: a row that reaches ${machineShare} of it is held up by the machine and by workerd, not by the program. For executions it is a Worker that does nothing but pass the body on to a server of Node's that does nothing. Ours are journaled to disk, signed and go to Postgres; the promise was made with services mocked.`,
  }
}

function peerTable(measured: Measured): Table {
  const rows = [...measured.values()].map(({ subject: { name, connections }, rounds }) => [
    name,
    connections,
    perSecond(rounds),
    ...([50, 95, 99] as const).map((at) => latency(rounds, at)),
    median(rounds.map(({ maxMs }) => maxMs)),
    failed(rounds),
  ])
  return {
    title: 'All rows of the load',
    columns: ['row', 'connections', 'per second', 'p50, ms', 'p95, ms', 'p99, ms', 'longest, ms', 'errors'],
    rows,
    note: 'Express with pg caches nothing, checks no key and counts no limits; it is what one would write first.',
  }
}

function figuresOf(measured: Measured): Figure[] {
  const rate = (name: string) => roundsOf(measured, name).map((round) => round.perSecond)
  const all = [...measured.values()].flatMap(({ rounds }) => rounds)
  const share = (name: string, to: string) => ({ value: median(ratios(measured, name, to)), samples: ratios(measured, name, to) })
  const executions = [executionName, manyExecutionsName]
  return [
    ...[...measured.values()].flatMap(({ subject: { name, promised }, rounds }): Figure[] => {
      const isExecution = executions.includes(name)
      const p99 = rounds.map((round) => latencyAt(round, 99))
      return [
        {
          name: `${name}: requests per second`,
          value: median(rate(name)),
          samples: rate(name),
          better: 'more',
          ...(isExecution ? { target: '>= 2,500' } : promised ? { target: `>= ${promised.perSecond.toLocaleString('en')}` } : {}),
        },
        {
          name: `${name}: p99, ms`,
          value: median(p99),
          samples: p99,
          better: 'less',
          ...(promised ? { target: `<= ${promised.p99Ms}` } : {}),
        },
      ]
    }),
    ...Object.entries(shareOfBare).map(([name, least]) => ({
      name: `${name}: share of the bare worker`,
      ...share(name, bareName(name === 'health' ? 100 : 50)),
      target: `>= ${least}`,
    })),
    { name: 'ready: share of the bare worker', ...share('ready', bareName(100)), better: 'more' },
    ...executions.map((name, i) => ({
      name: `${name}: share of the bare forwarding worker`,
      ...share(name, forwardingName(i === 0 ? apiPromises.execution.connections : 100)),
      better: 'more' as const,
    })),
    {
      name: "miniflare's entry worker: share of the direct socket",
      ...share("health through miniflare's entry", 'health'),
      better: 'more',
    },
    ...Object.entries(timesExpress).map(([name, least]) => ({
      name: `${name}: times the Express server with pg`,
      ...share(name, `express: ${name}`),
      target: `>= ${least}`,
    })),
    { name: 'failed requests', value: failed(all), target: '0' },
  ]
}

function latencyChart(measured: Measured): Chart {
  const ours = [...measured.values()].filter(
    ({ subject: { name, promised } }) => promised || name === bareName(100) || name === forwardingName(apiPromises.execution.connections),
  )
  return {
    name: 'api-latency',
    title: 'Latency under load: share of requests that took longer',
    kind: 'lines',
    x: { title: 'latency, ms', scale: 'log' },
    y: { title: 'share of requests that took longer', scale: 'log' },
    points: ours.flatMap(({ subject: { name }, rounds }) =>
      percentiles.map((percentile, at) => ({
        series: name,
        x: Math.max(
          0.01,
          quantile(
            rounds.map(({ latencyMs }) => latencyMs[at] ?? Number.NaN),
            0.5,
          ),
        ),
        y: 1 - percentile / 100,
      })),
    ),
  }
}

function sweepChart(points: Chart['points']): Chart {
  return {
    name: 'api-throughput',
    title: 'Throughput over concurrency',
    kind: 'lines',
    x: { title: 'connections', scale: 'log' },
    y: { title: 'answers per second' },
    points,
  }
}
