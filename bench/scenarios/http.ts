// Script executions per second over HTTP: straight at the host (signed like the Worker's requests) and through the Worker's direct
// socket. Rounds alternate, so that a slow moment of the machine falls on both; the load generator shares the two cores.
import type autocannon from 'autocannon'
import { deployAgent, type Deployed } from '../fill-cloud.ts'
import { latencyAt, load, type LoadRound } from '../load.ts'
import { withLocalCloud, type LocalCloud } from '../local-cloud.ts'
import { treeMemoryMiB } from '../process-tree.ts'
import type { Figure, ScenarioResult } from '../scenario.ts'
import { executionsPath, hostAccess, signedExecutions } from '../signed-executions.ts'
import { median } from '../statistics.ts'

const connections = 100
const rounds = 5
const secondsPerRound = 6

export async function http(): Promise<ScenarioResult> {
  return withLocalCloud(async (cloud) => {
    const agent = await deployAgent(cloud, { name: 'noop', source: 'export default (input) => input' })
    const host: LoadRound[] = []
    const worker: LoadRound[] = []
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

async function loadHost(cloud: LocalCloud, agent: Deployed, seconds: number): Promise<LoadRound> {
  const url = `${cloud.hostUrl}${executionsPath}`
  return post({ url, requests: [signedExecutions(await hostAccess(cloud), agent, { n: 1 })] }, seconds)
}

async function loadWorker({ directUrl, demoKey }: LocalCloud, agent: Deployed, seconds: number): Promise<LoadRound> {
  const url = `${directUrl}/api/agents/${agent.id}/executions`
  return post({ url, headers: { authorization: `Bearer ${demoKey}` }, body: JSON.stringify({ input: { n: 1 } }) }, seconds)
}

function post(options: autocannon.Options, duration: number): Promise<LoadRound> {
  const headers = { 'content-type': 'application/json', ...options.headers }
  return load({ ...options, method: 'POST', headers, connections, duration })
}

function figures(where: string, all: LoadRound[], target: string): Figure[] {
  const of = (pick: (round: LoadRound) => number) => ({ value: median(all.map(pick)), samples: all.map(pick) })
  return [
    { name: `${where}: script executions per second, ${connections} connections`, ...of(({ perSecond }) => perSecond), target },
    { name: `${where}: p50, ms`, ...of((round) => latencyAt(round, 50)), better: 'less' },
    { name: `${where}: p99, ms`, ...of((round) => latencyAt(round, 99)), better: 'less' },
    { name: `${where}: failed requests`, value: all.reduce((sum, round) => sum + round.failed, 0), target: '0' },
  ]
}
