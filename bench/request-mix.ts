// What a site of bounties is asked over a day, in shares: mostly reads, some executions, now and then a submission or a new version.
import type autocannon from 'autocannon'
import { deployAgent, fillLists, post, postBounty, type Deployed } from './fill-cloud.ts'
import type { LocalCloud } from './local-cloud.ts'
import { pseudoRandom } from './statistics.ts'

/** Of a thousand requests. */
export const mix = {
  'a list of bounties': 220,
  'a bounty': 180,
  'a list of agents': 150,
  'an agent': 100,
  'the leaderboard': 120,
  'the own account': 50,
  'an execution by id': 60,
  health: 47,
  'an execution': 70,
  'a submission': 2,
  'a new version': 1,
} as const
export type MixedRequest = keyof typeof mix

export type RequestMix = {
  /** What the request at this place of every connection's list is. */
  kinds: MixedRequest[]
  requests: autocannon.Request[]
}

/** @returns the thousand in an order that is the same every time, for a cloud that is filled here */
export async function requestMix(cloud: LocalCloud): Promise<RequestMix> {
  await fillLists(cloud)
  const agents: Deployed[] = []
  // An agent has at most 1,000 versions.
  for (let i = 0; i < 10; i++) agents.push(await deployAgent(cloud, { name: `busy-${i}`, source: 'export default (input) => input + 1' }))
  const [first] = agents
  if (!first) throw new Error('no agent was deployed')
  // Mode best: it stays open however many pass.
  const bounty = await postBounty(cloud, { title: 'Add one' })
  const execution = await post<{ id: string }>(cloud, `/agents/${first.id}/executions`, { input: 1 })
  const headers = { authorization: `Bearer ${cloud.demoKey}`, 'content-type': 'application/json' }
  // Visitors read what is public without a key.
  const get = (path: string): autocannon.Request => ({ method: 'GET', path: `/api${path}` })
  const getOwn = (path: string): autocannon.Request => ({ ...get(path), headers })
  const send = (path: string, body: unknown): autocannon.Request => ({
    method: 'POST',
    path: `/api${path}`,
    headers,
    body: JSON.stringify(body),
  })
  let versions = 0
  const made: Record<MixedRequest, () => autocannon.Request> = {
    'a list of bounties': () => get('/bounties?status=open'),
    'a bounty': () => get(`/bounties/${bounty.id}`),
    'a list of agents': () => get('/agents'),
    'an agent': () => get(`/agents/${first.id}`),
    'the leaderboard': () => get('/leaderboard'),
    'the own account': () => getOwn('/accounts/me'),
    'an execution by id': () => getOwn(`/executions/${execution.id}`),
    health: () => get('/health'),
    'an execution': () => send(`/agents/${first.id}/executions`, { input: 1 }),
    'a submission': () => send(`/bounties/${bounty.id}/submissions`, { agentId: first.id }),
    'a new version': () => ({
      ...send('', {}),
      setupRequest: (request) => {
        const agent = agents[versions++ % agents.length] ?? first
        const body = JSON.stringify({ source: `export default (input) => input + 1 // ${versions}` })
        return { ...request, path: `/api/agents/${agent.id}/versions`, body }
      },
    }),
  }
  const kinds = shuffled(Object.entries(mix).flatMap(([kind, count]) => Array.from({ length: count }, () => kind as MixedRequest)))
  return { kinds, requests: kinds.map((kind) => made[kind]()) }
}

/** The same from another place on, so that connections do not all deploy at once. */
export function rotated<T>(all: readonly T[], by: number): T[] {
  return [...all.slice(by % all.length), ...all.slice(0, by % all.length)]
}

function shuffled<T>(all: readonly T[]): T[] {
  const random = pseudoRandom(7)
  return all
    .map((each) => ({ each, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ each }) => each)
}
