// Who may call what: one row for every route that the app has, walked with every kind of caller. A route without a row fails the test.
import { beforeAll, describe, expect, test } from 'vitest'
import { scopes, type Scope } from '../../shared/api-key.ts'
import { artifactKey } from '../../shared/execution.ts'
import { assetPath } from '../../workers/pages/assets.ts'
import { beatOf } from '../fakes/beat-of.ts'
import { idOf } from '../fakes/id-of.ts'
import { adminKey, testEdge, type Answer } from '../fakes/test-edge.ts'

/**
 * unchecked: everybody, whatever they carry. public: everybody whose key, if any, is good. own: the account that owns the thing, for others
 * it does not exist. shared: every account. foreign: every account may name it, its owner alone may do this. keyholder: the owner and the
 * administrator. keyholders: every account and the administrator, each its own view. admin: the administrator. signed: whoever has the secret of the host. page, session: a page, whose caller is known by the
 * cookie of a session alone (board-sessions.test.ts): no key in a header opens, or closes, it. own-origin: a form of ours.
 */
type Who =
  | 'unchecked'
  | 'public'
  | 'own'
  | 'shared'
  | 'foreign'
  | 'keyholder'
  | 'keyholders'
  | 'admin'
  | 'signed'
  | 'page'
  | 'session'
  | 'own-origin'
type Row = { who: Who; scope?: Scope; path?: () => string | Promise<string>; body?: () => unknown }

const edge = testEdge()
let owner: { id: string; key: string }
let stranger: { id: string; key: string }
let expired: string
let agentId: string
let bountyId: string
let submissionId: string
let executionId: string
/** Of the bounty that `newJudged` made last. */
let judgedId: string
let webhookId: string
let deliveryId: string
let letterId: string
let made = 0

