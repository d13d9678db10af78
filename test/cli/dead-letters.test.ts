// `bounty dead-letters` as a process of its own, against the edge over fakes.
import { createAdaptorServer } from '@hono/node-server'
import type { Server } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { idOf } from '../fakes/id-of.ts'
import { serveOnFreePort } from '../fakes/serve-on-free-port.ts'
import { testEdge } from '../fakes/test-edge.ts'
import { bounty } from './bounty.ts'

const edge = testEdge()
let env: Record<string, string>
let stop: () => Promise<void>
let executionId: string
let letterId: string

beforeAll(async () => {
  const served = await serveOnFreePort(createAdaptorServer({ fetch: edge.fetch }) as Server) // without options it is one of node:http
  stop = served.stop
  const { id: accountId, key } = await edge.account('author')
  env = { BOUNTY_URL: served.url, BOUNTY_KEY: key }
  const agentId = await edge.deploy(key, { name: 'echo' })
  executionId = idOf('execution')
  const at = new Date(edge.clock.now).toISOString()
  const { sha256 = '' } = (await edge.database.agents.find(agentId)) ?? {}
  const run = { id: executionId, accountId, agentId, version: 1, tier: 'basic', seed: 0, startTime: '2000-01-01T00:00:00Z' } as const
  const { asyncExecutions, deadLetters } = edge.database
  await asyncExecutions.create({ ...run, program: { kind: 'script', sha256 }, input: '1', createdAt: at, dueAt: at })
  await asyncExecutions.take(executionId, { turn: 1, at, dueAt: at, host: 'host-1' })
  await asyncExecutions.fail(executionId, { turn: 2, at, failure: 'it \u001b[31mbroke' })
  letterId = (await deadLetters.list({ limit: 1 })).items[0]?.id ?? ''
})
afterAll(() => stop())

const ask = (...args: string[]) => bounty(['dead-letters', ...args], { env })

test('list shows what was given up, as a table or as JSON, and takes filters', async () => {
  const { code, out, err } = await ask('list')
  expect([code, err]).toEqual([0, ''])
  expect(out).toMatch(/^id +of +attempts +given up +replayed as +why\n/)
  expect(out).toContain(`${letterId}  ${executionId}  1 `)
  // Text of others cannot command the terminal.
  expect(out).toContain('it \uFFFD[31mbroke')
  expect(JSON.parse((await ask('list', '--json', '--kind', 'execution')).out)).toMatchObject({ id: letterId, executionId })
  expect((await ask('list', '--json', '--kind', 'submission')).out).toBe('')
})

test('show tells every attempt, replay makes new work once, delete deletes', async () => {
  const shown = await ask('show', letterId)
  expect(shown.code).toBe(0)
  expect(shown.out).toMatch(/began +ended +host +how\n/)
  expect(shown.out).toContain('host-1')
  const first = await ask('replay', letterId)
  expect(first).toMatchObject({ code: 0, err: expect.stringMatching(/^execution exe_\w{26} is queued; it replays exe_\w{26}\n$/) })
  expect((await ask('replay', letterId)).out).toBe(first.out)
  expect((await ask('show', letterId)).out).toContain(`replayed as ${first.out}`)
  expect(await ask('delete', letterId)).toMatchObject({ code: 0, err: `${letterId} is gone\n` })
  expect(await ask('show', letterId)).toMatchObject({ code: 1, err: expect.stringContaining('no dead letter') })
})

test.each<[string[], RegExp]>([
  [[], /^Usage/],
  [['read', 'dlt_1'], /the dead letter is "dlt_1"; must be dlt_/],
  [['list', 'dlt_1'], /the dead letter is "dlt_1"|^Usage/],
  [['show'], /^Usage/],
  [['list', '--kind', 'judging'], /--kind is "judging"; must be one of submission, execution, message/],
  [['list', '--agent', 'echo'], /--agent is "echo"; must be agt_/],
  [['list', '--limit', '0'], /--limit is "0"; must be a whole number from 1/],
  [['list', '--limits', '1'], /--limits/],
])('wrong use: %j', async (args, said) => {
  const { code, err } = await ask(...args)
  expect([code, err]).toEqual([2, expect.stringMatching(said)])
})
