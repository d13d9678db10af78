// Lists with filters as callers see them: what fits, whose it is, what a cursor is good for, and what no cache keeps.
import { beforeEach, expect, test } from 'vitest'
import { limits } from '../../shared/tiers.ts'
import { idOf } from '../fakes/id-of.ts'
import { testEdge, type TestEdge } from '../fakes/test-edge.ts'

let edge: TestEdge
let ada: { id: string; key: string }
let eve: { id: string; key: string }
beforeEach(async () => {
  edge = testEdge()
  ada = await edge.account('ada')
  eve = await edge.account('eve')
})

const sorted = (...ids: string[]) => ids.toSorted()

async function post(key: string, more: object = {}): Promise<string> {
  const body = { title: 't', rewardCredits: 1, mode: 'best', cases: [{ input: 1, expected: 1 }], ...more }
  return (await edge.call('POST', '/api/bounties', { key, body })).body.id
}
const idsAt = async (path: string, key?: string): Promise<string[]> => {
  const { body } = await edge.call('GET', path, key === undefined ? {} : { key })
  return body.items.map(({ id }: { id: string }) => id)
}

test('bounties are found by their words, owner, mode and status', async () => {
  const render = await post(ada.key, { title: 'Render CommonMark', description: 'Every naïve example.' })
  const parse = await post(eve.key, { title: 'Parse CommonMark', mode: 'first' })
  expect(sorted(...(await idsAt('/api/bounties?q=commonmark')))).toEqual(sorted(render, parse))
  expect(await idsAt('/api/bounties?q=NAIVE+commonmark')).toEqual([render])
  expect(await idsAt('/api/bounties?q=common')).toEqual([])
  expect(await idsAt(`/api/bounties?owner=${eve.id}`)).toEqual([parse])
  expect(await idsAt('/api/bounties?mode=first&status=open')).toEqual([parse])
  expect(await idsAt('/api/bounties?mode=first&status=awarded')).toEqual([])
})

test('agents are found by the words of their name, owner and kind', async () => {
  const [it] = [await edge.deploy(ada.key, { name: 'markdown-it' }), await edge.deploy(eve.key, { name: 'marked' })]
  expect(await idsAt('/api/agents?q=Markdown')).toEqual([it])
  expect(await idsAt(`/api/agents?owner=${eve.id}&q=markdown`)).toEqual([])
  expect(await idsAt('/api/agents?kind=command')).toEqual([])
  expect(await idsAt('/api/agents?kind=script')).toHaveLength(2)
})

test('submissions and executions are listed to the account that they belong to', async () => {
  const agentId = await edge.deploy(ada.key, { name: 'echo' })
  const [bountyId, otherId] = [await post(ada.key), await post(ada.key)]
  const submit = async (to: string): Promise<string> =>
    (await edge.call('POST', `/api/bounties/${to}/submissions`, { key: ada.key, body: { agentId } })).body.id
  const [first, second] = [await submit(bountyId), await submit(otherId)]
  expect(sorted(...(await idsAt('/api/submissions', ada.key)))).toEqual(sorted(first, second))
  expect(await idsAt(`/api/submissions?bounty=${bountyId}&status=accepted`, ada.key)).toEqual([first])
  expect(await idsAt('/api/submissions', eve.key)).toEqual([])
  expect((await edge.call('GET', '/api/submissions', { key: ada.key })).text).not.toContain('verdicts')
  const { id } = (await edge.call('POST', `/api/agents/${agentId}/executions`, { key: ada.key, body: { input: 'secret' } })).body
  const record = edge.sandbox.records.get(id)
  if (!record) throw new Error('the fake sandbox ran nothing')
  await edge.database.executions.record([record])
  const listed = await edge.call('GET', `/api/executions?agent=${agentId}&status=completed`, { key: ada.key })
  expect(listed.body).toEqual({ items: [expect.objectContaining({ id, agentId, version: 1, status: 'completed' })], nextCursor: null })
  expect(listed.text).not.toContain('secret')
  expect(await idsAt('/api/executions', eve.key)).toEqual([])
})