const table: Record<string, Row> = {
  'GET /api/health': { who: 'unchecked' },
  'GET /api/ready': { who: 'unchecked' },
  'GET /api/metrics': { who: 'public' },
  'GET /api/openapi.json': { who: 'public' },
  'GET /docs': { who: 'public' },
  'GET /docs/problems': { who: 'public' },
  'POST /api/accounts': { who: 'admin', body: () => ({ name: `account ${made++}` }) },
  'GET /api/accounts/me': { who: 'shared', scope: 'read' },
  'GET /api/accounts/me/ledger': { who: 'shared', scope: 'read' },
  'GET /api/accounts/me/usage': { who: 'shared', scope: 'read' },
  'POST /api/accounts/:id/credits': { who: 'admin', path: () => `/api/accounts/${owner.id}/credits`, body: () => ({ credits: 1 }) },
  'POST /api/admin/sweeps': { who: 'admin', body: () => ({ dryRun: true }) },
  'POST /api/keys': { who: 'shared', scope: 'keys', body: () => ({ name: 'k' }) },
  'GET /api/keys': { who: 'shared', scope: 'read' },
  'DELETE /api/keys/:id': { who: 'keyholder', scope: 'keys', path: async () => `/api/keys/${(await newKey({ name: 'k' })).id}` },
  'GET /api/agents': { who: 'public' },
  'GET /api/agents/:id': { who: 'public', path: () => `/api/agents/${agentId}` },
  'GET /api/agents/:id/versions/:version': { who: 'foreign', scope: 'read', path: () => `/api/agents/${agentId}/versions/1` },
  'POST /api/agents': { who: 'shared', scope: 'deploy', body: () => ({ name: `agent-${made++}`, kind: 'script', source: '// echo' }) },
  'POST /api/agents/:id/versions': {
    who: 'foreign',
    scope: 'deploy',
    path: () => `/api/agents/${agentId}/versions`,
    body: () => ({ source: '// echo' }),
  },
  'POST /api/agents/:id/executions': {
    who: 'shared',
    scope: 'run',
    path: () => `/api/agents/${agentId}/executions`,
    body: () => ({ input: 1 }),
  },
  'GET /api/bounties': { who: 'public' },
  'GET /api/bounties/:id': { who: 'public', path: () => `/api/bounties/${bountyId}` },
  'POST /api/bounties': {
    who: 'shared',
    scope: 'bounties',
    body: () => ({ title: 't', rewardCredits: 1, cases: [{ input: 1, expected: 1 }] }),
  },
  'POST /api/bounties/:id/submissions': {
    who: 'foreign',
    scope: 'bounties',
    path: () => `/api/bounties/${bountyId}/submissions`,
    body: () => ({ agentId }),
  },
  'POST /api/bounties/:id/award': {
    who: 'foreign',
    scope: 'bounties',
    path: async () => `/api/bounties/${await newJudged()}/award`,
    body: () => ({ submissionId: judgedId }),
  },
  'POST /api/bounties/:id/cancel': {
    who: 'foreign',
    scope: 'bounties',
    path: async () => `/api/bounties/${await newBounty()}/cancel`,
  },
  'GET /api/bounties/:id/cases': { who: 'foreign', scope: 'read', path: () => `/api/bounties/${bountyId}/cases` },
  'POST /api/bounties/:id/cases': {
    who: 'foreign',
    scope: 'bounties',
    path: async () => `/api/bounties/${await newBounty()}/cases`,
    body: () => ({ cases: [{ input: 1, expected: 1 }] }),
  },
  'PATCH /api/bounties/:id/cases/:caseId': {
    who: 'foreign',
    scope: 'bounties',
    path: async () => {
      const id = await newBounty()
      return `/api/bounties/${id}/cases/${(await edge.database.cases.list(id, { after: -1, limit: 1 }))[0]?.id}`
    },
    body: () => ({ expected: 2 }),
  },
  'POST /api/bounties/:id/rejudge': { who: 'foreign', scope: 'bounties', path: async () => `/api/bounties/${await newBounty()}/rejudge` },
  'GET /api/submissions': { who: 'shared', scope: 'read' },
  'GET /api/executions': { who: 'shared', scope: 'read' },
  'GET /api/submissions/:id/receipt': { who: 'own', scope: 'read', path: () => `/api/submissions/${submissionId}/receipt` },
  'GET /api/submissions/:id/events': { who: 'own', scope: 'read', path: () => `/api/submissions/${submissionId}/events` },
  'GET /api/submissions/:id': { who: 'own', scope: 'read', path: () => `/api/submissions/${submissionId}` },
  'GET /api/executions/:id/events': { who: 'own', scope: 'read', path: () => `/api/executions/${executionId}/events` },
  'GET /api/executions/:id': { who: 'own', scope: 'read', path: () => `/api/executions/${executionId}` },
  'DELETE /api/executions/:id': { who: 'own', scope: 'run', path: async () => `/api/executions/${await newQueued()}` },
  'GET /api/executions/:id/artifacts/:name{.+}': {
    who: 'own',
    scope: 'read',
    path: () => `/api/executions/${executionId}/artifacts/dir/h%C3%A9llo.txt`,
  },
  'GET /api/executions/:id/artifact-urls/:name{.+}': {
    who: 'own',
    scope: 'read',
    path: () => `/api/executions/${executionId}/artifact-urls/large`,
  },
  'GET /api/executions/:id/receipt': { who: 'own', scope: 'read', path: () => `/api/executions/${executionId}/receipt` },
  'GET /api/receipt-keys': { who: 'public' },
  'GET /api/leaderboard': { who: 'public' },
  'POST /api/webhooks': { who: 'shared', scope: 'webhooks', body: () => ({ url: 'https://example.com/hook' }) },
  'GET /api/webhooks': { who: 'shared', scope: 'read' },
  'GET /api/webhooks/:id': { who: 'own', scope: 'read', path: () => `/api/webhooks/${webhookId}` },
  'DELETE /api/webhooks/:id': { who: 'own', scope: 'webhooks', path: async () => `/api/webhooks/${await newWebhook()}` },
  'POST /api/webhooks/:id/ping': { who: 'own', scope: 'webhooks', path: () => `/api/webhooks/${webhookId}/ping` },
  'GET /api/webhooks/:id/deliveries': { who: 'own', scope: 'read', path: () => `/api/webhooks/${webhookId}/deliveries` },
  'POST /api/webhooks/:id/deliveries/:deliveryId/redeliver': {
    who: 'own',
    scope: 'webhooks',
    path: () => `/api/webhooks/${webhookId}/deliveries/${deliveryId}/redeliver`,
  },
  'POST /internal/hosts': { who: 'signed', body: () => beatOf() },
  'GET /api/dead-letters': { who: 'keyholders', scope: 'read' },
  'GET /api/dead-letters/:id': { who: 'keyholder', scope: 'read', path: () => `/api/dead-letters/${letterId}` },
  'POST /api/dead-letters/:id/replay': { who: 'keyholder', scope: 'run', path: () => `/api/dead-letters/${letterId}/replay` },
  'DELETE /api/dead-letters/:id': { who: 'keyholder', scope: 'run', path: async () => `/api/dead-letters/${await newLetter()}` },
  'POST /internal/messages': {
    who: 'signed',
    body: () => ({ host: 'h', message: { topic: 'judgings', submissionId, turn: 1 } }),
  },
  'POST /internal/executions/claim': { who: 'signed', body: () => ({ host: 'h', executionId, turn: 1 }) },
  'POST /internal/executions/renew': { who: 'signed', body: () => ({ host: 'h', executionId, turn: 1 }) },
  'POST /internal/executions/put-back': { who: 'signed', body: () => ({}) },
  'POST /internal/dead-letters': { who: 'signed', body: () => ({}) },
  'POST /internal/outcomes': { who: 'signed', body: () => ({ host: 'h', records: [{}] }) },
  'GET /': { who: 'page' },
  'GET /ranking': { who: 'page' },
  'GET /bounties/:id': { who: 'page', path: () => `/bounties/${bountyId}` },
  'GET /bounties/:id/cases/:caseId': {
    who: 'page',
    path: async () => `/bounties/${bountyId}/cases/${(await edge.database.bounties.find(bountyId))?.cases[0]?.id}`,
  },
  'GET /agents': { who: 'page' },
  'GET /agents/:id': { who: 'page', path: () => `/agents/${agentId}` },
  'GET /account': { who: 'page' },
  'GET /assets/:name': { who: 'page', path: () => assetPath('board.css') },
  'GET /submissions/:id': { who: 'session', path: () => `/submissions/${submissionId}` },
  'GET /submissions/:id/events': { who: 'session', path: () => `/submissions/${submissionId}/events` },
  'GET /submissions/:id/receipt': { who: 'session', path: () => `/submissions/${submissionId}/receipt` },
  'POST /account/sign-in': { who: 'own-origin' },
  'POST /account/sign-out': { who: 'own-origin' },
}

