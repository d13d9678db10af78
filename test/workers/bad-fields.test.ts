// Requests that are almost right: one field, one byte, one header is not. Each is answered with the field's name and what is allowed there;
// nothing is written, and nothing is a 500.
import { beforeAll, describe, expect, test } from 'vitest'
import { limits } from '../../shared/tiers.ts'
import { countWrites } from '../fakes/count-writes.ts'
import { testEdge, adminKey, type CallOptions } from '../fakes/test-edge.ts'

const edge = testEdge()
let key: string
let expiredKey: string
let agentId: string
let writes: () => number

beforeAll(async () => {
  key = (await edge.account('ada')).key
  agentId = await edge.deploy(key, { name: 'echo' })
  const expiresAt = new Date(edge.clock.now + 1).toISOString()
  expiredKey = (await edge.call('POST', '/api/keys', { key, body: { name: 'soon', expiresAt } })).body.key
  edge.clock.now += 1
  writes = countWrites(edge.database)
})

const half = '\ud800'
const calls = {
  account: { path: () => '/api/accounts', body: { name: 'eve' } },
  key: { path: () => '/api/keys', body: { name: 'ci' } },
  webhook: { path: () => '/api/webhooks', body: { url: 'https://example.com/hook' } },
  agent: { path: () => '/api/agents', body: { name: 'x', kind: 'script', source: '// echo' } },
  version: { path: () => `/api/agents/${agentId}/versions`, body: { source: '// echo' } },
  execution: { path: () => `/api/agents/${agentId}/executions`, body: { input: 1 } },
  bounty: { path: () => '/api/bounties', body: { title: 't', rewardCredits: 1, cases: [{ input: 1, expected: 1 }] } },
  credits: { path: () => `/api/accounts/acc_01000000000000000000000000/credits`, body: { credits: 1 } },
  sweep: { path: () => '/api/admin/sweeps', body: { dryRun: true } },
  award: { path: () => '/api/bounties/bty_01000000000000000000000000/award', body: { submissionId: 'sub_01000000000000000000000000' } },
  submission: {
    path: () => '/api/bounties/bty_01000000000000000000000000/submissions',
    body: { agentId: 'agt_01000000000000000000000000' },
  },
}

