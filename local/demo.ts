// Loads the demo through the public API like any caller would: a bounty with every CommonMark example, four agents that are npm
// libraries, a submission each. What is there already is left alone, so every start may call it.
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { agentSchema } from '../shared/agent.ts'
import { bountySummarySchema } from '../shared/bounty.ts'
import { bountyRankSchema } from '../shared/leaderboard.ts'
import { pageSchema } from '../shared/page.ts'
import { submissionSchema, type Submission } from '../shared/submission.ts'
import { bundleDemoAgent, demoLibraries } from './demo-agents.ts'
import { demoCases } from './demo-cases.ts'

const title = 'Render CommonMark'

export type DemoOptions = { baseUrl: string; demoKey: string; report?: (line: string) => void }

/** @returns the ranking as a table for a terminal, and an agent to try */
export async function loadDemo({
  baseUrl,
  demoKey,
  report = () => {},
}: DemoOptions): Promise<{ ranking: string; agentId: string; bountyId: string }> {
  const api = apiClient(baseUrl, demoKey)
  const { accountId } = await api.get(
    '/accounts/me',
    z.object({ id: z.string() }).transform(({ id }) => ({ accountId: id })),
  )
  const bountyId = (await findBounty(api, accountId)) ?? (await postBounty(api))
  const ranked = new Map((await ranking(api, bountyId)).map((rank) => [rank.agentName, rank]))
  const agents = await ownAgents(api, accountId)

  for (const library of demoLibraries) {
    if (ranked.has(library)) continue
    const started = performance.now()
    const agent = agents.get(library) ?? (await deploy(api, library))
    const { id } = await api.post(`/bounties/${bountyId}/submissions`, { agentId: agent.id }, submissionSchema)
    const submission = await untilFinished(api, id)
    report(`${library}: ${submission.casesPassed} of ${submission.casesTotal} cases in ${Math.round(performance.now() - started)} ms`)
  }

  const ranks = await ranking(api, bountyId)
  return { ranking: table(ranks), agentId: ranks[0]?.agentId ?? '', bountyId }
}

type Api = ReturnType<typeof apiClient>

function apiClient(baseUrl: string, key: string) {
  async function call<T>(path: string, init: RequestInit, schema: z.ZodType<T>): Promise<T> {
    const response = await fetch(`${baseUrl}/api${path}`, {
      ...init,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${path} answered ${response.status}: ${text.slice(0, 500)}`)
    return schema.parse(JSON.parse(text))
  }
  return {
    get: <T>(path: string, schema: z.ZodType<T>) => call(path, {}, schema),
    post: <T>(path: string, body: unknown, schema: z.ZodType<T>) => call(path, { method: 'POST', body: JSON.stringify(body) }, schema),
  }
}

async function* everyItem<T>(api: Api, path: string, item: z.ZodType<T>): AsyncGenerator<T> {
  let cursor: string | null = null
  do {
    const page: { items: T[]; nextCursor: string | null } = await api.get(
      `${path}?limit=100${cursor ? `&cursor=${cursor}` : ''}`,
      pageSchema(item),
    )
    yield* page.items
    cursor = page.nextCursor
  } while (cursor !== null)
}

async function findBounty(api: Api, accountId: string): Promise<string | undefined> {
  for await (const bounty of everyItem(api, '/bounties', bountySummarySchema)) {
    if (bounty.title === title && bounty.accountId === accountId && bounty.caseCount === demoCases.length) return bounty.id
  }
  return undefined
}

async function postBounty(api: Api): Promise<string> {
  const description =
    'Render Markdown to HTML exactly as the CommonMark specification says. Input: `{"markdown": string}`. Output: the HTML as a string.'
  const bounty = { title, description, rewardCredits: 1000, mode: 'best', tier: 'basic', cases: demoCases }
  return (await api.post('/bounties', bounty, bountySummarySchema)).id
}

async function ownAgents(api: Api, accountId: string): Promise<Map<string, { id: string }>> {
  const agents = new Map<string, { id: string }>()
  for await (const agent of everyItem(api, '/agents', agentSchema)) if (agent.accountId === accountId) agents.set(agent.name, agent)
  return agents
}

const pollMs = 100

/** A judging always ends, if need be with a reason why it failed. */
async function untilFinished(api: Api, id: string): Promise<Submission> {
  for (;;) {
    const submission = await api.get(`/submissions/${id}`, submissionSchema)
    if (submission.finishedAt !== null) return submission
    await sleep(pollMs)
  }
}

async function deploy(api: Api, library: (typeof demoLibraries)[number]): Promise<{ id: string }> {
  return api.post('/agents', { name: library, kind: 'script', source: await bundleDemoAgent(library) }, z.object({ id: z.string() }))
}

async function ranking(api: Api, bountyId: string) {
  return (await api.get(`/leaderboard?bounty=${bountyId}&limit=100`, pageSchema(bountyRankSchema))).items
}

function table(ranks: z.infer<typeof bountyRankSchema>[]): string {
  const rows = ranks.map(({ rank, agentName, casesPassed, casesTotal, fuelTotal }) => {
    const fuel = fuelTotal === null ? 'not metered' : `${(fuelTotal / 1e6).toFixed(1)} M fuel`
    return `  ${rank}. ${agentName.padEnd(12)} ${String(casesPassed).padStart(4)} of ${casesTotal} cases   ${fuel.padStart(16)}`
  })
  return [`  ${title}: npm libraries as agents, ranked by cases passed, then fuel`, ...rows].join('\n')
}
