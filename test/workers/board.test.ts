// The pages at `/`: what they show, to whom, and what strangers' text cannot do in them.
import { beforeAll, describe, expect, test } from 'vitest'
import { ProblemError } from '../../shared/problem.ts'
import { assetPath } from '../../workers/pages/assets.ts'
import { eventually } from '../fakes/eventually.ts'
import { testEdge } from '../fakes/test-edge.ts'

const edge = testEdge()
const hostile = '<script>alert(1)</script> "quoted" & \u202Eevil 🎯'
const wide = 'w'.repeat(110)
let owner: { id: string; key: string }
let bountyId: string
let agentId: string
let submissionId: string
let caseId: string
let session: string

beforeAll(async () => {
  owner = await edge.account(`<b>ada</b> \u202E`)
  agentId = await edge.deploy(owner.key, { name: 'echo', output: (input) => (input === 2 ? 'no' : input) })
  const long = 'x'.repeat(5_000)
  const cases = [
    { name: hostile, input: { html: '</code><script>alert(2)</script>' }, expected: 'y' },
    { input: long, expected: long },
    { input: 2, expected: 2 },
    { name: 'secret-name', input: 'secret-input', expected: 'secret-output', hidden: true },
    ...Array.from({ length: 30 }, (_, i) => ({ name: `more ${i}`, input: i + 10, expected: i + 10 })),
  ]
  const description = `first line\n<img src=x onerror=alert(3)>\n${'long'.repeat(4_900)}`
  const bounty = { title: hostile, description, rewardCredits: 1_234, mode: 'best', cases }
  bountyId = (await edge.call('POST', '/api/bounties', { key: owner.key, body: bounty })).body.id
  submissionId = (await edge.call('POST', `/api/bounties/${bountyId}/submissions`, { key: owner.key, body: { agentId } })).body.id
  await edge.call('POST', '/api/bounties', { key: owner.key, body: { title: wide, rewardCredits: 1, cases: [{ input: 1, expected: 1 }] } })
  caseId = (await edge.database.bounties.find(bountyId))?.cases[1]?.id ?? ''
  const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: 'http://localhost' }
  const signedIn = await edge.call('POST', '/account/sign-in', { raw: `key=${owner.key}`, headers })
  session = (signedIn.headers.get('set-cookie') ?? '').split(';', 1)[0] ?? ''
})

const see = (path: string, headers: Record<string, string> = {}) => edge.call('GET', path, { headers })
const seeOwn = (path: string) => see(path, { cookie: session })
const pages = () => [
  '/',
  '/?status=open',
  '/ranking',
  '/agents',
  '/account',
  `/agents/${agentId}`,
  `/bounties/${bountyId}`,
  `/bounties/${bountyId}?cases=2`,
  `/bounties/${bountyId}/cases/${caseId}`,
]

