// `bounty submit`, `bounties`, `show` and `keys` as processes, against the edge in this one. The edge answers with the verdict at once; what is
// followed is held back: it is shown as queued, then, where there are no events, half done, then as it is.
import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { submissionSchema } from '../../shared/submission.ts'
import { idOf } from '../fakes/id-of.ts'
import { serveOnFreePort } from '../fakes/serve-on-free-port.ts'
import { testEdge } from '../fakes/test-edge.ts'
import { bounty } from './bounty.ts'

const edge = testEdge()
let env: Record<string, string>
let stop: () => Promise<void>
let isHeldBack = false
let isPolled = false
let looks = 0
let bountyId: string

beforeAll(async () => {
  const server = createAdaptorServer({ fetch: heldBack }) as Server // without options it is one of node:http
  const served = await serveOnFreePort(server)
  stop = served.stop
  const { key } = await edge.account('author')
  env = { BOUNTY_URL: served.url, BOUNTY_KEY: key }
  await edge.deploy(key, { name: 'square', output: (n) => Number(n) ** 2 })
  await edge.deploy(key, { name: 'double', output: (n) => Number(n) * 2 })
  bountyId = await post('Square \u001b[31mit', [
    { input: 2, expected: 4 },
    { input: 3, expected: 9, name: 'three' },
    { input: 4, expected: 16 },
    { input: 5, expected: 25, hidden: true },
  ])
})
afterAll(() => stop())

async function heldBack(request: Request): Promise<Response> {
  const response = await edge.fetch(request)
  if (!isHeldBack || !/submissions/.test(request.url) || !response.ok) return response
  if (request.url.endsWith('/events')) {
    if (isPolled) return Response.json({ code: 'not-found', detail: 'an API without events', retryable: false }, { status: 404 })
    return response
  }
  if (request.method === 'GET' && !isPolled) return response
  const submission = submissionSchema.parse(await response.json())
  const state =
    request.method === 'POST' ? { status: 'queued', casesPassed: 0 } : looks++ === 0 ? { status: 'running', casesPassed: 1 } : {}
  const isDone = Object.keys(state).length === 0
  return Response.json({ ...submission, ...state, ...(isDone ? {} : { verdicts: [], finishedAt: null }) }, { status: response.status })
}

async function post(title: string, cases: object[]): Promise<string> {
  // Lists go by ids, which go by time.
  edge.clock.now++
  const { body } = await edge.call('POST', '/api/bounties', {
    key: env['BOUNTY_KEY'] ?? '',
    body: { title, rewardCredits: 5, mode: 'best', cases },
  })
  return body.id
}

const ask = (...args: string[]) => bounty(args, { env })

