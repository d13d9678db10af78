// Bounties whose checker is not one: each is refused with the field's name and what is allowed there; nothing is written.
import { beforeAll, expect, test } from 'vitest'
import { countWrites } from '../fakes/count-writes.ts'
import { testEdge } from '../fakes/test-edge.ts'

const edge = testEdge()
let key: string
let ownId: string
let strangersId: string
let writes: () => number

beforeAll(async () => {
  key = (await edge.account('ada')).key
  ownId = await edge.deploy(key, { name: 'checker' })
  strangersId = await edge.deploy((await edge.account('eve')).key, { name: 'checker' })
  writes = countWrites(edge.database)
})

const nobodys = 'agt_01000000000000000000000000'
const checkers: [string, () => unknown, number, string, RegExp][] = [
  ['null', () => null, 400, 'invalid-request', /checker is null; must be an object/],
  ['an id alone', () => ownId, 400, 'invalid-request', /must be an object/],
  ['a list', () => [{ agentId: ownId }], 400, 'invalid-request', /list of 1; must be an object/],
  ['true', () => true, 400, 'invalid-request', /checker is true/],
  ['nothing in it', () => ({}), 400, 'invalid-request', /checker\.agentId is missing/],
  ['a number for the agent', () => ({ agentId: 7 }), 400, 'invalid-request', /checker\.agentId is 7/],
  ['a name for the agent', () => ({ agentId: 'checker' }), 400, 'invalid-request', /must be agt_ followed by 26/],
  ['an id of another kind', () => ({ agentId: nobodys.replace('agt', 'sub') }), 400, 'invalid-request', /must be agt_/],
  ['version 0', () => ({ agentId: ownId, version: 0 }), 400, 'invalid-request', /checker\.version.*must be/],
  ['a version below 0', () => ({ agentId: ownId, version: -1 }), 400, 'invalid-request', /checker\.version.*must be/],
  ['half a version', () => ({ agentId: ownId, version: 1.5 }), 400, 'invalid-request', /whole number/],
  ['a version beyond what counts', () => ({ agentId: ownId, version: 2 ** 31 }), 400, 'invalid-request', /checker\.version/],
  ['a version as text', () => ({ agentId: ownId, version: '1' }), 400, 'invalid-request', /must be a number/],
  ['no version as null', () => ({ agentId: ownId, version: null }), 400, 'invalid-request', /must be a number/],
  ['the latest by name', () => ({ agentId: ownId, version: 'latest' }), 400, 'invalid-request', /must be a number/],
  [
    'a field more',
    () => ({ agentId: ownId, tier: 'basic' }),
    400,
    'invalid-request',
    /tier is not a known field; allowed are agentId, version/,
  ],
  ['an agent that is not there', () => ({ agentId: nobodys }), 404, 'agent-not-found', /agt_0100/],
  ['a version that is not there', () => ({ agentId: ownId, version: 2 }), 404, 'agent-not-found', /version 2/],
  ['an agent of a stranger', () => ({ agentId: strangersId }), 403, 'forbidden', /checker\.agentId.*another account/],
  ['a version of a stranger', () => ({ agentId: strangersId, version: 1 }), 403, 'forbidden', /another account/],
]

test.each(checkers)('%s', async (_, checker, status, code, says) => {
  const body = { title: 't', rewardCredits: 1, cases: [{ input: 1, expected: 1 }], checker: checker() }
  const answer = await edge.call('POST', '/api/bounties', { key, body })
  expect([answer.status, answer.body.code]).toEqual([status, code])
  expect(answer.body.detail).toMatch(says)
  expect(writes()).toBe(0)
})
