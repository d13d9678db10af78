// Following a judging on the whole local cloud, with a client that is an EventSource: every event once, whatever happens to the connection.
import { expect, inject, test } from 'vitest'
import { z } from 'zod'
import { executionEventSchema } from '../../shared/progress.ts'
import { neonDatabase } from '../../workers/adapters/neon.ts'
import { eventually } from '../fakes/eventually.ts'
import { follow } from '../fakes/event-source.ts'
import { call, deployScript, newAccount, run } from './caller.ts'

const { baseUrl, demoKey, neon } = inject('stack')
/** Every third case is hidden. */
const cases = Array.from({ length: 60 }, (_, n) => ({
  input: { n, secret: n % 3 === 2 ? 'hidden' : '' },
  expected: n,
  hidden: n % 3 === 2,
}))
const withinMs = 50_000

async function submissionOf(bountyId: string): Promise<string> {
  const find = async () => {
    const statement = { text: 'select id from submissions where bounty_id = $1', parameters: [bountyId] }
    return (await neonDatabase(neon).query(z.object({ id: z.string() }), statement))[0]?.id ?? ''
  }
  await eventually(async () => (await find()) !== '', true, { withinMs })
  return find()
}

test('a submission is told from beginning to end, every event once, over connections that are cut', async () => {
  const agentId = await deployScript('export default ({ n }) => { for (let i = 0; i < 1_000_000; i++); return n }')
  const bounty = await call('POST', '/api/bounties', { body: { title: 'following', rewardCredits: 0, mode: 'best', cases } })
  const submitting = call('POST', `/api/bounties/${bounty.body.id}/submissions`, { body: { agentId } })
  const id = await submissionOf(bounty.body.id)
  const url = `${baseUrl}/api/submissions/${id}/events`
  const follower = follow(url, { key: demoKey })
  const cutting = setInterval(() => follower.cut(), 1_500)
  await follower.finished
  clearInterval(cutting)
  expect((await submitting).status).toBe(202)

  const { body: whole } = await call('GET', `/api/submissions/${id}`)
  const of = (event: string) => follower.told.filter((told) => told.event === event)
  const numbers = of('verdict').map((told) => Number(told.id))
  expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b))
  const verdicts = of('verdict').map(({ data }) => data as { caseId: string; number: number })
  expect(verdicts.map(({ caseId }) => caseId).toSorted()).toEqual(whole.verdicts.map(({ caseId }: { caseId: string }) => caseId).toSorted())
  const progress = of('progress').map(({ data }) => data as { casesJudged: number })
  expect(progress.map(({ casesJudged }) => casesJudged)).toEqual(
    [...new Set(progress.map(({ casesJudged }) => casesJudged))].toSorted((a, b) => a - b),
  )
  expect(progress.at(-1)).toEqual({ casesTotal: 60, casesJudged: 60, casesPassed: 60 })
  const { verdicts: _verdicts, ...end } = whole
  expect(of('finished').map(({ data }) => data)).toEqual([end])
  expect(JSON.stringify(follower.told)).not.toContain('hidden')

  // Who comes late is told the same, and who has it all is told so.
  const late = follow(url, { key: demoKey })
  await late.finished
  expect(late.told.filter(({ event }) => event === 'verdict')).toEqual(of('verdict'))
  expect((await call('GET', `/api/submissions/${id}/events`, { headers: { 'last-event-id': 'end' } })).status).toBe(204)
  const { key: stranger } = await newAccount()
  expect((await call('GET', `/api/submissions/${id}/events`, { key: stranger })).body.code).toBe('submission-not-found')
})

test('an execution is told at once that it has ended', async () => {
  const { body: outcome } = await run(await deployScript('export default (x) => x'), 1)
  const { told, finished } = follow(`${baseUrl}/api/executions/${outcome.id}/events`, { key: demoKey })
  await finished
  const { id, status, usage, finishedAt } = outcome
  expect(executionEventSchema.parse(told[0])).toEqual(told[0])
  expect(told).toEqual([{ event: 'finished', id: 'end', data: { id, status, usage, finishedAt } }])
})
