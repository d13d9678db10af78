// What a measurement finds in its cloud: agents and bounties, posted through the API as anybody posts them.
import type { LocalCloud } from './local-cloud.ts'

/** More than a page of a list. */
const listItems = 25

export type Deployed = { id: string; sha256: string; accountId: string }

export async function post<T>({ baseUrl, demoKey }: LocalCloud, path: string, body: unknown): Promise<T> {
  const headers = { authorization: `Bearer ${demoKey}`, 'content-type': 'application/json' }
  const response = await fetch(`${baseUrl}/api${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`POST ${path} answered ${response.status}: ${await response.text()}`)
  // Our own API's answer to a request that succeeded.
  return (await response.json()) as T
}

export function deployAgent(cloud: LocalCloud, { name, source }: { name: string; source: string }): Promise<Deployed> {
  return post<Deployed>(cloud, '/agents', { name, kind: 'script', source })
}

export function postBounty(
  cloud: LocalCloud,
  { title, mode = 'best' }: { title: string; mode?: 'best' | 'first' },
): Promise<{ id: string }> {
  return post<{ id: string }>(cloud, '/bounties', {
    title,
    description: 'Return the number that follows the one given.',
    rewardCredits: 1,
    mode,
    tier: 'basic',
    cases: Array.from({ length: 4 }, (_, input) => ({ input, expected: input + 1 })),
  })
}

export async function fillLists(cloud: LocalCloud): Promise<void> {
  for (let i = 0; i < listItems; i++) {
    await deployAgent(cloud, { name: `agent-${i}`, source: `export default (input) => input + ${i}` })
    await postBounty(cloud, { title: `Bounty ${i}` })
  }
}