beforeAll(async () => {
  owner = await edge.account('owner')
  stranger = await edge.account('stranger')
  agentId = await edge.deploy(owner.key, { name: 'echo' })
  const as = { key: owner.key }
  bountyId = await newJudged()
  submissionId = judgedId
  executionId = (await edge.call('POST', `/api/agents/${agentId}/executions`, { ...as, body: { input: 1 } })).body.id
  const record = edge.sandbox.records.get(executionId)
  if (!record) throw new Error('the fake sandbox ran nothing')
  // What a receipt says is of no concern here, only who may read it.
  const object = artifactKey({ host: 'fake-host', execution: executionId, position: 1 })
  const artifacts = [...record.artifacts, { name: 'large', bytes: 2_000_000, sha256: '0'.repeat(64), object }]
  edge.artifacts.put(object, new Uint8Array(1))
  edge.sandbox.records.set(executionId, { ...record, artifacts, receipt: {} as NonNullable<typeof record.receipt> })
  webhookId = await newWebhook()
  deliveryId = (await edge.call('POST', `/api/webhooks/${webhookId}/ping`, as)).body.id
  letterId = await newLetter()
  expired = (await newKey({ name: 'soon', expiresAt: new Date(edge.clock.now + 1_000).toISOString() })).key
  edge.clock.now += 1_000
})

/** Of the mode best: a full pass does not close it. */
async function newBounty(): Promise<string> {
  const body = { title: 't', rewardCredits: 1, mode: 'best', cases: [{ input: 1, expected: 1 }] }
  return (await edge.call('POST', '/api/bounties', { key: owner.key, body })).body.id
}

async function newJudged(): Promise<string> {
  const id = await newBounty()
  judgedId = (await edge.submit(owner.key, id, { agentId })).body.id
  return id
}

/** Of a tier whose runs are left to whoever takes the message. */
async function newQueued(): Promise<string> {
  const asked = { key: owner.key, body: { input: 1, tier: 'premium' }, headers: { prefer: 'respond-async' } }
  return (await edge.call('POST', `/api/agents/${agentId}/executions`, asked)).body.id
}

async function newWebhook(): Promise<string> {
  return (await edge.call('POST', '/api/webhooks', { key: owner.key, body: { url: 'https://example.com/hook' } })).body.id
}

/** Of an execution that failed. */
async function newLetter(): Promise<string> {
  const { asyncExecutions, deadLetters } = edge.database
  const id = idOf('execution')
  const at = new Date(edge.clock.now).toISOString()
  const program = { kind: 'script', sha256: '0'.repeat(64) } as const
  const run = { id, accountId: owner.id, agentId, version: 1, tier: 'basic', seed: 0, startTime: at, program, input: '1' } as const
  await asyncExecutions.create({ ...run, createdAt: at, dueAt: at })
  await asyncExecutions.fail(id, { turn: 1, at, failure: 'it broke' })
  const { items } = await deadLetters.list({ accountId: owner.id, limit: 100 })
  return items.find((letter) => letter.executionId === id)?.id ?? ''
}

async function newKey(body: object): Promise<{ id: string; key: string }> {
  return (await edge.call('POST', '/api/keys', { key: owner.key, body })).body
}

