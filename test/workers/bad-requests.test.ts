// Every kind of nonsense, each with its own answer; nothing is written by any of them. bad-fields.test.ts goes through the fields one by one.
import { beforeAll, expect, test } from 'vitest'
import { limits } from '../../shared/tiers.ts'
import { countWrites } from '../fakes/count-writes.ts'
import { testEdge, adminKey, type CallOptions } from '../fakes/test-edge.ts'

const edge = testEdge()
let key: string
let strangerKey: string
let agentId: string
let bountyId: string
let executionId: string
let writes: () => number

beforeAll(async () => {
  key = (await edge.account('ada')).key
  strangerKey = (await edge.account('eve')).key
  agentId = await edge.deploy(key, { name: 'echo' })
  bountyId = (await edge.call('POST', '/api/bounties', { key, body: { title: 't', rewardCredits: 1, cases: [{ input: 1, expected: 1 }] } }))
    .body.id
  executionId = (await edge.call('POST', `/api/agents/${agentId}/executions`, { key, body: { input: 1 } })).body.id
  writes = countWrites(edge.database)
})

const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
const chunked = (bytes: number) =>
  new ReadableStream({
    start(controller) {
      for (let sent = 0; sent < bytes; sent += 65_536) controller.enqueue(new Uint8Array(65_536).fill(32))
      controller.close()
    },
  })
const agentBody = { name: 'x', kind: 'script', source: '// echo' }
const bountyBody = { title: 't', rewardCredits: 1, cases: [{ input: 1, expected: 1 }] }
const unknown = (prefix: string) => `${prefix}_01000000000000000000000000`

