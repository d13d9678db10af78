// Reads of the API through the Worker's direct socket, beside a bare Worker and an Express server with pg on the same Postgres. Everything
// takes its turn in every round, so that a slow moment of the machine falls on all; the load generator shares the two cores.
import autocannon from 'autocannon'
import { withLocalCloud, type LocalCloud } from '../local-cloud.ts'
import { startPeer } from '../peers/start-peer.ts'
import type { Figure, ScenarioResult } from '../scenario.ts'
import { median } from '../statistics.ts'

const rounds = 5
const secondsPerRound = 3
const listItems = 25

type Subject = { name: string; url: string; connections: number }
type Round = { perSecond: number; p50Ms: number; p99Ms: number; failed: number }
type Measured = Map<string, Round[]>

/** Least share of what the bare Worker answers with as many connections. */
const shareOfBare = { health: 0.9, bounties: 0.5, agents: 0.5, leaderboard: 0.5 }
/** Least multiple of what the Express server answers to the same question. */
const timesExpress = { bounties: 2, agents: 2, leaderboard: 2 }

export async function api(): Promise<ScenarioResult> {
  return withLocalCloud(async (cloud) => {
    await fillLists(cloud)
    const bare = await startPeer('bare-worker.ts')
    const express = await startPeer('express-pg.ts', { DATABASE_URL: cloud.databaseUrl })
    try {
      const subjects = subjectsOf({ ours: cloud.directUrl, entry: cloud.baseUrl, bare: bare.url, express: express.url })
      const measured: Measured = new Map(subjects.map(({ name }) => [name, []]))
      for (const subject of subjects) await load(subject, 1)
      for (let round = 0; round < rounds; round++) {
        for (const subject of subjects) measured.get(subject.name)?.push(await load(subject, secondsPerRound))
      }
      return { figures: figuresOf(measured), raw: Object.fromEntries(measured) }
    } finally {
      await Promise.all([bare.stop(), express.stop()])
    }
  })
}

function subjectsOf({ ours, entry, bare, express }: Record<'ours' | 'entry' | 'bare' | 'express', string>): Subject[] {
  const lists = ['bounties', 'agents', 'leaderboard']
  return [
    { name: 'bare worker, 100 connections', url: `${bare}/`, connections: 100 },
    { name: 'health', url: `${ours}/api/health`, connections: 100 },
    { name: 'ready', url: `${ours}/api/ready`, connections: 100 },
    { name: 'bare worker, 50 connections', url: `${bare}/`, connections: 50 },
    { name: 'metrics', url: `${ours}/api/metrics`, connections: 50 },
    ...lists.map((list) => ({ name: list, url: `${ours}/api/${list}`, connections: 50 })),
    ...lists.map((list) => ({ name: `express: ${list}`, url: `${express}/api/${list}`, connections: 50 })),
    { name: 'express: health', url: `${express}/api/health`, connections: 100 },
    { name: "health through miniflare's entry", url: `${entry}/api/health`, connections: 100 },
  ]
}

/** More than a page of each, as a bounty site has. */
async function fillLists({ baseUrl, demoKey }: LocalCloud): Promise<void> {
  const headers = { authorization: `Bearer ${demoKey}`, 'content-type': 'application/json' }
  const post = async (path: string, body: unknown) => {
    const response = await fetch(`${baseUrl}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    if (!response.ok) throw new Error(`POST ${path} answered ${response.status}: ${await response.text()}`)
  }
  for (let i = 0; i < listItems; i++) {
    await post('/api/agents', { name: `agent-${i}`, kind: 'script', source: `export default (input) => input + ${i}` })
    await post('/api/bounties', {
      title: `Bounty ${i}`,
      description: 'Return the number that follows the one given.',
      rewardCredits: 1,
      mode: 'best',
      tier: 'basic',
      cases: [{ input: i, expected: i + 1 }],
    })
  }
}

async function load({ url, connections }: Subject, seconds: number): Promise<Round> {
  const { latency, duration, ...result } = await autocannon({ url, connections, duration: seconds })
  const failed = result.errors + result.timeouts + result.non2xx
  return { perSecond: result['2xx'] / duration, p50Ms: latency.p50, p99Ms: latency.p99, failed }
}

function figuresOf(measured: Measured): Figure[] {
  const rate = (name: string) => median((measured.get(name) ?? []).map(({ perSecond }) => perSecond))
  // Each round's own ratio: both sides of it were measured within seconds.
  const ratio = (name: string, to: string) => {
    const others = measured.get(to) ?? []
    return median((measured.get(name) ?? []).map(({ perSecond }, round) => perSecond / (others[round]?.perSecond ?? Number.NaN)))
  }
  const all = [...measured.values()].flat()
  return [
    ...[...measured].flatMap(([name, of]) => [
      { name: `${name}: requests per second`, value: rate(name) },
      { name: `${name}: p50, ms`, value: median(of.map(({ p50Ms }) => p50Ms)) },
      { name: `${name}: p99, ms`, value: median(of.map(({ p99Ms }) => p99Ms)) },
    ]),
    ...Object.entries(shareOfBare).map(([name, least]) => {
      const bare = `bare worker, ${name === 'health' ? 100 : 50} connections`
      return { name: `${name}: share of the bare worker`, value: ratio(name, bare), target: `>= ${least}` }
    }),
    { name: 'ready: share of the bare worker', value: ratio('ready', 'bare worker, 100 connections') },
    ...Object.entries(timesExpress).map(([name, least]) => {
      return { name: `${name}: times the Express server with pg`, value: ratio(name, `express: ${name}`), target: `>= ${least}` }
    }),
    { name: 'failed requests', value: all.reduce((sum, { failed }) => sum + failed, 0), target: '0' },
  ]
}
