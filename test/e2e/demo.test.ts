import { expect, inject, test } from 'vitest'
import { bundleDemoAgent, demoLibraries } from '../../local/demo-agents.ts'
import { demoCases } from '../../local/demo-cases.ts'
import { loadDemo } from '../../local/demo.ts'
import { call } from './caller.ts'

test('the demo ranks four npm libraries, and each passes exactly the cases that it passes on Node', async () => {
  const stack = inject('stack')
  const { bountyId, ranking } = await loadDemo(stack)
  for (const library of demoLibraries) expect(ranking).toContain(library)

  const { body } = await call('GET', `/api/leaderboard?bounty=${bountyId}&limit=100`)
  expect(body.items).toHaveLength(demoLibraries.length)
  const byRank = [...body.items].toSorted((a, b) => b.casesPassed - a.casesPassed || a.fuelTotal - b.fuelTotal)
  expect(body.items).toEqual(byRank)

  const { body: bounty } = await call('GET', `/api/bounties/${bountyId}`)
  for (const { agentName, submissionId } of body.items) {
    const { body: submission } = await call('GET', `/api/submissions/${submissionId}`)
    const verdictOf = new Map(submission.verdicts.map((verdict: { caseId: string; status: string }) => [verdict.caseId, verdict.status]))
    const render = await onNode(agentName)
    const expected = demoCases.map((demoCase) => (render(demoCase.input) === demoCase.expected ? 'accepted' : 'wrong-answer'))
    const actual = bounty.cases.map((publicCase: { id: string }) => verdictOf.get(publicCase.id))
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