describe('every page', () => {
  test('is HTML with one main heading, a title and nothing that a policy without inline code would stop', async () => {
    for (const path of [...pages(), `/submissions/${submissionId}`]) {
      const { status, text, headers } = await seeOwn(path)
      expect([path, status, headers.get('content-type')]).toEqual([path, 200, 'text/html; charset=UTF-8'])
      expect([path, text.startsWith('<!doctype html><html lang="en">'), text.match(/<h1/g)?.length]).toEqual([path, true, 1])
      expect(text).not.toMatch(/<script(?! src="\/assets\/)|<style|\sstyle=|\son\w+=(?!alert)|javascript:|https?:\/\/(?!www\.w3|localhost)/)
      const policy = headers.get('content-security-policy') ?? ''
      expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'")
      expect(policy).not.toContain('unsafe')
      expect([headers.get('referrer-policy'), headers.get('x-content-type-options')]).toEqual(['same-origin', 'nosniff'])
    }
  })

  test("escapes strangers' text and ends its direction", async () => {
    for (const path of [...pages(), `/submissions/${submissionId}`]) {
      const { text } = await seeOwn(path)
      expect([path, /<script>|<img src=x|<b>ada/.test(text)]).toEqual([path, false])
      // In the body an override stands in an element that isolates it, or in a block of its own.
      const body = text.slice(text.indexOf('<body>'))
      const isolated = body.replaceAll(/<bdi>[^<]*<\/bdi>|<code>[^<]*<\/code>|<div class="description">[^<]*<\/div>/g, '')
      expect([path, isolated.includes('\u202E')]).toEqual([path, false])
    }
  })

  test('is the same for all who are not signed in, and costs them a 304; a page of somebody is private', async () => {
    for (const path of pages()) {
      const first = await see(path)
      const etag = first.headers.get('etag') ?? ''
      expect([path, first.headers.get('cache-control'), first.headers.get('vary')]).toEqual([path, 'public, no-cache', 'Cookie'])
      const again = await see(path, { 'if-none-match': etag })
      expect([path, again.status, again.text]).toEqual([path, 304, ''])
      expect([path, (await seeOwn(path)).headers.get('cache-control')]).toEqual([path, 'private, no-cache'])
    }
  })

  test('is opened to no other origin, and takes no other method', async () => {
    const answer = await see('/', { origin: 'https://elsewhere.example' })
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
    const posted = await edge.call('POST', '/')
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })

  test('is never told by a hidden case', async () => {
    for (const path of [...pages(), `/submissions/${submissionId}`]) {
      expect([path, (await seeOwn(path)).text.includes('secret-')]).toEqual([path, false])
    }
  })
})

describe('the board', () => {
  test('lists bounties with reward, mode, tier and cases, and the accounts that lead', async () => {
    const { text } = await see('/')
    expect(text).toContain(`href="/bounties/${bountyId}"`)
    expect(text).toMatch(/1,234 <span>credits<\/span>/)
    for (const fact of ['best wins', '34 cases', 'tier basic', 'state-open', wide]) expect(text).toContain(fact)
    expect(text).toContain('&lt;b&gt;ada&lt;/b&gt;')
  })

  test('filters by state, page by page', async () => {
    expect((await see('/?status=cancelled')).text).toContain('There are none in this state.')
    for (let i = 0; i < 21; i++) {
      edge.clock.now += 1
      const body = { title: `many ${i}`, rewardCredits: 0, cases: [{ input: 1, expected: 1 }] }
      await edge.call('POST', '/api/bounties', { key: owner.key, body })
    }
    const { text } = await see('/?status=open')
    const next = /rel="next" href="([^"]+)"/.exec(text)?.[1]?.replaceAll('&amp;', '&') ?? ''
    expect(next).toMatch(/^\/\?status=open&cursor=/)
    const second = await see(next)
    expect(second.text).toContain(`/bounties/${bountyId}`)
    expect(second.text).toContain('First page')
    expect((await see(next.replace('open', 'awarded'))).status).toBe(400)
  })

  test('shares its reads with the API', async () => {
    await edge.call('GET', '/api/bounties?limit=20')
    const asked = () => edge.services.counters.text().match(/cache_reads_total\{level="database"\} (\d+)/)?.[1]
    edge.clock.now += 1_000_000
    await edge.call('GET', '/api/bounties?limit=20')
    await edge.call('GET', '/api/leaderboard?limit=10')
    const before = asked()
    await see('/')
    expect(asked()).toBe(before)
  })
})