/** A key of the owner, gone again after the call: an account has a bounded number of them. */
async function withKey(granted: Scope[], use: (key: string) => Promise<Answer>): Promise<Answer> {
  const { id, key } = await newKey({ name: 'k', scopes: granted })
  const answer = await use(key)
  await edge.call('DELETE', `/api/keys/${id}`, { key: owner.key })
  return answer
}

test('every route has a row, and every row a route', () => {
  expect(Object.keys(table).toSorted()).toEqual([...new Set(edge.routes)].toSorted())
})

test('the OpenAPI document says which scope a call needs, and which calls take an Idempotency-Key', async () => {
  const { body } = await edge.call('GET', '/api/openapi.json')
  for (const [route, { who, scope }] of Object.entries(table)) {
    if (!route.includes(' /api/')) continue
    const [method = '', path = ''] = route.split(' ')
    const described = body.paths[path.replaceAll(/:(\w+)(\{\.\+\})?/g, '{$1}')][method.toLowerCase()]
    const needed = scope ?? (who === 'admin' ? 'admin' : undefined)
    expect([route, described.security]).toEqual([route, needed === undefined ? undefined : [{ key: [needed] }]])
    const parameters = (described.parameters ?? []).map(({ name }: { name: string }) => name)
    expect([route, parameters.includes('Idempotency-Key')]).toEqual([route, method === 'POST'])
  }
})

describe.each(Object.entries(table))('%s', (route, { who, scope, path, body }) => {
  const [method = '', pattern = ''] = route.split(' ')
  const call = async (key?: string) => {
    const called = (await path?.()) ?? pattern
    const sent = body?.()
    return edge.call(method, called, {
      ...(key === undefined ? {} : { key }),
      ...(sent === undefined ? {} : { body: sent }),
    })
  }
  // A page says its code, too.
  const codeOf = ({ status, body: answer, text }: Answer) =>
    status < 400 ? 'ok' : String(answer ? answer.code : /data-code="([^"]+)"/.exec(text)?.[1])
  const ok = (codes: Partial<Record<Who, string>>) => ({ session: 'missing-key', 'own-origin': 'forbidden', ...codes })[who] ?? 'ok'
  const knowsNoKeys = ['unchecked', 'signed', 'page', 'session', 'own-origin'].includes(who)

  test('without a key', async () => {
    const missing = 'missing-key'
    const codes = {
      own: missing,
      shared: missing,
      foreign: missing,
      keyholder: missing,
      keyholders: missing,
      admin: missing,
      signed: 'invalid-signature',
    }
    expect(codeOf(await call())).toBe(ok(codes))
  })

  test('with the key of the owner', async () => {
    expect(codeOf(await call(owner.key))).toBe(ok({ admin: 'forbidden', signed: 'invalid-signature' }))
  })

  test('with the key of a stranger', async () => {
    const answer = await call(stranger.key)
    const hidden = /^(execution|submission|key|webhook|dead-letter)-not-found$/
    if (who === 'own' || who === 'keyholder') expect([answer.status, hidden.test(answer.body.code)]).toEqual([404, true])
    else expect(codeOf(answer)).toBe(ok({ foreign: 'forbidden', admin: 'forbidden', signed: 'invalid-signature' }))
  })

  test("with the administrator's key", async () => {
    const none = 'forbidden'
    expect(codeOf(await call(adminKey))).toBe(ok({ own: none, shared: none, foreign: none, signed: 'invalid-signature' }))
  })

  test('with a key that has expired', async () => {
    const answer = await call(expired)
    expect(codeOf(answer)).toBe(ok({ signed: 'invalid-signature', ...(knowsNoKeys ? {} : { [who]: 'expired-key' }) }))
  })

  test('with a key that nobody has', async () => {
    const answer = await call(`ab_${'x'.repeat(43)}`)
    expect(codeOf(answer)).toBe(ok({ signed: 'invalid-signature', ...(knowsNoKeys ? {} : { [who]: 'unknown-key' }) }))
  })

  test('with a key that has every scope but the one that is needed', async () => {
    const others = scopes.filter((candidate) => candidate !== scope)
    const answer = await withKey(others, call)
    if (scope === undefined) return expect(codeOf(answer)).toBe(ok({ admin: 'forbidden', signed: 'invalid-signature' }))
    expect([answer.status, answer.body.code]).toEqual([403, 'forbidden'])
    expect(answer.body.detail).toContain(`the scope "${scope}"`)
  })

  test('with a key that has no scope but the one that is needed', async () => {
    const answer = await withKey([scope ?? 'read'], call)
    expect(codeOf(answer)).toBe(ok({ admin: 'forbidden', signed: 'invalid-signature' }))
  })
})
