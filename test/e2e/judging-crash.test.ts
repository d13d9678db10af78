// Judging on the whole local cloud while its parts are killed: every case has one verdict in the end, and the submission one end.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { z } from 'zod'
import { neonDatabase } from '../../workers/adapters/neon.ts'
import { eventually } from '../fakes/eventually.ts'
import { call, deployScript } from './caller.ts'

const { localDir, neon } = inject('stack')
const withinMs = 80_000
const casesTotal = 150
/** Long enough to be killed in the middle: a judging takes seconds. */
const source = 'export default ({ n }) => { for (let i = 0; i < 500_000; i++); return n }'
const cases = Array.from({ length: casesTotal }, (_, n) => ({ input: { n, secret: `s${n}` }, expected: n, hidden: n % 2 === 1 }))

const pidOf = (name: string): number => JSON.parse(readFileSync(join(localDir, 'processes.json'), 'utf8'))[name]
async function kill(name: string): Promise<void> {
  const killed = pidOf(name)
  process.kill(killed, 'SIGKILL')
  await eventually(() => pidOf(name) !== killed, true, { withinMs })
}

const database = neonDatabase(neon)
const statsSchema = z.object({ verdicts: z.number(), cases: z.number(), passed: z.number(), fuel: z.string(), last: z.number().nullable() })
async function stored(id: string) {
  const text = `select count(*)::integer as verdicts, count(distinct case_id)::integer as cases,
    (count(*) filter (where status = 'accepted'))::integer as passed, coalesce(sum(fuel), 0)::text as fuel, max(number) as last
    from verdicts where submission_id = $1`
  const [row] = await database.query(statsSchema, { text, parameters: [id] })
  if (!row) throw new Error('a count has a row')
  return row
}

async function judgedWhile(disturb: (id: string) => Promise<void>) {
  const agentId = await deployScript(source)
  const bounty = await call('POST', '/api/bounties', { body: { title: 'crash', rewardCredits: 0, mode: 'best', cases } })
  const { status, body } = await call('POST', `/api/bounties/${bounty.body.id}/submissions`, { body: { agentId } })
  expect([status, body.status]).toEqual([202, 'queued'])
  await eventually(async () => (await stored(body.id)).verdicts > 0, true, { withinMs })
  expect((await stored(body.id)).verdicts).toBeLessThan(casesTotal)
  await disturb(body.id)
  const read = async () => {
    try {
      return (await call('GET', `/api/submissions/${body.id}`)).body
    } catch {
      // The edge is away.
      return undefined
    }
  }
  await eventually(async () => typeof (await read())?.finishedAt, 'string', { withinMs })
  const submission = await read()
  const { fuel, ...found } = await stored(body.id)
  expect(submission).toMatchObject({ status: 'accepted', failure: null, casesPassed: casesTotal, round: 1 })
  expect(found).toEqual({ verdicts: casesTotal, cases: casesTotal, passed: casesTotal, last: casesTotal })
  expect(submission.fuelTotal).toBe(Number(fuel))
  return { submission, receipt: (await call('GET', `/api/submissions/${body.id}/receipt`)).body }
}

test('a submission is accepted, with every verdict once, when the edge is killed in the middle of it', async () => {
  const { receipt } = await judgedWhile(() => kill('edge'))
  const stated = receipt.parts.flatMap((part: { statement: { entries: { caseId: string }[] } }) => part.statement.entries)
  const ids = stated.map(({ caseId }: { caseId: string }) => caseId)
  expect(new Set(ids).size).toBe(ids.length)
  // What was judged before the crash and not signed is named, as far as it may be looked into.
  const missing = casesTotal - ids.length
  expect(receipt.unstated.length).toBeLessThanOrEqual(missing)
  expect(receipt.unstated.length).toBeGreaterThanOrEqual(Math.floor(missing / 3))
}, 120_000)

test('and when the host is', async () => {
  await judgedWhile(() => kill('host'))
}, 120_000)

test('and when both are', async () => {
  await judgedWhile(async () => {
    await Promise.all([kill('host'), kill('edge')])
  })
}, 120_000)
