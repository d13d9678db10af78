// `bounty run --async` and `bounty cancel` as processes, against the edge over fakes.
import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../fakes/eventually.ts'
import { serveOnFreePort } from '../fakes/serve-on-free-port.ts'
import { testEdge } from '../fakes/test-edge.ts'
import { bounty } from './bounty.ts'

const edge = testEdge()
let env: Record<string, string>
let key: string
let agentId: string
let stop: () => Promise<void>
beforeAll(async () => {
  const server = createAdaptorServer({ fetch: edge.fetch }) as Server // without options it is one of node:http
  const served = await serveOnFreePort(server)
  stop = served.stop
  ;({ key } = await edge.account('author'))
  env = { BOUNTY_URL: served.url, BOUNTY_KEY: key }
  agentId = await edge.deploy(key, { name: 'echo' })
})
afterAll(() => stop())

const ask = (...args: string[]) => bounty(args, { env, input: '[1]' })
const statusOf = async (id: string) => (await edge.call('GET', `/api/executions/${id}`, { key })).body.status
/** Of a tier whose runs are left to whoever takes the message. */
const queue = async () => (await ask('run', agentId, '--input', '-', '--tier', 'premium', '--async')).out.trim()

test('run --async prints the id and does not wait', async () => {
  const { code, out, err } = await ask('run', agentId, '--input', '-', '--async')
  expect([code, err]).toEqual([0, ''])
  expect(out).toMatch(/^exe_\w{26}\n$/)
  await eventually(() => statusOf(out.trim()), 'completed')
})

test('run --async --watch ends as a run does that was waited for', async () => {
  const { code, out, err } = await ask('run', agentId, '--input', '-', '--async', '--watch')
  expect([code, out]).toEqual([0, '[1]\n'])
  expect(err).toMatch(
    /^exe_\w{26}\nartifact .*\nexe_\w{26} completed, interpreted, 100 fuel, 50 µs, 65536 bytes of memory(, about \$0\.\d{9})?\n$/,
  )
})

test('cancel ends what has not ended, again and again, and nothing else', async () => {
  const id = await queue()
  expect(await ask('cancel', id)).toEqual({ code: 0, out: `${id} cancelled\n`, err: '' })
  expect(await ask('cancel', id)).toMatchObject({ code: 0 })
  expect(await statusOf(id)).toBe('cancelled')
  const ended = (await ask('run', agentId, '--input', '-', '--async')).out.trim()
  await eventually(() => statusOf(ended), 'completed')
  expect(await ask('cancel', ended)).toMatchObject({ code: 1, out: '', err: expect.stringContaining('has ended completed') })
})

test('one that was cancelled while it was watched says so', async () => {
  const watched = ask('run', agentId, '--input', '-', '--tier', 'premium', '--async', '--watch')
  const list = async () => (await edge.call('GET', '/api/executions?status=queued', { key })).body.items
  await eventually(async () => (await list()).length, 1, { withinMs: 20_000 })
  await ask('cancel', (await list())[0].id)
  expect(await watched).toMatchObject({ code: 1, out: '', err: expect.stringContaining('cancelled') })
})

test.each([
  [['run', 'x', '--input', '-', '--watch'], '--watch goes with --async'],
  [['cancel'], 'Usage: bounty cancel'],
  [['cancel', 'exe_1', 'exe_2'], 'Usage: bounty cancel'],
  [['cancel', 'sub_01kaxxt5f00000000000000000'], 'the execution is "sub_01kaxxt5f00000000000000000"; must be an id'],
])('%j is wrong use', async (args, message) => {
  expect(await ask(...args)).toMatchObject({ code: 2, out: '', err: expect.stringContaining(message) })
})

test('cancel --help', async () => {
  expect(await ask('cancel', '--help')).toMatchObject({
    code: 0,
    err: '',
    out: expect.stringMatching(/^Usage: bounty cancel .*Exit code: 0 /s),
  })
})