test('a cursor is good for the same list with the same filters', async () => {
  for (let i = 0; i < 3; i++) await post(ada.key, { title: '数学 question' })
  const { body } = await edge.call('GET', '/api/bounties?q=数学&limit=1')
  const rest = await edge.call('GET', `/api/bounties?q=数学&limit=2&cursor=${body.nextCursor}`)
  expect([rest.body.items.length, rest.body.nextCursor]).toEqual([2, null])
  for (const other of ['q=question&', 'status=open&', '']) {
    const refused = await edge.call('GET', `/api/bounties?${other}cursor=${body.nextCursor}`)
    expect([other, refused.body.code]).toEqual([other, 'invalid-cursor'])
  }
})

test('a page that was broken off is short, and says where to go on', async () => {
  const goOnAfter = idOf('bounty')
  const asked: (string | undefined)[] = []
  edge.database.bounties.list = async ({ after }) => {
    asked.push(after)
    return after === undefined ? { items: [], goOnAfter } : { items: [] }
  }
  const { body } = await edge.call('GET', '/api/bounties?q=rare+words')
  expect(body).toEqual({ items: [], nextCursor: expect.any(String) })
  expect((await edge.call('GET', `/api/bounties?q=rare+words&cursor=${body.nextCursor}`)).body).toEqual({ items: [], nextCursor: null })
  expect(asked).toEqual([undefined, goOnAfter])
})

test('the caches keep first pages of lists that can be counted, and nothing that can be thought up', async () => {
  await post(ada.key)
  await post(ada.key)
  const { nextCursor } = (await edge.call('GET', '/api/bounties?limit=1')).body
  const before = edge.cache.calls
  for (const query of ['q=anything', `owner=${ada.id}`, `limit=1&cursor=${nextCursor}`]) {
    const answer = await edge.call('GET', `/api/bounties?${query}`)
    expect([answer.status, answer.headers.get('etag')]).toEqual([200, expect.any(String)])
    const again = await edge.call('GET', `/api/bounties?${query}`, { headers: { 'if-none-match': answer.headers.get('etag') ?? '' } })
    expect(again.status).toBe(304)
  }
  for (const query of ['q=anything', `owner=${ada.id}`]) await edge.call('GET', `/api/agents?${query}`)
  expect(edge.cache.calls).toBe(before)
  await edge.call('GET', '/api/bounties?status=open&mode=best')
  expect(edge.cache.calls).toBeGreaterThan(before)
})

test('the page of an account has its balance and its quotas', async () => {
  await edge.deploy(ada.key, { name: 'echo' })
  await post(ada.key)
  const { body } = await edge.call('GET', '/api/accounts/me', { key: ada.key })
  expect(body).toMatchObject({
    id: ada.id,
    balanceCredits: 999_999,
    quotas: {
      agents: { used: 1, max: 1_000 },
      openBounties: { used: 1, max: 1_000 },
      keys: { used: 1, max: 20 },
      webhooks: { used: 0, max: 20 },
    },
  })
})

test('whoever has all agents or versions is refused before anything is compiled', async () => {
  const agentId = await edge.deploy(ada.key, { name: 'echo' })
  const { findPage } = edge.database.accounts
  edge.database.accounts.findPage = async (id) => {
    const page = await findPage(id)
    return page && { ...page, used: { ...page.used, agents: limits.agentsPerAccountMax } }
  }
  const { find } = edge.database.agents
  edge.database.agents.find = async (id) => {
    const agent = await find(id)
    return agent && { ...agent, version: limits.versionsPerAgentMax }
  }
  const source = '// never seen before'
  for (const [path, body] of [
    ['/api/agents', { name: 'more', kind: 'script', source }],
    [`/api/agents/${agentId}/versions`, { source }],
  ] as const) {
    const answer = await edge.call('POST', path, { key: ada.key, body })
    expect([answer.status, answer.body.code, answer.body.retryable]).toEqual([409, 'quota-exceeded', false])
  }
  expect([...edge.artifacts.programs.values()].map((bytes) => new TextDecoder().decode(bytes))).not.toContain(source)
})