describe('a bounty', () => {
  test('has its task as text, its escrow, its leaderboard and how to submit', async () => {
    const { text } = await see(`/bounties/${bountyId}`)
    expect(text).toContain('first line\n&lt;img src=x onerror=alert(3)&gt;\n')
    for (const part of [
      'held in escrow',
      '33 public cases and 1 hidden',
      'bounty -- deploy',
      `bounty -- submit ${bountyId} agent --watch`,
    ]) {
      expect(text).toContain(part)
    }
    expect(text).toMatch(/<bdi>echo<\/bdi>.*31 <span class="quiet">of 34/s)
    expect(text).not.toContain('your verdicts')
    expect((await seeOwn(`/bounties/${bountyId}`)).text).toContain(`<a href="/submissions/${submissionId}">your verdicts</a>`)
  })

  test('shows a page of its cases, cut when they are long, and all of one at its own address', async () => {
    const { text } = await see(`/bounties/${bountyId}`)
    expect(text.match(/<details/g)).toHaveLength(25)
    expect(text).toContain('Show all 5,002 characters')
    expect(text).not.toContain('x'.repeat(1_300))
    expect((await see(`/bounties/${bountyId}?cases=2`)).text.match(/<details/g)).toHaveLength(8)
    expect((await see(`/bounties/${bountyId}/cases/${caseId}`)).text).toContain('x'.repeat(5_000))
  })

  test('says who won', async () => {
    await edge.call('POST', `/api/bounties/${bountyId}/award`, { key: owner.key, body: { submissionId } })
    const { text } = await see(`/bounties/${bountyId}`)
    expect(text).toMatch(/Won by\s*<a href="\/agents\/agt_\w+"><bdi>echo<\/bdi><\/a>/)
    for (const part of ['paid out', 'takes no more submissions', 'state-awarded']) expect(text).toContain(part)
  })
})