/** Name of the call, field, what stands there, what is said about it. `undefined` = the field is missing. */
const fields: [keyof typeof calls, string, unknown, RegExp][] = [
  ['sweep', 'dryRun', 'yes', /"yes"; must be a boolean/],
  ['sweep', 'dryRun', null, /null; must be a boolean/],
  ['sweep', 'cursor', 'x'.repeat(513), /513 characters; .*at most 512/],
  ['sweep', 'cursor', 7, /7; must be a string/],
  ['sweep', 'phase', 'bundles', /phase is not a known field; allowed are dryRun, cursor/],
  ['account', 'name', undefined, /name is missing/],
  ['account', 'name', '', /name is ""/],
  ['account', 'name', '   ', /at least 1/],
  ['account', 'name', 'x'.repeat(81), /81 characters; .*at most 80/],
  ['account', 'name', 'a\0b', /U\+0000/],
  ['account', 'name', half, /surrogate/],
  ['account', 'name', null, /name is null; must be a string/],
  ['account', 'name', ['eve'], /list of 1; must be a string/],
  ['account', 'rateLimited', 'no', /"no"; must be a boolean/],
  ['account', 'rateLimited', 0, /must be a boolean/],
  ['account', 'key', 'ab_mine', /key is not a known field; allowed are name/],
  ['account', 'id', 'acc_1', /id is not a known field/],
  ['key', 'name', undefined, /name is missing/],
  ['key', 'name', '\t\n', /at least 1/],
  ['key', 'name', `a${half}`, /surrogate/],
  ['key', 'scopes', [], /list whose length is at least 1/],
  ['key', 'scopes', ['everything'], /scopes.0 is "everything"; must be one of read, run/],
  ['key', 'scopes', ['admin'], /scopes.0 is "admin"/],
  ['key', 'scopes', 'read', /"read"; must be an array/],
  ['key', 'scopes', Array.from({ length: 7 }, () => 'read'), /list of 7; .*at most 6/],
  ['key', 'scopes', { 0: 'read' }, /is an object/],
  ['key', 'expiresAt', '2020-01-01T00:00:00Z', /must be in the future/],
  ['key', 'expiresAt', 'tomorrow', /instant in UTC/],
  ['key', 'expiresAt', '2030-02-30T00:00:00Z', /instant in UTC/],
  ['key', 'expiresAt', '2030-01-01T00:00:00+01:00', /instant in UTC/],
  ['key', 'expiresAt', 1_893_456_000, /must be a string/],
  ['key', 'expiresAt', null, /must be a string/],
  ['key', 'accountId', 'acc_01000000000000000000000000', /not a known field/],
  ['key', 'isRateLimited', false, /not a known field/],
  ['webhook', 'url', undefined, /url is missing/],
  ['webhook', 'url', '', /at least 1/],
  ['webhook', 'url', 7, /must be a string/],
  ['webhook', 'url', `https://example.com/${'x'.repeat(1_981)}`, /at most 2000/],
  ['webhook', 'url', 'http://example.com/hook', /must begin with https/],
  ['webhook', 'url', 'https://127.0.0.1/', /must be at a public address/],
  ['webhook', 'url', 'https://[::ffff:10.0.0.1]/', /must be at a public address/],
  ['webhook', 'url', 'https://169.254.169.254/latest', /must be at a public address/],
  ['webhook', 'url', 'https://localhost/', /must be at a public name/],
  ['webhook', 'url', 'https://db.internal/', /must be at a public name/],
  ['webhook', 'url', 'https://example.com:22/', /must have no port/],
  ['webhook', 'url', 'https://me:pw@example.com/', /must have no name or password/],
  ['webhook', 'url', half, /must be a URL/],
  ['webhook', 'events', [], /list whose length is at least 1/],
  ['webhook', 'events', ['everything'], /events.0 is "everything"; must be one of submission.finished/],
  ['webhook', 'events', ['webhook.ping'], /events.0 is "webhook.ping"/],
  ['webhook', 'events', 'bounty.awarded', /must be an array/],
  ['webhook', 'secret', 'whsec_mine', /secret is not a known field; allowed are url, events/],
  ['agent', 'name', '', /1 to 64/],
  ['agent', 'name', 'x'.repeat(65), /65 characters.*1 to 64/],
  ['agent', 'name', 'X', /1 to 64/],
  ['agent', 'name', '-x', /begin with a letter or digit/],
  ['agent', 'name', '../etc', /1 to 64/],
  ['agent', 'name', 'naïve', /1 to 64/],
  ['agent', 'name', 'x\n', /1 to 64/],
  ['agent', 'name', true, /name is true; must be a string/],
  ['agent', 'kind', undefined, /kind is missing; must be one of/],
  ['agent', 'kind', 'Script', /"Script"; must be one of script/],
  ['agent', 'kind', 0, /must be one of/],
  ['agent', 'kind', ['script'], /must be one of/],
  ['agent', 'source', '', /at least 1/],
  ['agent', 'source', null, /source is null; must be a string/],
  ['agent', 'source', { code: 1 }, /is an object; must be a string/],
  ['agent', 'version', 1, /version is not a known field/],
  ['agent', 'accountId', 'acc_01000000000000000000000000', /not a known field/],
  ['version', 'source', undefined, /source is missing/],
  ['version', 'source', 1, /must be a string/],
  ['version', 'kind', 'script', /kind is not a known field; allowed are source/],
  ['execution', 'tier', 'Basic', /must be one of basic/],
  ['execution', 'tier', null, /must be one of basic/],
  ['execution', 'tier', 1, /must be one of basic/],
  ['execution', 'seed', 1.5, /must be a whole number/],
  ['execution', 'seed', '1', /must be a number/],
  ['execution', 'seed', 2 ** 53, /at most 9007199254740991/],
  ['execution', 'seed', null, /must be a number/],
  ['execution', 'seed', [1], /must be a number/],
  ['execution', 'startTime', '2000-01-01T00:00:00', /instant in UTC/],
  ['execution', 'startTime', '2000-13-01T00:00:00Z', /instant in UTC/],
  ['execution', 'startTime', 0, /must be a string/],
  ['execution', 'startTime', '', /instant in UTC/],
  ['execution', 'version', 0, /must be/],
  ['execution', 'version', -1, /must be/],
  ['execution', 'version', 1.5, /whole number/],
  ['execution', 'version', 'latest', /must be a number/],
  ['execution', 'version', 1e300, /must be/],
  ['execution', 'version', 2 ** 31, /must be at most 2147483647/],
  ['execution', 'fuel', 1, /fuel is not a known field; allowed are input, tier/],
  ['execution', 'id', 'exe_01000000000000000000000000', /id is not a known field/],
  ['bounty', 'title', undefined, /title is missing/],
  ['bounty', 'title', '', /at least 1/],
  ['bounty', 'title', ' ', /at least 1/],
  ['bounty', 'title', 'x'.repeat(121), /at most 120/],
  ['bounty', 'title', half, /surrogate/],
  ['bounty', 'title', 7, /must be a string/],
  ['bounty', 'description', 'x'.repeat(20_001), /at most 20000/],
  ['bounty', 'description', 'a\0', /U\+0000/],
  ['bounty', 'description', null, /must be a string/],
  ['bounty', 'rewardCredits', undefined, /rewardCredits is missing/],
  ['bounty', 'rewardCredits', -1, /at least 0/],
  ['bounty', 'rewardCredits', 0.1, /whole number/],
  ['bounty', 'rewardCredits', 1_000_000_001, /at most 1000000000/],
  ['bounty', 'rewardCredits', 1e308, /must be/],
  ['bounty', 'rewardCredits', '100', /must be a number/],
  ['bounty', 'rewardCredits', true, /must be a number/],
  ['bounty', 'mode', 'last', /must be one of first, best/],
  ['bounty', 'tier', 'free', /must be one of basic/],
  ['bounty', 'status', 'awarded', /status is not a known field/],
  ['bounty', 'deadline', '2000-01-01T00:00:00Z', /future/],
  ['bounty', 'deadline', 'never', /instant in UTC/],
  ['bounty', 'deadline', null, /must be a string/],
  ['bounty', 'cases', undefined, /cases is missing/],
  ['bounty', 'cases', {}, /is an object; must be an array/],
  ['bounty', 'cases', [1], /cases.0 is 1; must be an object/],
  ['bounty', 'cases', [null], /cases.0 is null/],
  ['bounty', 'cases', [{ input: 1 }], /cases.0.expected is missing/],
  ['bounty', 'cases', [{ expected: 1 }], /cases.0.input is missing/],
  ['bounty', 'cases', [{ input: 1, expected: 1, hidden: 'yes' }], /cases.0.hidden is "yes"; must be a boolean/],
  ['bounty', 'cases', [{ input: 1, expected: 1, name: '' }], /cases.0.name.*at least 1/],
  ['bounty', 'cases', [{ input: 1, expected: 1, name: 'x'.repeat(121) }], /at most 120/],
  ['bounty', 'cases', [{ input: 1, expected: 1, name: `${half}x` }], /surrogate/],
  [
    'bounty',
    'cases',
    Array.from({ length: limits.casesPerBountyMax + 1 }, () => ({ input: 1, expected: 1 })),
    /list of 2001; .*at most 2000/,
  ],
  ['bounty', 'cases', [{ input: 1, expected: 'x'.repeat(limits.expectedBytesMax) }], /cases.0.expected is \d+ bytes/],
  ['credits', 'credits', undefined, /credits is missing/],
  ['credits', 'credits', 0, /at least 1/],
  ['credits', 'credits', -5, /at least 1/],
  ['credits', 'credits', 0.5, /whole number/],
  ['credits', 'credits', '5', /must be a number/],
  ['credits', 'credits', 2 ** 60, /must be/],
  ['credits', 'reason', 'a\0b', /U\+0000/],
  ['credits', 'reason', half, /surrogate/],
  ['credits', 'to', 'acc_01000000000000000000000000', /to is not a known field/],
  ['award', 'submissionId', undefined, /submissionId is missing/],
  ['award', 'submissionId', 'agt_01000000000000000000000000', /must be sub_/],
  ['award', 'credits', 1, /credits is not a known field/],
  ['submission', 'stopAtFirstFailure', 1, /must be a boolean/],
  ['submission', 'agentId', undefined, /agentId is missing/],
  ['submission', 'agentId', 'agt_1', /must be agt_ followed by 26/],
  ['submission', 'agentId', 'AGT_01000000000000000000000000', /must be agt_/],
  ['submission', 'agentId', 'bty_01000000000000000000000000', /must be agt_/],
  ['submission', 'agentId', 'agt_0100000000000000000000000i', /must be agt_/],
  ['submission', 'version', 0, /must be/],
  ['submission', 'version', 2 ** 31, /must be at most 2147483647/],
  ['submission', 'score', 100, /score is not a known field; allowed are agentId, version/],
]

