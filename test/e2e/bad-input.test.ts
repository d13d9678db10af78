// Every kind of nonsense has its own answer: status, code, the field and what is allowed. Nothing is a 500 and nothing is written.
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { call, deployCommand, deployScript, newAccount, uniqueName, type CallOptions, submit } from './caller.ts'

const script = `export default (x) => x`
let agentId: string
let foreignAgentId: string
let bountyId: string

beforeAll(async () => {
  agentId = await deployScript(script)
  foreignAgentId = await deployScript(script, (await newAccount()).key)
  const bounty = await call('POST', '/api/bounties', {
    body: {
      title: 'echo',
      rewardCredits: 1,
      cases: [
        { input: 1, expected: 1 },
        { input: 'secret', expected: 'hidden', hidden: true },
      ],
    },
  })
  expect(bounty.status).toBe(201)
  bountyId = bounty.body.id
})

type Bad = { name: string; method?: string; path: () => string; options?: () => CallOptions; status: number; code: string; field?: string }

const unknownAgent = 'agt_01000000000000000000000000'
const table: Bad[] = [
  {
    name: 'no key',
    path: () => `/api/agents/${agentId}/executions`,
    options: () => ({ key: null, body: { input: 1 } }),
    status: 401,
    code: 'missing-key',
  },
  {
    name: 'a key of another form',
    path: () => '/api/agents',
    options: () => ({ key: 'hunter2', body: {} }),
    status: 401,
    code: 'unknown-key',
  },
  {
    name: 'a key that was never issued',
    path: () => '/api/agents',
    options: () => ({ key: `ab_${'A'.repeat(43)}`, body: {} }),
    status: 401,
    code: 'unknown-key',
  },
  {
    name: 'an account where the administrator is needed',
    path: () => '/api/accounts',
    options: () => ({ body: { name: 'x' } }),
    status: 403,
    code: 'forbidden',
  },
  {
    name: 'a body that is not JSON',
    path: () => '/api/agents',
    options: () => ({ raw: '{"name": ' }),
    status: 400,
    code: 'malformed-json',
  },
  {
    name: 'a body of another type',
    path: () => '/api/agents',
    options: () => ({ raw: 'name=x', headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
    status: 415,
    code: 'unsupported-media-type',
  },
  {
    name: 'an unknown field',
    path: () => '/api/agents',
    options: () => ({ body: { name: 'x', kind: 'script', source: script, color: 'red' } }),
    status: 400,
    code: 'invalid-request',
    field: 'color',
  },
  {
    name: 'a missing field',
    path: () => '/api/agents',
    options: () => ({ body: { name: 'x', kind: 'script' } }),
    status: 400,
    code: 'invalid-request',
    field: 'source',
  },
  {
    name: 'a field of the wrong type',
    path: () => '/api/agents',
    options: () => ({ body: { name: 7, kind: 'script', source: script } }),
    status: 400,
    code: 'invalid-request',
    field: 'name',
  },
  {
    name: 'a kind that does not exist',
    path: () => '/api/agents',
    options: () => ({ body: { name: 'x', kind: 'python', source: script } }),
    status: 400,
    code: 'invalid-request',
    field: 'kind',
  },
  {
    name: 'a name with spaces',
    path: () => '/api/agents',
    options: () => ({ body: { name: 'not a name', kind: 'script', source: script } }),
    status: 400,
    code: 'invalid-request',
    field: 'name',
  },
  {
    name: 'a body over the limit',
    path: () => `/api/agents/${agentId}/executions`,
    options: () => ({ body: { input: 'x'.repeat(1_100_000) } }),
    status: 413,
    code: 'body-too-large',
  },
  {
    name: 'a tier that does not exist',
    path: () => `/api/agents/${agentId}/executions`,
    options: () => ({ body: { input: 1, tier: 'galactic' } }),
    status: 400,
    code: 'invalid-request',
    field: 'tier',
  },
  {
    name: 'a negative seed',
    path: () => `/api/agents/${agentId}/executions`,
    options: () => ({ body: { input: 1, seed: -1 } }),
    status: 400,
    code: 'invalid-request',
    field: 'seed',
  },
  {
    name: 'a version that does not exist',
    path: () => `/api/agents/${agentId}/executions`,
    options: () => ({ body: { input: 1, version: 99 } }),
    status: 404,
    code: 'agent-not-found',
  },
  {
    name: 'an id of another form',
    path: () => '/api/agents/7/executions',
    options: () => ({ body: { input: 1 } }),
    status: 400,
    code: 'invalid-request',
    field: 'id',
  },
  {
    name: 'an agent that does not exist',
    path: () => `/api/agents/${unknownAgent}/executions`,
    options: () => ({ body: { input: 1 } }),
    status: 404,
    code: 'agent-not-found',
  },
  {
    name: 'an execution that does not exist',
    method: 'GET',
    path: () => '/api/executions/exe_01000000000000000000000000',
    status: 404,
    code: 'execution-not-found',
  },
  { name: 'a route that does not exist', method: 'GET', path: () => '/api/nothing', status: 404, code: 'not-found' },
  { name: 'a cursor of nobody', method: 'GET', path: () => '/api/agents?cursor=nonsense', status: 400, code: 'invalid-cursor' },
  {
    name: 'a limit of a thousand',
    method: 'GET',
    path: () => '/api/agents?limit=1000',
    status: 400,
    code: 'invalid-request',
    field: 'limit',
  },
  {
    name: 'a bounty without cases',
    path: () => '/api/bounties',
    options: () => ({ body: { title: 't', rewardCredits: 1, cases: [] } }),
    status: 400,
    code: 'invalid-request',
    field: 'cases',
  },
  {
    name: 'a negative reward',
    path: () => '/api/bounties',
    options: () => ({ body: { title: 't', rewardCredits: -1, cases: [{ input: 1, expected: 1 }] } }),
    status: 400,
    code: 'invalid-request',
    field: 'rewardCredits',
  },
  {
    name: "a checker that is somebody else's agent",
    path: () => '/api/bounties',
    options: () => ({ body: { title: 't', rewardCredits: 1, cases: [{ input: 1, expected: 1 }], checker: { agentId: foreignAgentId } } }),
    status: 403,
    code: 'forbidden',
  },
  {
    name: "a submission of somebody else's agent",
    path: () => `/api/bounties/${bountyId}/submissions`,
    options: () => ({ body: { agentId: foreignAgentId } }),
    status: 403,
    code: 'forbidden',
  },
  {
    name: 'a script that does not parse',
    path: () => '/api/agents',
    options: () => ({ body: { name: uniqueName('x'), kind: 'script', source: 'export default (' } }),
    status: 422,
    code: 'invalid-program',
  },
  {
    name: 'a script without a default export',
    path: () => '/api/agents',
    options: () => ({ body: { name: uniqueName('x'), kind: 'script', source: 'export const a = 1' } }),
    status: 422,
    code: 'invalid-program',
  },
  {
    name: 'a script that imports',
    path: () => '/api/agents',
    options: () => ({ body: { name: uniqueName('x'), kind: 'script', source: `import fs from 'node:fs'; export default () => fs` } }),
    status: 422,
    code: 'invalid-program',
  },
  {
    name: 'a script that throws while it loads',
    path: () => '/api/agents',
    options: () => ({ body: { name: uniqueName('x'), kind: 'script', source: `throw new Error('at load'); export default () => 1` } }),
    status: 422,
    code: 'invalid-program',
  },
  {
    name: 'a script that loops while it loads',
    path: () => '/api/agents',
    options: () => ({ body: { name: uniqueName('x'), kind: 'script', source: `for (;;); export default () => 1` } }),
    status: 422,
    code: 'invalid-program',
  },
  {
    name: 'a command that is not base64',
    path: () => '/api/agents',
    options: () => ({ body: { name: uniqueName('x'), kind: 'command', source: '~~~' } }),
    status: 400,
    code: 'invalid-request',
    field: 'source',
  },
  {
    name: 'a command that is not WebAssembly',
    path: () => '/api/agents',
    options: () => ({ body: { name: uniqueName('x'), kind: 'command', source: btoa('not wasm at all') } }),
    status: 422,
    code: 'invalid-program',
  },
]

describe('bad requests', () => {
  test.each(table)('$name answers $status $code', async ({ method = 'POST', path, options, status, code, field }) => {
    const answer = await call(method, path(), options?.() ?? {})
    expect([answer.status, answer.body?.code]).toEqual([status, code])
    expect(answer.headers.get('content-type')).toContain('application/problem+json')
    expect(answer.body.detail.length).toBeGreaterThan(10)
    if (field) expect(answer.body.issues.map((issue: { field: string }) => issue.field).join(' ')).toContain(field)
    expect(JSON.stringify(answer.body)).not.toMatch(/node_modules|\.ts:\d|postgres|127\.0\.0\.1/)
  })

  test('Wasm with unknown imports is refused by their name', async () => {
    const answer = await deployCommand('unknown-import.wasm')
    expect([answer.status, answer.body.code]).toEqual([422, 'invalid-program'])
    expect(answer.body.detail).toContain('env')
    expect(answer.body.detail).toContain('open_socket')
  })

  test('a wrong method names the ones that are allowed', async () => {
    const answer = await call('DELETE', '/api/bounties')
    expect(answer.status).toBe(405)
    expect(answer.headers.get('allow')).toContain('POST')
  })

  test('a name that is taken stays with its first agent', async () => {
    const name = uniqueName('taken')
    const body = { name, kind: 'script', source: script }
    const answers = await Promise.all([1, 2, 3].map(() => call('POST', '/api/agents', { body })))
    expect(answers.map((answer) => answer.status).toSorted((a, b) => a - b)).toEqual([201, 409, 409])
  })

  test('hidden cases appear only as a number', async () => {
    const { body } = await call('GET', `/api/bounties/${bountyId}`)
    expect(body).toMatchObject({ caseCount: 2, hiddenCaseCount: 1 })
    expect(JSON.stringify(body)).not.toContain('secret')
    const submitted = await submit(bountyId, { agentId })
    expect(submitted.status).toBe(202)
    expect(submitted.body).toMatchObject({ status: 'rejected', casesTotal: 2, casesPassed: 1 })
    expect(submitted.body.verdicts).toHaveLength(1)
  })

  test('the host refuses what is not signed', async () => {
    const answer = await fetch(`${inject('stack').hostUrl}/v1/executions`, { method: 'POST', body: '{}' })
    expect(answer.status).toBe(401)
    expect(await answer.json()).toMatchObject({ code: 'invalid-signature' })
  })

  test('the worker refuses outcomes that are not signed', async () => {
    const answer = await call('POST', '/internal/outcomes', { body: { host: 'mallory', records: [] } })
    expect([answer.status, answer.body.code]).toEqual([401, 'invalid-signature'])
  })
})
