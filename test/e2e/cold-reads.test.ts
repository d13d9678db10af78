// A read that no cache can answer asks the database once: each request to Neon is a trip of its own.
import { beforeAll, describe, expect, test } from 'vitest'
import { call, deployScript, newAccount } from './caller.ts'
import { askedWhile, edgeInProcess } from './edge-in-process.ts'

/** A cache that is not there is as cold as a cache can be. Port 9 is where nobody listens. */
const nowhere = { url: 'http://127.0.0.1:9', token: 'x' }
let key: string
let bountyId: string
let agentId: string
let submissionId: string

beforeAll(async () => {
  key = (await newAccount()).key
  agentId = await deployScript('export default (x) => x', key)
  const body = { title: 'echo', rewardCredits: 0, mode: 'best', cases: [1, 2, 3].map((n) => ({ input: n, expected: n, hidden: n === 3 })) }
  bountyId = (await call('POST', '/api/bounties', { key, body })).body.id
  const submission = await call('POST', `/api/bounties/${bountyId}/submissions`, { key, body: { agentId } })
  expect(submission.status).toBe(202)
  submissionId = submission.body.id
})

const unknownBounty = 'bty_01000000000000000000000000'
type Row = [name: string, path: () => string, status: number]
const publicReads: Row[] = [
  ['bounties', () => '/api/bounties', 200],
  ['bounties with a status', () => '/api/bounties?status=open&limit=5', 200],
  ['a bounty', () => `/api/bounties/${bountyId}`, 200],
  ['a bounty that is not there', () => `/api/bounties/${unknownBounty}`, 404],
  ['agents', () => '/api/agents', 200],
  ['an agent', () => `/api/agents/${agentId}`, 200],
  ['an agent that is not there', () => '/api/agents/agt_01000000000000000000000000', 404],
  ['the leaderboard', () => '/api/leaderboard', 200],
  ['the leaderboard of a bounty', () => `/api/leaderboard?bounty=${bountyId}`, 200],
  ['the leaderboard of a bounty that is not there', () => `/api/leaderboard?bounty=${unknownBounty}`, 404],
]
const ownReads: Row[] = [['a submission', () => `/api/submissions/${submissionId}`, 200]]

describe('on cold caches', () => {
  test.each(publicReads)('%s: one request to the database', async (_, path, status) => {
    const edge = edgeInProcess({ upstash: nowhere })
    const asked = await askedWhile(async () => expect((await edge.call('GET', path())).status).toBe(status))
    expect(asked.map((statements) => statements.length)).toEqual([1])
  })

  test.each([...publicReads, ...ownReads])(
    '%s, with a key that the isolate knows: one request to the database',
    async (_, path, status) => {
      const edge = edgeInProcess({ upstash: nowhere })
      const lookedUp = await askedWhile(() => edge.call('GET', '/api/openapi.json', { key }))
      expect(lookedUp.flat().filter(({ query }) => query.includes('api_keys'))).toHaveLength(1)
      const asked = await askedWhile(async () => expect((await edge.call('GET', path(), { key })).status).toBe(status))
      expect(asked.map((statements) => statements.length)).toEqual([1])
    },
  )
})
