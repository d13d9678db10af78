import { expect, inject, test } from 'vitest'
import { bundleDemoAgent, demoLibraries } from '../../local/demo-agents.ts'
import { demoCases } from '../../local/demo-cases.ts'
import { loadDemo } from '../../local/demo.ts'
import { client } from './caller.ts'

test('the demo ranks four npm libraries, and each passes exactly the cases that it passes on Node', async () => {
  const stack = inject('stack')
  const { bountyId, ranking } = await loadDemo(stack)
  for (const library of demoLibraries) expect(ranking).toContain(library)

  const { items } = await client().call('GET /api/leaderboard', { query: { bounty: bountyId, limit: 100 } })
  expect(items).toHaveLength(demoLibraries.length)
  const ranks = items.filter((item) => 'agentName' in item)
  const byRank = ranks.toSorted((a, b) => b.casesPassed - a.casesPassed || Number(a.fuelTotal) - Number(b.fuelTotal))
  expect(items).toEqual(byRank)

  const bounty = await client().call('GET /api/bounties/{id}', { params: { id: bountyId } })
  for (const { agentName, submissionId } of ranks) {
    const submission = await client().call('GET /api/submissions/{id}', { params: { id: submissionId } })
    const verdictOf = new Map(submission.verdicts.map((verdict) => [verdict.caseId, verdict.status]))
    const render = await onNode(agentName)
    const expected = demoCases.map((demoCase) => (render(demoCase.input) === demoCase.expected ? 'accepted' : 'wrong-answer'))
    const actual = bounty.cases.map((publicCase) => verdictOf.get(publicCase.id))
    expect(actual, agentName).toEqual(expected)
  }

  const again = await loadDemo(stack)
  expect(again.ranking).toBe(ranking)
}, 180_000)

async function onNode(library: string): Promise<(input: unknown) => unknown> {
  const name = demoLibraries.find((known) => known === library)
  if (!name) throw new Error(`no demo library is called ${library}`)
  const module = await import(`data:text/javascript,${encodeURIComponent(await bundleDemoAgent(name))}`)
  return module.default
}