describe('a field', () => {
  test.each(fields)('%s: %s = %j', async (name, field, value, says) => {
    const { path, body } = calls[name]
    const answer = await edge.call('POST', path(), {
      key: name === 'account' || name === 'credits' || name === 'sweep' ? adminKey : key,
      body: { ...body, [field]: value },
    })
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid-request'])
    expect(answer.body.detail).toMatch(says)
    expect(answer.body.issues[0].field.split('.')[0]).toBe(field)
  })
})

/** What is sent as the body of a deploy, byte for byte. */
const bodies: [string, CallOptions['raw'], number, string][] = [
  ['prose', 'hello', 400, 'malformed-json'],
  ['a comma too many', '{"name":"x",}', 400, 'malformed-json'],
  ['single quotes', "{'name':'x'}", 400, 'malformed-json'],
  ['a comment', '{} // nothing', 400, 'malformed-json'],
  ['two values', '{}{}', 400, 'malformed-json'],
  ['NaN', '{"name":NaN}', 400, 'malformed-json'],
  ['a leading zero', '{"name":01}', 400, 'malformed-json'],
  ['a control character in a string', '{"name":"a\u0001"}', 400, 'malformed-json'],
  ['half an escape', '{"name":"\\u12"}', 400, 'malformed-json'],
  ['only blanks', '  \n ', 400, 'malformed-json'],
  ['UTF-16', new Uint8Array([0xff, 0xfe, 0x7b, 0, 0x7d, 0]), 400, 'malformed-json'],
  ['an overlong encoding', new Uint8Array([0x22, 0xc0, 0xaf, 0x22]), 400, 'malformed-json'],
  ['half of a surrogate pair in UTF-8', new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22]), 400, 'malformed-json'],
  ['null', 'null', 400, 'invalid-request'],
  ['a string', '"x"', 400, 'invalid-request'],
  ['a number beyond doubles', '1e999', 400, 'invalid-request'],
  ['true', 'true', 400, 'invalid-request'],
  ['__proto__', '{"__proto__":{"name":"x","kind":"script","source":"// echo"}}', 400, 'invalid-request'],
  ['__proto__ beside the rest', '{"name":"x","kind":"script","source":"// echo","__proto__":{"admin":true}}', 400, 'invalid-request'],
  ['constructor', '{"name":"x","kind":"script","source":"// echo","constructor":{"prototype":{}}}', 400, 'invalid-request'],
  ['toString', '{"name":"x","kind":"script","source":"// echo","toString":1}', 400, 'invalid-request'],
  ['a kind that objects inherit', '{"name":"x","kind":"constructor","source":"// echo"}', 400, 'invalid-request'],
  ['201 levels of lists', `{"name":${'['.repeat(200)}${']'.repeat(200)}}`, 400, 'invalid-request'],
  ['201 levels of objects', `${'{"a":'.repeat(201)}1${'}'.repeat(201)}`, 400, 'invalid-request'],
  ['a million brackets', '['.repeat(1_000_000), 400, 'invalid-request'],
  ['a thousand unknown fields', `{${Array.from({ length: 1_000 }, (_, i) => `"f${i}":1`).join(',')}}`, 400, 'invalid-request'],
  ['a name of a field of a megabyte', `{"${'x'.repeat(1_000_000)}":1}`, 400, 'invalid-request'],
]

