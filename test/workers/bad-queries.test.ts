// Query parameters that no list takes: each is refused with its documented problem, and nothing is a 500.
import { beforeAll, expect, test } from 'vitest'
import { testEdge } from '../fakes/test-edge.ts'

const edge = testEdge()
let key: string
beforeAll(async () => {
  key = (await edge.account('ada')).key
})

const cursor = (...parts: unknown[]) => btoa(JSON.stringify(parts)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
const place = ['leaderboard', 1, 1, 1, 'acc_01000000000000000000000000', 1]

const queries: [string, string][] = [
  ['/api/agents?limit=0', 'invalid-request'],
  ['/api/agents?limit=-1', 'invalid-request'],
  ['/api/agents?limit=1.5', 'invalid-request'],
  ['/api/agents?limit=', 'invalid-request'],
  ['/api/agents?limit=NaN', 'invalid-request'],
  ['/api/agents?limit=Infinity', 'invalid-request'],
  ['/api/agents?limit=9e99', 'invalid-request'],
  ['/api/agents?limit[]=1', 'invalid-request'],
  ['/api/agents?offset=1', 'invalid-request'],
  ['/api/agents?__proto__=1', 'invalid-request'],
  ['/api/keys?status=open', 'invalid-request'],
  ['/api/accounts/me?id=acc_1', 'invalid-request'],
  ['/api/webhooks?limit=0', 'invalid-request'],
  ['/api/webhooks/whk_01000000000000000000000000/deliveries?status=failed', 'invalid-request'],
  ['/api/bounties?status=', 'invalid-request'],
  ['/api/bounties?status=OPEN', 'invalid-request'],
  ['/api/bounties?mode=last', 'invalid-request'],
  ['/api/bounties?owner=me', 'invalid-request'],
  ['/api/bounties?owner=agt_01000000000000000000000000', 'invalid-request'],
  ['/api/bounties?q=', 'invalid-request'],
  ['/api/bounties?q=%00', 'invalid-request'],
  ['/api/bounties?q=a%00b', 'invalid-request'],
  ['/api/bounties?q=%25+-+%27%3B', 'invalid-request'],
  ['/api/bounties?q=%F0%9F%92%A9', 'invalid-request'],
  ['/api/bounties?q=a+b+c+d+e+f+g', 'invalid-request'],
  [`/api/bounties?q=${'x'.repeat(101)}`, 'invalid-request'],
  ['/api/bounties?search=x', 'invalid-request'],
  ['/api/agents?kind=python', 'invalid-request'],
  ['/api/agents?owner=ada', 'invalid-request'],
  ['/api/agents?q=...', 'invalid-request'],
  ['/api/agents?status=open', 'invalid-request'],
  ['/api/submissions?status=open', 'invalid-request'],
  ['/api/submissions?bounty=1', 'invalid-request'],
  ['/api/submissions?accountId=acc_01000000000000000000000000', 'invalid-request'],
  ['/api/executions?status=waiting', 'invalid-request'],
  ['/api/executions?agent=echo', 'invalid-request'],
  ['/api/dead-letters?kind=judging', 'invalid-request'],
  ['/api/dead-letters?agent=echo', 'invalid-request'],
  ['/api/dead-letters?limit=0', 'invalid-request'],
  ['/api/dead-letters?accountId=acc_01000000000000000000000000', 'invalid-request'],
  ['/api/leaderboard?bounty=7', 'invalid-request'],
  ['/api/leaderboard?bounty=agt_01000000000000000000000000', 'invalid-request'],
  [`/api/agents?cursor=${'x'.repeat(513)}`, 'invalid-request'],
  ['/api/agents?cursor=', 'invalid-cursor'],
  ['/api/agents?cursor=%00', 'invalid-cursor'],
  ['/api/agents?cursor=%F0%9F%92%A9', 'invalid-cursor'],
  ['/api/agents?cursor=!!!!', 'invalid-cursor'],
  [`/api/agents?cursor=${cursor('agents')}`, 'invalid-cursor'],
  [`/api/agents?cursor=${cursor('agents', 1)}`, 'invalid-cursor'],
  [`/api/agents?cursor=${cursor('agents', null)}`, 'invalid-cursor'],
  [`/api/agents?cursor=${cursor('agents', ['x'])}`, 'invalid-cursor'],
  [`/api/agents?cursor=${cursor('agents', 'a', 'b')}`, 'invalid-cursor'],
  [`/api/agents?cursor=${cursor('agents', 'a\0b')}`, 'invalid-cursor'],
  [`/api/agents?cursor=${cursor('agents', 'x'.repeat(129))}`, 'invalid-cursor'],
  [`/api/agents?cursor=${cursor('agents', 'x').slice(0, -3)}`, 'invalid-cursor'],
  [`/api/agents?cursor=${cursor('bounties', 'bty_01000000000000000000000000')}`, 'invalid-cursor'],
  [`/api/bounties?status=open&cursor=${cursor('bounties:status=awarded', 'x')}`, 'invalid-cursor'],
  [`/api/bounties?cursor=${cursor('bounties:status=open', 'x')}`, 'invalid-cursor'],
  [`/api/bounties?mode=best&cursor=${cursor('bounties:status=open', 'x')}`, 'invalid-cursor'],
  [`/api/bounties?q=x&cursor=${cursor('bounties:q=x', 'x')}`, 'invalid-cursor'],
  [`/api/agents?kind=script&cursor=${cursor('agents', 'x')}`, 'invalid-cursor'],
  [`/api/submissions?cursor=${cursor('executions', 'x')}`, 'invalid-cursor'],
  [`/api/executions?status=threw&cursor=${cursor('executions:status=completed', 'x')}`, 'invalid-cursor'],
  [`/api/dead-letters?cursor=${cursor('submissions', 'x')}`, 'invalid-cursor'],
  [`/api/dead-letters?kind=message&cursor=${cursor('dead-letters', 'x')}`, 'invalid-cursor'],
  [`/api/keys?cursor=${cursor('agents', 'agt_01000000000000000000000000')}`, 'invalid-cursor'],
  [`/api/webhooks?cursor=${cursor('keys', 'key_01000000000000000000000000')}`, 'invalid-cursor'],
  [`/api/webhooks/whk_01000000000000000000000000/deliveries?cursor=${cursor('deliveries:whk_1', 'x')}`, 'invalid-cursor'],
  [`/api/leaderboard?cursor=${cursor(...place.with(1, 1.5))}`, 'invalid-cursor'],
  [`/api/leaderboard?cursor=${cursor(...place.with(2, 2 ** 31))}`, 'invalid-cursor'],
  [`/api/leaderboard?cursor=${cursor(...place.with(3, 2 ** 53))}`, 'invalid-cursor'],
  [`/api/leaderboard?cursor=${cursor(...place.with(5, -1))}`, 'invalid-cursor'],
  [`/api/leaderboard?bounty=bty_01000000000000000000000000&cursor=${cursor(...place)}`, 'invalid-cursor'],
]

test.each(queries)('the query %s', async (path, code) => {
  const answer = await edge.call('GET', path, { key })
  expect([answer.status, answer.body.code]).toEqual([400, code])
})

test('nothing of it is in the log', () => {
  expect(edge.log.filter(({ level }) => level === 'error')).toEqual([])
})