type Bad = [name: string, method: string, path: () => string, options: () => CallOptions, status: number, code: string, says?: RegExp]
const table: Bad[] = [
  ['no key', 'POST', () => '/api/agents', () => ({ body: agentBody }), 401, 'missing-key'],
  ['a scheme other than Bearer', 'GET', () => '/api/accounts/me', () => ({ headers: { authorization: 'Basic eDp5' } }), 401, 'unknown-key'],
  ['a key of another form', 'GET', () => '/api/accounts/me', () => ({ key: 'hunter2' }), 401, 'unknown-key', /43 characters/],
  ['a key that nobody has', 'GET', () => '/api/accounts/me', () => ({ key: `ab_${'x'.repeat(43)}` }), 401, 'unknown-key'],
  ['an unknown key on a public route', 'GET', () => '/api/agents', () => ({ key: `ab_${'x'.repeat(43)}` }), 401, 'unknown-key'],
  ['an account opening accounts', 'POST', () => '/api/accounts', () => ({ key, body: { name: 'x' } }), 403, 'forbidden', /administrator/],
  ['the administrator deploying', 'POST', () => '/api/agents', () => ({ key: adminKey, body: agentBody }), 403, 'forbidden'],
  [
    'a name of an account that is taken',
    'POST',
    () => '/api/accounts',
    () => ({ key: adminKey, body: { name: 'ada' } }),
    409,
    'name-taken',
  ],
  ['a body that breaks off', 'POST', () => '/api/agents', () => ({ key, raw: '{"name": ' }), 400, 'malformed-json', /9 bytes/],
  ['an empty body', 'POST', () => '/api/agents', () => ({ key, raw: '' }), 400, 'malformed-json', /empty/],
  [
    'bytes that are no text',
    'POST',
    () => '/api/agents',
    () => ({ key, raw: new Uint8Array([34, 255, 34]) }),
    400,
    'malformed-json',
    /UTF-8/,
  ],
  ['a body that nests absurdly', 'POST', () => '/api/agents', () => ({ key, raw: deep(100_000) }), 400, 'invalid-request', /at most 200/],
  [
    'a form',
    'POST',
    () => '/api/agents',
    () => ({ key, raw: 'a=b', headers: { 'content-type': 'text/plain' } }),
    415,
    'unsupported-media-type',
  ],
  [
    'an unknown field',
    'POST',
    () => '/api/agents',
    () => ({ key, body: { ...agentBody, color: 1 } }),
    400,
    'invalid-request',
    /color.*name, kind/,
  ],
  [
    'an unknown field of a case',
    'POST',
    () => '/api/bounties',
    () => ({ key, body: { ...bountyBody, cases: [{ input: 1, expected: 1, x: 1 }] } }),
    400,
    'invalid-request',
    /cases\.0\.x.*input, expected/,
  ],
  [
    'a missing field',
    'POST',
    () => '/api/agents',
    () => ({ key, body: { name: 'x', kind: 'script' } }),
    400,
    'invalid-request',
    /source is missing/,
  ],
  [
    'a missing input',
    'POST',
    () => `/api/agents/${agentId}/executions`,
    () => ({ key, body: {} }),
    400,
    'invalid-request',
    /input is missing.*any JSON/,
  ],
  ['a list for an object', 'POST', () => '/api/agents', () => ({ key, body: [] }), 400, 'invalid-request', /body is a list/],
  [
    'a number for a name',
    'POST',
    () => '/api/agents',
    () => ({ key, body: { ...agentBody, name: 7 } }),
    400,
    'invalid-request',
    /name is 7; must be a string/,
  ],
  [
    'a name with spaces',
    'POST',
    () => '/api/agents',
    () => ({ key, body: { ...agentBody, name: 'a b' } }),
    400,
    'invalid-request',
    /name is "a b"; must be 1 to 64/,
  ],
  [
    'a kind that does not exist',
    'POST',
    () => '/api/agents',
    () => ({ key, body: { ...agentBody, kind: 'python' } }),
    400,
    'invalid-request',
    /"python"; must be one of script, command/,
  ],
  [
    'a program that does not compile',
    'POST',
    () => '/api/agents',
    () => ({ key, body: { ...agentBody, source: 'oops(' } }),
    422,
    'invalid-program',
    /1:1/,
  ],
  [
    'a name of an agent that is taken',
    'POST',
    () => '/api/agents',
    () => ({ key, body: { ...agentBody, name: 'echo' } }),
    409,
    'name-taken',
  ],
  [
    'a declared length over the limit',
    'POST',
    () => `/api/agents/${agentId}/executions`,
    () => ({ key, raw: '{}', headers: { 'content-length': '9999999' } }),
    413,
    'body-too-large',
    /9999999 bytes; at most 1048576/,
  ],
  [
    'a stream over the limit',
    'POST',
    () => `/api/agents/${agentId}/executions`,
    () => ({ key, raw: chunked(2_000_000) }),
    413,
    'body-too-large',
  ],
  [
    'an input over the limit',
    'POST',
    () => `/api/agents/${agentId}/executions`,
    () => ({ key, body: { input: 'é'.repeat(limits.inputBytesMax / 2) } }),
    413,
    'body-too-large',
    /at most 524288/,
  ],
  [
    'a tier that does not exist',
    'POST',
    () => `/api/agents/${agentId}/executions`,
    () => ({ key, body: { input: 1, tier: 'x' } }),
    400,
    'invalid-request',
    /basic, standard/,
  ],
  [
    'a negative seed',
    'POST',
    () => `/api/agents/${agentId}/executions`,
    () => ({ key, body: { input: 1, seed: -1 } }),
    400,
    'invalid-request',
    /seed is -1; must be at least 0/,
  ],
  [
    'a day for an instant',
    'POST',
    () => `/api/agents/${agentId}/executions`,
    () => ({ key, body: { input: 1, startTime: '2020-01-01' } }),
    400,
    'invalid-request',
    /2000-01-01T00:00:00Z/,
  ],
  [
    'a version that does not exist',
    'POST',
    () => `/api/agents/${agentId}/executions`,
    () => ({ key, body: { input: 1, version: 9 } }),
    404,
    'agent-not-found',
    /version 9/,
  ],
  [
    'an id of another form',
    'POST',
    () => '/api/agents/7/executions',
    () => ({ key, body: { input: 1 } }),
    400,
    'invalid-request',
    /id is "7"; must be agt_/,
  ],
  ['an unknown agent', 'GET', () => `/api/agents/${unknown('agt')}`, () => ({}), 404, 'agent-not-found'],
  [
    'a version of an unknown agent',
    'POST',
    () => `/api/agents/${unknown('agt')}/versions`,
    () => ({ key, body: { source: 'x' } }),
    404,
    'agent-not-found',
  ],
  [
    "a version of somebody else's agent",
    'POST',
    () => `/api/agents/${agentId}/versions`,
    () => ({ key: strangerKey, body: { source: '// echo' } }),
    403,
    'forbidden',
  ],
  ['an unknown execution', 'GET', () => `/api/executions/${unknown('exe')}`, () => ({ key }), 404, 'execution-not-found'],
  ["somebody else's execution", 'GET', () => `/api/executions/${executionId}`, () => ({ key: strangerKey }), 404, 'execution-not-found'],
  [
    'an asynchronous execution without an input',
    'POST',
    () => `/api/agents/${agentId}/executions`,
    () => ({ key, body: {}, headers: { prefer: 'respond-async' } }),
    400,
    'invalid-request',
    /input is missing/,
  ],
  [
    "somebody else's artifact",
    'GET',
    () => `/api/executions/${executionId}/artifacts/x`,
    () => ({ key: strangerKey }),
    404,
    'execution-not-found',
  ],
  [
    'an artifact that was not made',
    'GET',
    () => `/api/executions/${executionId}/artifacts/x`,
    () => ({ key }),
    404,
    'artifact-not-found',
    /it made dir/,
  ],
  [
    'a bounty without cases',
    'POST',
    () => '/api/bounties',
    () => ({ key, body: { ...bountyBody, cases: [] } }),
    400,
    'invalid-request',
    /cases is a list of 0; must be a list whose length is at least 1/,
  ],
  [
    'a title with a NUL',
    'POST',
    () => '/api/bounties',
    () => ({ key, body: { ...bountyBody, title: 'a\0b' } }),
    400,
    'invalid-request',
    /U\+0000/,
  ],
  [
    'a case over the limit',
    'POST',
    () => '/api/bounties',
    () => ({ key, body: { ...bountyBody, cases: [{ input: 'x'.repeat(limits.inputBytesMax), expected: 1 }] } }),
    400,
    'invalid-request',
    /cases\.0\.input/,
  ],
  [
    'a deadline that has passed',
    'POST',
    () => '/api/bounties',
    () => ({ key, body: { ...bountyBody, deadline: '2020-01-01T00:00:00Z' } }),
    400,
    'invalid-request',
    /future/,
  ],
  ['an unknown bounty', 'GET', () => `/api/bounties/${unknown('bty')}`, () => ({}), 404, 'bounty-not-found'],
  ['a leaderboard of an unknown bounty', 'GET', () => `/api/leaderboard?bounty=${unknown('bty')}`, () => ({}), 404, 'bounty-not-found'],
  [
    'a submission to an unknown bounty',
    'POST',
    () => `/api/bounties/${unknown('bty')}/submissions`,
    () => ({ key, body: { agentId } }),
    404,
    'bounty-not-found',
  ],
  [
    "a submission of somebody else's agent",
    'POST',
    () => `/api/bounties/${bountyId}/submissions`,
    () => ({ key: strangerKey, body: { agentId } }),
    403,
    'forbidden',
  ],
  ['an unknown submission', 'GET', () => `/api/submissions/${unknown('sub')}`, () => ({ key }), 404, 'submission-not-found'],
  ['a status that does not exist', 'GET', () => '/api/bounties?status=shut', () => ({}), 400, 'invalid-request', /open, awarded/],
  [
    'an unknown query parameter',
    'GET',
    () => '/api/bounties?color=red',
    () => ({}),
    400,
    'invalid-request',
    /color.*limit, cursor, status/,
  ],
  [
    'a limit of a thousand',
    'GET',
    () => '/api/agents?limit=1000',
    () => ({}),
    400,
    'invalid-request',
    /limit is "1000"; must be at most 100/,
  ],
  [
    'a limit that is no number',
    'GET',
    () => '/api/agents?limit=ten',
    () => ({}),
    400,
    'invalid-request',
    /limit is "ten"; must be a number/,
  ],
  ['a cursor of nobody', 'GET', () => '/api/agents?cursor=x', () => ({}), 400, 'invalid-cursor'],
  ['a route that does not exist', 'GET', () => '/api/nothing', () => ({}), 404, 'not-found'],
  ['a method that the route does not take', 'DELETE', () => `/api/agents/${agentId}`, () => ({}), 405, 'method-not-allowed', /GET, HEAD/],
]

test.each(table)('%s: %s is answered clearly', async (_, method, path, options, status, code, says = /./) => {
  const answer = await edge.call(method, path(), options())
  expect([answer.status, answer.body.code]).toEqual([status, code])
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(answer.body.detail).toMatch(says)
  expect(answer.body.detail.length).toBeLessThanOrEqual(1_000)
})

test('nothing was written by any of them', () => expect(writes()).toBe(0))

test('a submission after the deadline is refused', async () => {
  const deadline = new Date(edge.clock.now + 1_000).toISOString()
  const { body } = await edge.call('POST', '/api/bounties', { key, body: { ...bountyBody, deadline } })
  edge.clock.now += 2_000
  const answer = await edge.call('POST', `/api/bounties/${body.id}/submissions`, { key, body: { agentId } })
  expect([answer.status, answer.body.code]).toEqual([409, 'bounty-closed'])
})