describe('submit', () => {
  test('--watch follows the events to the end', async () => {
    isHeldBack = true
    const { code, err } = await ask('submit', bountyId, 'square', '--watch')
    isHeldBack = false
    expect(code).toBe(0)
    expect(err.split('\n').slice(1)).toEqual(['running  4 of 4 cases judged, 4 passed', expect.stringMatching(/^accepted: 4 of 4/), ''])
  })

  test('--watch asks again and again where there are no events; then it shows the public cases that failed', async () => {
    isHeldBack = true
    isPolled = true
    looks = 0
    const { code, out, err } = await ask('submit', bountyId, 'double', '--watch')
    isHeldBack = false
    isPolled = false
    expect({ code, out }).toEqual({ code: 1, out: expect.stringMatching(/^sub_\w{26}\n$/) })
    expect(err.split('\n')).toEqual([
      expect.stringMatching(/^submitted as sub_/),
      'running  1 of 4 cases passed',
      expect.stringMatching(/^case +verdict +fuel +ms +name or input$/),
      expect.stringMatching(/^2 +wrong-answer +\d+ +\d+ +three$/),
      expect.stringMatching(/^3 +wrong-answer +\d+ +\d+ +4$/),
      expect.stringMatching(/^rejected: 1 of 4 cases passed/),
      '',
    ])
    expect(looks).toBe(2)
  })

  test('without --watch it does not wait', async () => {
    isHeldBack = true
    looks = 0
    const submitted = await ask('submit', bountyId, 'double', '--stop-at-first-failure')
    isHeldBack = false
    expect(submitted).toEqual({ code: 0, out: expect.stringMatching(/^sub_/), err: '' })
    expect(looks).toBe(0)
  })

  test('--json is the submission', async () => {
    const { code, out, err } = await ask('submit', bountyId, 'double', '--json', '--watch', '--version', '1')
    expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/^submitted as sub_/) })
    expect(submissionSchema.parse(JSON.parse(out))).toMatchObject({ status: 'rejected', version: 1 })
  })

  test.each([
    [['submit'], 'Usage: bounty submit'],
    [['submit', 'bty_1', 'square'], 'the bounty is "bty_1"; must be an id such as `bounty bounties` lists'],
    [['submit', idOf('bounty'), 'square', '--version', '1.5'], '--version is "1.5"; must be a whole number from 1'],
    [['submit', idOf('bounty'), 'square', 'again'], 'Usage: bounty submit'],
    [['bounties', '--status', 'gone'], '--status is "gone"; must be one of open, awarded, expired, cancelled'],
    [['bounties', '--limit', '0'], '--limit is "0"; must be a whole number from 1'],
    [['show'], 'Usage: bounty show'],
    [['show', 'x'], 'the bounty is "x"'],
    [['keys', 'all'], 'Usage: bounty keys'],
  ])('%j is wrong use', async (args, message) => {
    expect(await ask(...args)).toMatchObject({ code: 2, out: '', err: expect.stringContaining(message) })
  })

  test('errors say what to do next, and never the key', async () => {
    const missing = await ask('submit', idOf('bounty'), 'square')
    expect(missing).toMatchObject({ code: 1, err: expect.stringContaining('`bounty bounties` lists those there are') })
    const secret = `ab_${'x'.repeat(43)}`
    const unknown = await bounty(['keys'], { env: { ...env, BOUNTY_KEY: secret } })
    expect(unknown).toMatchObject({ code: 2, err: expect.stringContaining('BOUNTY_KEY holds a key that does not work here') })
    expect(unknown.err).not.toContain(secret)
    expect(await bounty(['keys'], { env: { BOUNTY_URL: env['BOUNTY_URL'] ?? '' } })).toMatchObject({
      code: 2,
      err: expect.stringContaining('put the key of your account into the variable BOUNTY_KEY'),
    })
    const { body } = await edge.call('POST', '/api/keys', { key: env['BOUNTY_KEY'] ?? '', body: { name: 'reader', scopes: ['run'] } })
    expect(await bounty(['keys'], { env: { ...env, BOUNTY_KEY: body.key } })).toMatchObject({
      code: 1,
      err: expect.stringMatching(/answered 403: .*\n`bounty keys`/),
    })
  })
})

describe('bounties and show', () => {
  test('need no key; titles cannot command the terminal', async () => {
    const other = await post('Another', [{ input: 1, expected: 1 }])
    const keyless = { env: { BOUNTY_URL: env['BOUNTY_URL'] ?? '' } }
    const all = await bounty(['bounties'], keyless)
    expect(all).toMatchObject({ code: 0, err: '' })
    expect(all.out.split('\n').slice(1, 3)).toEqual([
      expect.stringMatching(new RegExp(`^${other}  open +5 +best  1 +Another$`)),
      expect.stringMatching(new RegExp(`^${bountyId}  open +5 +best  4 +Square \uFFFD\\[31mit$`)),
    ])
    expect((await bounty(['bounties', 'SQUARE', '--json', '--status', 'open'], keyless)).out.trim().split('\n')).toHaveLength(1)
    expect(await bounty(['bounties', 'nothing like it'], keyless)).toMatchObject({ code: 0, out: '', err: 'there is no such bounty\n' })
    const shown = await bounty(['show', bountyId], keyless)
    expect(shown).toMatchObject({ code: 0, out: expect.stringContaining('3 public and 1 hidden cases') })
    expect(shown.out).toContain('case 2: three\n  input     3\n  expected  9')
    expect(JSON.parse((await bounty(['show', bountyId, '--json'], keyless)).out)).toMatchObject({ id: bountyId, hiddenCaseCount: 1 })
  })
})

test('keys are listed without their secrets', async () => {
  const { code, out, err } = await ask('keys')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out).toMatch(/^id +scopes +expires +name\n.*key_\w{26}  read run deploy [a-z ]+  never +first key\n$/s)
  expect(out).not.toContain(env['BOUNTY_KEY'])
})

test.each([['submit'], ['bounties'], ['show'], ['keys'], ['dead-letters']])('%s --help', async (command) => {
  expect(await ask(command, '--help')).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/^Usage: bounty .*Exit code: 0 /s) })
})
