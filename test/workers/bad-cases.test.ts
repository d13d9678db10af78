// Wrong changes of cases: each is answered with what is wrong, and nothing is written.
import { beforeAll, expect, test } from 'vitest'
import { countWrites } from '../fakes/count-writes.ts'
import { testEdge, type CallOptions } from '../fakes/test-edge.ts'

const edge = testEdge()
const cases = [{ input: 1, expected: 1 }]
const unknown = (prefix: string) => `${prefix}_01000000000000000000000000`
let key: string
let strangerKey: string
let bountyId: string
let writes: () => number

beforeAll(async () => {
  key = (await edge.account('ada')).key
  strangerKey = (await edge.account('eve')).key
  bountyId = (await edge.call('POST', '/api/bounties', { key, body: { title: 't', rewardCredits: 1, cases } })).body.id
  writes = countWrites(edge.database)
})

const calls = {
  cases: { method: 'POST', path: () => `/api/bounties/${bountyId}/cases`, body: { cases } },
  fix: { method: 'PATCH', path: () => `/api/bounties/${bountyId}/cases/${unknown('cas')}`, body: { expected: 1 } },
}

const fields: [keyof typeof calls, string, unknown, RegExp][] = [
  ['cases', 'cases', undefined, /cases is missing/],
  ['cases', 'cases', [], /at least 1/],
  ['cases', 'cases', {}, /must be an array/],
  ['cases', 'cases', [{ input: 1 }], /cases.0.expected is missing/],
  ['cases', 'cases', [{ input: 1, expected: 1, revision: 2 }], /cases.0.revision is not a known field/],
  ['cases', 'cases', [{ input: 1, expected: 1, id: 'cas_01000000000000000000000000' }], /cases.0.id is not a known field/],
  ['cases', 'cases', [{ input: 1, expected: 1, hidden: 'yes' }], /cases.0.hidden is "yes"; must be a boolean/],
  ['cases', 'position', 0, /position is not a known field; allowed are cases/],
  ['fix', 'hidden', true, /hidden is not a known field; allowed are input, expected/],
  ['fix', 'revision', 7, /revision is not a known field/],
  ['fix', 'position', 0, /position is not a known field/],
  ['fix', 'name', 'n', /name is not a known field/],
]

test.each(fields)('%s with %s: %j', async (name, field, value, says) => {
  const { method, path, body } = calls[name]
  const answer = await edge.call(method, path(), { key, body: { ...body, [field]: value } })
  expect([answer.status, answer.body.code]).toEqual([400, 'invalid-request'])
  expect(answer.body.detail).toMatch(says)
  expect(answer.body.issues[0].field.split('.')[0]).toBe(field)
})

type Bad = [name: string, method: string, path: () => string, options: () => CallOptions, status: number, code: string, says?: RegExp]
const table: Bad[] = [
  [
    'cases for an unknown bounty',
    'POST',
    () => `/api/bounties/${unknown('bty')}/cases`,
    () => ({ key, body: { cases } }),
    404,
    'bounty-not-found',
  ],
  [
    "cases for somebody else's bounty",
    'POST',
    () => `/api/bounties/${bountyId}/cases`,
    () => ({ key: strangerKey, body: { cases } }),
    403,
    'forbidden',
  ],
  ["the cases of somebody else's bounty", 'GET', () => `/api/bounties/${bountyId}/cases`, () => ({ key: strangerKey }), 403, 'forbidden'],
  [
    'cases behind a cursor of another list',
    'GET',
    () => `/api/bounties/${bountyId}/cases?cursor=WyJhZ2VudHMiXQ`,
    () => ({ key }),
    400,
    'invalid-cursor',
  ],
  [
    'a fix of nothing',
    'PATCH',
    () => `/api/bounties/${bountyId}/cases/${unknown('cas')}`,
    () => ({ key, body: {} }),
    400,
    'invalid-request',
    /must have input or expected, or both/,
  ],
  [
    'a fix of an unknown case',
    'PATCH',
    () => `/api/bounties/${bountyId}/cases/${unknown('cas')}`,
    () => ({ key, body: { input: 1 } }),
    404,
    'case-not-found',
  ],
  [
    'a fix of a case that is none',
    'PATCH',
    () => `/api/bounties/${bountyId}/cases/1`,
    () => ({ key, body: { input: 1 } }),
    400,
    'invalid-request',
    /must be cas_/,
  ],
  [
    "a fix of somebody else's case",
    'PATCH',
    () => `/api/bounties/${bountyId}/cases/${unknown('cas')}`,
    () => ({ key: strangerKey, body: { input: 1 } }),
    403,
    'forbidden',
  ],
  [
    'a case that is put',
    'PUT',
    () => `/api/bounties/${bountyId}/cases/${unknown('cas')}`,
    () => ({ key, body: { input: 1 } }),
    405,
    'method-not-allowed',
    /PATCH/,
  ],
  ['judging an unknown bounty again', 'POST', () => `/api/bounties/${unknown('bty')}/rejudge`, () => ({ key }), 404, 'bounty-not-found'],
  [
    "judging somebody else's bounty again",
    'POST',
    () => `/api/bounties/${bountyId}/rejudge`,
    () => ({ key: strangerKey }),
    403,
    'forbidden',
  ],
]

test.each(table)('%s: %s is answered clearly', async (_, method, path, options, status, code, says = /./) => {
  const answer = await edge.call(method, path(), options())
  expect([answer.status, answer.body.code]).toEqual([status, code])
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(answer.body.detail).toMatch(says)
})

test('nothing was written by any of them', () => expect(writes()).toBe(0))