describe('a body', () => {
  test.each(bodies)('%s', async (_, raw, status, code) => {
    const answer = await edge.call('POST', '/api/agents', { key, raw: raw ?? '' })
    expect([answer.status, answer.body.code]).toEqual([status, code])
    expect(answer.text.length).toBeLessThan(10_000)
  })

  test.each([
    [''],
    ['application/x-www-form-urlencoded'],
    ['multipart/form-data; boundary=x'],
    ['multipart/form-data'],
    ['text/json'],
    ['application/jsonp'],
    ['application/problem+json'],
    ['application/octet-stream'],
    ['x'.repeat(5_000)],
  ])('of the type %j', async (type) => {
    const answer = await edge.call('POST', '/api/bounties', { key, raw: '--x--', headers: { 'content-type': type } })
    expect([answer.status, answer.body.code]).toEqual([415, 'unsupported-media-type'])
  })
})

const paths: [string, string, number, string][] = [
  ['GET', '/api/agents/agt_', 400, 'invalid-request'],
  ['GET', '/api/agents/%00', 400, 'invalid-request'],
  ['GET', '/api/agents/%FF', 400, 'invalid-request'],
  ['GET', '/api/agents/%2e%2e%2fbounties', 400, 'invalid-request'],
  ['GET', `/api/agents/${'x'.repeat(5_000)}`, 400, 'invalid-request'],
  ['GET', "/api/bounties/bty_0100000000000000000000000'", 400, 'invalid-request'],
  ['GET', '/api/executions/sub_01000000000000000000000000', 400, 'invalid-request'],
  ['GET', '/api/submissions/exe_01000000000000000000000000', 400, 'invalid-request'],
  ['DELETE', '/api/keys/acc_01000000000000000000000000', 400, 'invalid-request'],
  ['DELETE', '/api/keys/key_01000000000000000000000000', 404, 'key-not-found'],
  ['GET', '/api/submissions/sub_01000000000000000000000000/events', 404, 'submission-not-found'],
  ['GET', '/api/submissions/exe_01000000000000000000000000/events', 400, 'invalid-request'],
  ['GET', '/api/submissions/sub_01000000000000000000000000/events?from=1', 400, 'invalid-request'],
  ['GET', '/api/executions/exe_01000000000000000000000000/events', 404, 'execution-not-found'],
  ['POST', '/api/executions/exe_01000000000000000000000000/events', 405, 'method-not-allowed'],
  ['DELETE', '/api/executions/exe_01000000000000000000000000', 404, 'execution-not-found'],
  ['DELETE', '/api/executions/sub_01000000000000000000000000', 400, 'invalid-request'],
  ['DELETE', '/api/executions/exe_01000000000000000000000000?force=1', 400, 'invalid-request'],
  ['DELETE', '/api/executions', 405, 'method-not-allowed'],
  ['GET', '/api/webhooks/key_01000000000000000000000000', 400, 'invalid-request'],
  ['GET', '/api/webhooks/whk_01000000000000000000000000', 404, 'webhook-not-found'],
  ['DELETE', '/api/webhooks/whk_01000000000000000000000000', 404, 'webhook-not-found'],
  ['GET', '/api/webhooks/whk_01000000000000000000000000/deliveries', 404, 'webhook-not-found'],
  ['POST', '/api/webhooks/whk_01000000000000000000000000/ping', 404, 'webhook-not-found'],
  ['POST', '/api/webhooks/whk_01000000000000000000000000/deliveries/x/redeliver', 400, 'invalid-request'],
  ['PUT', '/api/webhooks/whk_01000000000000000000000000', 405, 'method-not-allowed'],
  ['GET', '/api/executions/exe_01000000000000000000000000/receipt', 404, 'execution-not-found'],
  ['GET', '/api/executions/exe_01000000000000000000000000/artifacts/%2e%2e%2f%2e%2e%2fetc', 404, 'execution-not-found'],
  ['GET', `/api/executions/exe_01000000000000000000000000/artifacts/${'x'.repeat(1_025)}`, 400, 'invalid-request'],
  ['GET', '/api/executions/exe_01000000000000000000000000/artifacts/', 404, 'not-found'],
  ['GET', '/api', 404, 'not-found'],
  ['GET', '/api/agents/', 404, 'not-found'],
  ['GET', '/API/agents', 404, 'not-found'],
  ['GET', '/.env', 404, 'not-found'],
  ['GET', '/internal/outcomes', 404, 'not-found'],
  ['PUT', '/api/agents', 405, 'method-not-allowed'],
  ['PATCH', '/api/accounts/me', 405, 'method-not-allowed'],
  ['DELETE', '/api/keys', 405, 'method-not-allowed'],
  ['POST', '/api/health', 405, 'method-not-allowed'],
  ['GET', '/api/accounts', 405, 'method-not-allowed'],
]

