// Script executions per second over HTTP: straight at the host (signed like the Worker's requests) and through the Worker's direct
// socket. Rounds alternate, so that a slow moment of the machine falls on both; the load generator shares the two cores.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import autocannon from 'autocannon'
import { makeId } from '../../shared/ids.ts'
import { startTimeDefault, type HostExecution } from '../../shared/execution.ts'
import { signRequest } from '../../sandbox-host/signature.ts'
import { withLocalCloud, type LocalCloud } from '../local-cloud.ts'
import { treeMemoryMiB } from '../process-tree.ts'
import type { ScenarioResult } from '../run.ts'
import { median } from '../statistics.ts'

const connections = 100
const rounds = 5
const secondsPerRound = 6

type Round = { perSecond: number; p50Ms: number; p99Ms: number; failed: number }

export async function http(): Promise<ScenarioResult> {
  return withLocalCloud(async (cloud) => {
    const agent = await deployNoop(cloud)
    const host: Round[] = []
    const worker: Round[] = []
    await loadHost(cloud, agent, 2)
    await loadWorker(cloud, agent, 2)
    for (let round = 0; round < rounds; round++) {
      host.push(await loadHost(cloud, agent, secondsPerRound))
      worker.push(await loadWorker(cloud, agent, secondsPerRound))
    }
    const memory = Object.entries(cloud.processes()).map(([name, pid]) => ({ name, memoryMiB: treeMemoryMiB(pid) }))
    const total = memory.reduce((sum, { memoryMiB }) => sum + memoryMiB, 0)
    return {
      figures: [
        ...figures('host', host, '>= 4,000'),
        ...figures('worker (direct socket)', worker, '>= 1,500'),
        { name: 'memory of the whole cloud after this load, MiB (PSS)', value: total },
      ],
      raw: { host, worker, memory },
    }
  })
}

type Deployed = { id: string; sha256: string; accountId: string }

async function deployNoop({ baseUrl, demoKey }: LocalCloud): Promise<Deployed> {
  const headers = { authorization: `Bearer ${demoKey}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ name: 'noop', kind: 'script', source: 'export default (input) => input' })
  const response = await fetch(`${baseUrl}/api/agents`, { method: 'POST', headers, body })
  if (response.status !== 201) throw new Error(`deploy answered ${response.status}: ${await response.text()}`)
  // Our own API's answer to a deploy that succeeded.
  return (await response.json()) as Deployed
}

async function loadHost({ hostUrl, localDir }: LocalCloud, agent: Deployed, seconds: number): Promise<Round> {
  const path = '/v1/executions'
  // A signature is for one host.
  const { host } = (await (await fetch(`${hostUrl}/ready`)).json()) as { host: string }
  const secret: string = JSON.parse(readFileSync(join(localDir, 'secrets.json'), 'utf8')).sandboxSecret
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
    return { ...request, body, headers: { ...request.headers, ...signature } }
  }
  return load({ url: `${hostUrl}${path}`, requests: [{ setupRequest }] }, seconds)
}

async function loadWorker({ directUrl, demoKey }: LocalCloud, agent: Deployed, seconds: number): Promise<Round> {
  const url = `${directUrl}/api/agents/${agent.id}/executions`
  return load({ url, headers: { authorization: `Bearer ${demoKey}` }, body: JSON.stringify({ input: { n: 1 } }) }, seconds)
}

async function load(options: autocannon.Options, seconds: number): Promise<Round> {
  const headers = { 'content-type': 'application/json', ...options.headers }
  const result = await autocannon({ ...options, method: 'POST', headers, connections, duration: seconds })
  const failed = result.errors + result.timeouts + result.non2xx
  return { perSecond: result['2xx'] / result.duration, p50Ms: result.latency.p50, p99Ms: result.latency.p99, failed }
}

function figures(where: string, all: Round[], target: string) {
  const of = (pick: (round: Round) => number) => median(all.map(pick))
  return [
    { name: `${where}: script executions per second, ${connections} connections`, value: of((round) => round.perSecond), target },
    { name: `${where}: p50, ms`, value: of((round) => round.p50Ms) },
    { name: `${where}: p99, ms`, value: of((round) => round.p99Ms) },
    { name: `${where}: failed requests`, value: all.reduce((sum, round) => sum + round.failed, 0), target: '0' },
  ]
}