describe('a submission', () => {
  test('shows a cell and a row for each public case, and what it sums up to', async () => {
    const { text, headers } = await seeOwn(`/submissions/${submissionId}`)
    expect(text).toContain('aria-label="33 public cases: 31 accepted, 2 wrong-answer"')
    expect(text.match(/<i class="cell cell-\w+" title=/g)).toHaveLength(33)
    for (const part of ['<strong>31</strong> of 34 cases passed', '1 hidden case is', 'state-rejected']) expect(text).toContain(part)
    expect(text).not.toContain('data-follow')
    expect(text).not.toContain('http-equiv')
    expect(headers.get('cache-control')).toBe('private, no-cache')
    expect((await seeOwn(`/submissions/${submissionId}?only=failed`)).text.match(/<tr>/g)).toHaveLength(3)
    expect((await seeOwn(`/submissions/${submissionId}?page=9`)).text).toContain('There are none on this page.')
  })

  test('follows by itself while it is under way, and is loaded again where there is no JavaScript', async () => {
    const found = await edge.database.submissions.find(submissionId)
    if (!found) throw new Error('the submission is gone')
    const running = { ...found, status: 'running' as const, finishedAt: null, verdicts: found.verdicts.slice(0, 5) }
    const submissions = { ...edge.database.submissions, find: async () => running }
    const beside = testEdge({ beside: { ...edge, database: { ...edge.database, submissions } } })
    const { text } = await beside.call('GET', `/submissions/${submissionId}`, { headers: { cookie: session } })
    for (const part of [
      'data-follow',
      '5 public verdicts so far',
      '<noscript><meta http-equiv="refresh" content="3"',
      await assetPath('follow.js'),
    ]) {
      expect(text).toContain(part)
    }
    expect(text.match(/cell-none" title=/g)).toHaveLength(28)
  })
})

test('an account shows its balance, its usage, its submissions, its agents and its ledger', async () => {
  await edge.call('POST', `/api/agents/${agentId}/executions`, { key: owner.key, body: { input: 1 } })
  const { text } = await seeOwn('/account')
  for (const part of [
    '<svg viewBox="0 0 300 80"',
    'Executions by day',
    '>escrow</th>',
    '>mint</th>',
    '+1,000,000',
    '−1,234',
    `href="/submissions/${submissionId}"`,
    `href="/agents/${agentId}"`,
  ]) {
    expect(text).toContain(part)
  }
  expect(text).not.toContain('<script>')
})

test('an account shows its executions in every state', async () => {
  const post = async (tier: string) => {
    const asked = { key: owner.key, body: { input: 1, tier }, headers: { prefer: 'respond-async' } }
    return (await edge.call('POST', `/api/agents/${agentId}/executions`, asked)).body.id
  }
  const [waiting, cancelled, ended] = [await post('premium'), await post('premium'), await post('basic')]
  await edge.call('DELETE', `/api/executions/${cancelled}`, { key: owner.key })
  await eventually(async () => (await edge.call('GET', `/api/executions/${ended}`, { key: owner.key })).body.status, 'completed')
  const { text } = await seeOwn('/account')
  const rows = new Map(
    [...text.matchAll(/<code>(exe_\w+)<\/code>(.*?)<\/tr>/gs)].map(([, id = '', row = '']) => [
      id,
      /class="state state-([\w-]+)"/.exec(row)?.[1],
    ]),
  )
  expect([rows.get(waiting), rows.get(cancelled), rows.get(ended)]).toEqual(['queued', 'cancelled', 'completed'])
})

describe('an error is a page', () => {
  const html = { accept: 'text/html' }

  test.each([
    ['/nothing', 404, 'not-found'],
    ['/bounties/bty_01000000000000000000000000', 404, 'bounty-not-found'],
    ['/bounties/1', 400, 'invalid-request'],
    ['/?cursor=x', 400, 'invalid-cursor'],
    ['/?status=lost', 400, 'invalid-request'],
    ['/?unknown=1', 400, 'invalid-request'],
    ['/agents/agt_01000000000000000000000000', 404, 'agent-not-found'],
    ['/submissions/sub_01000000000000000000000000', 401, 'missing-key'],
    ['/bounties/bty_01000000000000000000000000/cases/cas_01000000000000000000000000', 404, 'bounty-not-found'],
  ])('%s: %i', async (path, status, code) => {
    const answer = await see(path, html)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'text/html; charset=UTF-8'])
    expect(answer.text).toContain(`data-code="${code}"`)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
  })

  test('but for who asks for no page, and under /api, it is a problem', async () => {
    expect((await see('/nothing')).body.code).toBe('not-found')
    expect((await see('/api/nothing', html)).body.code).toBe('not-found')
  })

  test('with what can be done, the id of the request, and nothing of what is inside', async () => {
    const failing = async (error: unknown) => {
      const list = async () => {
        throw error
      }
      const bounties = { ...edge.database.bounties, list }
      const broken = testEdge({ beside: { ...edge, database: { ...edge.database, bounties } } })
      edge.clock.now += 1_000_000
      return { ...(await broken.call('GET', '/', { headers: { 'x-request-id': 'trace-9' } })), log: broken.log }
    }
    const crash = await failing(new Error('password=hunter2'))
    expect([crash.status, crash.text.includes('trace-9'), crash.text.includes('hunter2')]).toEqual([500, true, false])
    expect(crash.log.at(-1)).toMatchObject({ event: 'request failed', fields: { requestId: 'trace-9' } })
    const full = await failing(new ProblemError('overloaded', { detail: 'full', retryAfterSeconds: 7 }))
    expect([full.status, full.headers.get('retry-after')]).toEqual([429, '7'])
    expect(full.text).toContain('Try again in 7 s.')
  })
})

test('files have a hash in their names and are kept for a year', async () => {
  for (const [name, type] of [
    ['board.css', 'text/css; charset=utf-8'],
    ['follow.js', 'text/javascript; charset=utf-8'],
    ['icon.svg', 'image/svg+xml'],
  ] as const) {
    const path = await assetPath(name)
    const { status, headers } = await see(path)
    expect([path, status, headers.get('content-type')]).toEqual([path, 200, type])
    expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect((await see(path, { 'if-none-match': headers.get('etag') ?? '' })).status).toBe(304)
  }
  expect((await see('/assets/board-000000000000.css')).body.code).toBe('not-found')
})