test.each(paths)('%s %s', async (method, path, status, code) => {
  const answer = await edge.call(method, path, { key })
  expect([answer.status, answer.body.code]).toEqual([status, code])
  if (status === 405) expect(answer.headers.get('allow')).not.toBe('')
})

const authorizations: [string, () => string, string][] = [
  ['nothing', () => '', 'unknown-key'],
  ['a scheme alone', () => 'Bearer', 'unknown-key'],
  ['two keys', () => `Bearer ${key} ${key}`, 'unknown-key'],
  ['a key alone', () => key, 'unknown-key'],
  ['a key that is one character short', () => `Bearer ${key.slice(0, -1)}`, 'unknown-key'],
  ['a key that is one character off', () => `Bearer ${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`, 'unknown-key'],
  ['a key in capitals', () => `Bearer ${key.toUpperCase()}`, 'unknown-key'],
  ['a key of a megabyte', () => `Bearer ab_${'x'.repeat(1_000_000)}`, 'unknown-key'],
  ['a key with SQL in it', () => `Bearer ab_'or'1'='1`, 'unknown-key'],
  ['a key that has expired', () => `Bearer ${expiredKey}`, 'expired-key'],
]

test.each(authorizations)('an Authorization of %s', async (_, authorization, code) => {
  const answer = await edge.call('GET', '/api/accounts/me', { headers: { authorization: authorization() } })
  expect([answer.status, answer.body.code]).toEqual([401, code])
  expect(answer.headers.get('www-authenticate')).toContain('Bearer')
  expect(answer.text).not.toContain(key)
})

test.each([
  ['nothing', ''],
  ['another form', 'sha256=abc'],
  ['a nonce that is too short', `t=1,n=${'0'.repeat(31)},s=${'0'.repeat(64)}`],
  ['capitals', `t=1,n=${'A'.repeat(32)},s=${'A'.repeat(64)}`],
  ['a time beyond all time', `t=${'9'.repeat(16)},n=${'0'.repeat(32)},s=${'0'.repeat(64)}`],
  ['zeros', `t=0,n=${'0'.repeat(32)},s=${'0'.repeat(64)}`],
])('outcomes with a signature of %s', async (_, signature) => {
  const answer = await edge.call('POST', '/internal/outcomes', {
    body: { host: 'h', records: [{}] },
    headers: { 'bounty-signature': signature },
  })
  expect([answer.status, answer.body.code]).toEqual([401, 'invalid-signature'])
})

test('nothing was written by any of them, and nothing is in the log', () => {
  expect(writes()).toBe(0)
  expect(edge.log.filter(({ level }) => level === 'error')).toEqual([])
})
