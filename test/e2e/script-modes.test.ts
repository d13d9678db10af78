// How scripts run, over the whole cloud: decided at deploy, named everywhere, and repeatable from the receipt alone.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { scriptModeDefault, type ScriptMode } from '../../shared/script-mode.ts'
import { bounty as command } from '../cli/bounty.ts'
import { eventually } from '../fakes/eventually.ts'
import { call, newAccount, uniqueName } from './caller.ts'

const source = `
export default ({ n }: { n: number }) => {
  let all = 0
  for (let i = 0; i < n; i++) all = (all * 31 + i) % 1_000_003
  return { all, squares: Array.from({ length: 3 }, (_, i) => square(i)) }
}
const square = (n: number) => n * n
export function* never() {
  yield 1
}
`
const input = { n: 10_000 }
const directory = mkdtempSync(join(tmpdir(), 'bounty-modes-'))
let author: { id: string; key: string }
const agents = new Map<ScriptMode, string>()
const deploy = (body: object, key = author.key) => call('POST', '/api/agents', { key, body: { kind: 'script', source, ...body } })

const execute = (agentId = '') => call('POST', `/api/agents/${agentId}/executions`, { key: author.key, body: { input } })

beforeAll(async () => {
  author = await newAccount()
  for (const scriptMode of ['interpreted', 'compiled'] as const) {
    const { status, body } = await deploy({ name: uniqueName(scriptMode), scriptMode })
    expect([status, body.scriptMode]).toEqual([201, scriptMode])
    agents.set(scriptMode, body.id)
  }
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

test('a host decides where the author does not', async () => {
  const { status, body } = await deploy({ name: uniqueName('default') })
  expect([status, body.scriptMode]).toEqual([201, scriptModeDefault])
})

test('the deploy says what was compiled, and its owner may ask again', async () => {
  const deployed = await deploy({ name: uniqueName('functions'), scriptMode: 'compiled' })
  const { id, functions } = deployed.body
  expect(functions.compiled).toBeGreaterThanOrEqual(2)
  expect(functions.interpreted.find(({ name }: { name: string }) => name === 'never')?.place).toMatch(/^agent\.ts:8:\d+$/)
  const version = await call('GET', `/api/agents/${id}/versions/1`, { key: author.key })
  expect(version.body).toMatchObject({ agentId: id, scriptMode: 'compiled', functions, engine: expect.stringMatching(/\+compiled-\d+$/) })
  expect((await call('GET', `/api/agents/${id}/versions/1`)).status).toBe(403)
  expect((await call('GET', `/api/agents/${id}`, { key: null })).body).toMatchObject({ scriptMode: 'compiled' })
})

test('both modes give the same bytes, each with its own fuel, and each receipt repeats', { timeout: 120_000 }, async () => {
  const outcomes = await Promise.all([...agents.values()].map(async (id) => (await execute(id)).body))
  const [first] = outcomes
  for (const [i, scriptMode] of [...agents.keys()].entries()) {
    const outcome = outcomes[i]
    expect(outcome).toMatchObject({ status: 'completed', scriptMode, output: first.output })
    expect(outcome.receipt.statement).toMatchObject({
      engine: outcome.engine,
      program: { scriptMode },
      outputSha256: first.receipt.statement.outputSha256,
    })
    await eventually(async () => (await call('GET', `/api/executions/${outcome.id}`, { key: author.key })).body, outcome)
    const again = await execute(agents.get(scriptMode))
    expect(again.body.usage.fuel).toBe(outcome.usage.fuel)
    const file = (name: string, text: string) => {
      writeFileSync(join(directory, name), text)
      return join(directory, name)
    }
    const verified = await command(
      [
        'verify',
        file('outcome.json', JSON.stringify(outcome)),
        '--program',
        file('agent.ts', source),
        '--input',
        file('input.json', JSON.stringify(input)),
      ],
      { env: { BOUNTY_URL: inject('stack').baseUrl } },
    )
    expect(verified.out).toMatch(new RegExp(`^mode +${scriptMode}`, 'm'))
    expect(verified).toMatchObject({ code: 0, out: expect.stringContaining('VERIFIED: the run repeats') })
  }
  expect(new Set(outcomes.map(({ engine }) => engine)).size).toBe(agents.size)
})

test('an asynchronous run, and a judging, are in the mode of the version', async () => {
  const owner = author.key
  const bounty = { title: uniqueName('modes'), description: '', rewardCredits: 0, mode: 'best', tier: 'basic' }
  const expected = (await execute(agents.get('interpreted'))).body.output
  const posted = await call('POST', '/api/bounties', {
    key: owner,
    body: {
      ...bounty,
      cases: [
        { input, expected },
        { input, expected, hidden: true },
      ],
    },
  })
  for (const [scriptMode, agentId] of agents) {
    const queued = await call('POST', `/api/agents/${agentId}/executions`, {
      key: owner,
      body: { input },
      headers: { prefer: 'respond-async' },
    })
    expect(queued.body).toMatchObject({ status: 'queued', scriptMode })
    const submitted = await call('POST', `/api/bounties/${posted.body.id}/submissions`, { key: owner, body: { agentId } })
    expect(submitted.body).toMatchObject({ scriptMode })
    await eventually(async () => (await call('GET', `/api/executions/${queued.body.id}`, { key: owner })).body.status, 'completed', {
      withinMs: 20_000,
    })
    const of = (path: string) => call('GET', `/api/submissions/${submitted.body.id}${path}`, { key: owner })
    await eventually(async () => (await of('')).body.status, 'accepted', { withinMs: 20_000 })
    const { engine } = (await call('GET', `/api/executions/${queued.body.id}`, { key: owner })).body
    expect((await of('')).body).toMatchObject({ scriptMode, engine })
    expect((await of('/receipt')).body.parts).toMatchObject([{ statement: { engine, program: { scriptMode } } }])
  }
  const { body } = await call('GET', `/api/leaderboard?bounty=${posted.body.id}`, { key: null })
  const places = [...agents].map(([scriptMode, agentId], i) => ({ rank: i + 1, agentId, scriptMode, enginePlace: i + 1 }))
  expect(body.items).toMatchObject(places)
})
