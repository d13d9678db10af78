// The API over fakes, one group a status; the bad requests have a table of their own in bad-requests.test.ts.
import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { ProblemError } from '../../shared/problem.ts'
import { limits } from '../../shared/tiers.ts'
import { eventually } from '../fakes/eventually.ts'
import { fakeFunctions } from '../fakes/fake-sandbox.ts'
import { adminKey, testEdge, type TestEdge } from '../fakes/test-edge.ts'

let edge: TestEdge
let key: string
let accountId: string
beforeEach(async () => {
  edge = testEdge()
  ;({ key, id: accountId } = await edge.account('ada'))
})

async function bounty(cases: unknown[], more: object = {}): Promise<string> {
  const { body } = await edge.call('POST', '/api/bounties', { key, body: { title: 't', rewardCredits: 1, cases, ...more } })
  return body.id
}
const squares = (count: number) => Array.from({ length: count }, (_, i) => ({ input: i, expected: i * i }))

describe('200', () => {
  test('health asks nobody', async () => {
    edge.sandbox.failure = new ProblemError('sandbox-unavailable', { detail: 'down' })
    const { status, body } = await edge.call('GET', '/api/health')
    expect([status, body, edge.cache.calls]).toEqual([200, { status: 'ok' }, 0])
  })

  test('every answer carries a request id and hardening headers', async () => {
    for (const path of ['/api/health', '/api/nothing']) {
      const { headers } = await edge.call('GET', path)
      expect(headers.get('x-request-id')).toMatch(/^[\w-]{8,}$/)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
    }
  })

  test('a key shows its own account', async () => {
    const { body } = await edge.call('GET', '/api/accounts/me', { key })
    expect(body).toMatchObject({ id: accountId, name: 'ada' })
    expect(body.key).toBeUndefined()
  })

  test('an execution answers with the outcome and nothing internal', async () => {
    const agentId = await edge.deploy(key, { name: 'twice', output: (input) => Number(input) * 2 })
    const { status, body } = await edge.call('POST', `/api/agents/${agentId}/executions`, { key, body: { input: 21 } })
    expect(status).toBe(200)
    expect(body).toMatchObject({ agentId, version: 1, status: 'completed', output: 42, tier: 'basic', seed: 0 })
    expect(body.startTime).toBe('2000-01-01T00:00:00Z')
    expect(JSON.stringify(body)).not.toMatch(/bundle|offset|accountId|program/)
  })

  test.each(['command', 'component'])('a %s of the largest size is stored byte for byte', async (kind) => {
    const bytes = Buffer.alloc(limits.programBytesMax, kind)
    edge.sandbox.programs.set(bytes.toString(), () => ({ output: null }))
    const body = { name: `large-${kind}`, kind, source: bytes.toString('base64') }
    const { status, body: agent } = await edge.call('POST', '/api/agents', { key, body })
    expect([status, agent]).toEqual([201, expect.objectContaining({ kind, bytes: bytes.length })])
  })

  test('a warm isolate runs an agent without asking database or cache', async () => {
    const agentId = await edge.deploy(key, { name: 'warm' })
    const body = { input: 1 }
    await edge.call('POST', `/api/agents/${agentId}/executions`, { key, body })
    edge.database.agents.findRunnable = () => Promise.reject(new Error('asked the database'))
    edge.database.keys.findGrant = () => Promise.reject(new Error('asked the database'))
    const calls = edge.cache.calls
    const { status } = await edge.call('POST', `/api/agents/${agentId}/executions`, { key, body })
    expect([status, edge.cache.calls]).toEqual([200, calls])
  })

  test('a version that another isolate deployed runs after five seconds; without the database the known one goes on', async () => {
    const agentId = await edge.deploy(key, { name: 'v', output: () => 'one' })
    edge.sandbox.programs.set('// two', () => ({ output: 'two' }))
    const run = async () => (await edge.call('POST', `/api/agents/${agentId}/executions`, { key, body: { input: 0 } })).body.output
    expect(await run()).toBe('one')
    const sha256 = createHash('sha256').update('// two').digest('hex')
    await edge.database.agents.addVersion({
      agentId,
      sha256,
      bytes: 6,
      engine: 'fake-1',
      scriptMode: 'interpreted',
      askedAt: '2026-11-23T12:00:00.000Z',
      at: '2026-11-23T12:00:00.000Z',
    })
    expect(await run()).toBe('one')
    edge.clock.now += 5_000
    const { findRunnable } = edge.database.agents
    edge.database.agents.findRunnable = () => Promise.reject(new ProblemError('database-unavailable', { detail: 'down' }))
    expect(await run()).toBe('one')
    edge.database.agents.findRunnable = findRunnable
    edge.clock.now += 5_000
    expect(await run()).toBe('two')
  })

  test('whoever ran it finds the execution at once, at the host and after it was handed over', async () => {
    const agentId = await edge.deploy(key, { name: 'found' })
    const { body: outcome } = await edge.call('POST', `/api/agents/${agentId}/executions`, { key, body: { input: 'x' } })
    const early = await edge.call('GET', `/api/executions/${outcome.id}`, { key })
    expect(early.body).toEqual(outcome)
    await edge.database.executions.record([...edge.sandbox.records.values()])
    edge.sandbox.records.clear()
    const late = await edge.call('GET', `/api/executions/${outcome.id}`, { key })
    expect(late.body).toEqual(outcome)
  })

  test('an artifact is read from the host until its bundle is in the store', async () => {
    const agentId = await edge.deploy(key, { name: 'artful' })
    const { body: outcome } = await edge.call('POST', `/api/agents/${agentId}/executions`, { key, body: { input: 'x' } })
    const path = `/api/executions/${outcome.id}/artifacts/dir/h%C3%A9llo.txt`
    const early = await edge.call('GET', path, { key })
    expect([early.status, early.text]).toEqual([200, 'made from "x"'])
    expect(early.headers.get('content-disposition')).toBe(`attachment; filename*=UTF-8''h%C3%A9llo.txt`)
    expect(early.headers.get('content-type')).toBe('application/octet-stream')
    expect(early.headers.get('etag')).toBe(`"${outcome.artifacts[0].sha256}"`)
    edge.artifacts.objects.set('bundles/fake-host/000000000001', edge.sandbox.bundle)
    edge.sandbox.bundle = Buffer.alloc(0)
    expect((await edge.call('GET', path, { key })).text).toBe('made from "x"')
  })

  test('a list goes on behind its cursor, without gaps or repetitions while agents are added', async () => {
    const ids: string[] = []
    for (const name of ['a', 'b', 'c', 'd']) {
      edge.clock.now += 10
      ids.unshift(await edge.deploy(key, { name }))
    }
    const first = await edge.call('GET', '/api/agents?limit=3')
    edge.clock.now += 10
    await edge.deploy(key, { name: 'e' })
    const second = await edge.call('GET', `/api/agents?limit=3&cursor=${first.body.nextCursor}`)
    expect([...first.body.items, ...second.body.items].map(({ id }: { id: string }) => id)).toEqual(ids)
    expect(second.body.nextCursor).toBeNull()
  })

  test('a bounty shows public cases as they were posted, and hidden ones as a number', async () => {
    const id = await bounty([
      { input: { b: 1, a: [1.5] }, expected: 1 },
      { input: 'secret', expected: 'hidden', hidden: true },
    ])
    const { text, body } = await edge.call('GET', `/api/bounties/${id}`)
    expect(body).toMatchObject({ id, caseCount: 2, hiddenCaseCount: 1, status: 'open' })
    expect(text).toContain('"input":{"b":1,"a":[1.5]}')
    expect(text).not.toContain('secret')
  })

  test('the leaderboard ranks the best submission of each agent, page by page', async () => {
    const id = await bounty(squares(3), { mode: 'best' })
    const good = await edge.deploy(key, { name: 'good', output: (input) => Number(input) ** 2 })
    const bad = await edge.deploy(key, { name: 'bad', output: () => 0 })
    for (const agentId of [bad, good, bad]) await edge.call('POST', `/api/bounties/${id}/submissions`, { key, body: { agentId } })
    const first = await edge.call('GET', `/api/leaderboard?bounty=${id}&limit=1`)
    expect(first.body.items).toMatchObject([{ rank: 1, agentId: good, casesPassed: 3, casesTotal: 3, fuelTotal: 300 }])
    const second = await edge.call('GET', `/api/leaderboard?bounty=${id}&limit=1&cursor=${first.body.nextCursor}`)
    expect(second.body).toMatchObject({ items: [{ rank: 2, agentId: bad, casesPassed: 1 }], nextCursor: null })
    const global = await edge.call('GET', '/api/leaderboard')
    expect(global.body.items).toMatchObject([{ rank: 1, accountId, accountName: 'ada', casesPassed: 4, creditsWon: 0 }])
  })

  test('metrics show host, database and isolate, and the rest when the host is down', async () => {
    const { text } = await edge.call('GET', '/api/metrics')
    expect(text).toContain('bounty_host_runs_total 7')
    expect(text).toContain('bounty_database_accounts 1')
    expect(text).toContain('bounty_isolate_responses_total{status="201"} 1')
    edge.clock.now += 6_000
    edge.sandbox.failure = new ProblemError('sandbox-unavailable', { detail: 'down' })
    expect((await edge.call('GET', '/api/metrics')).text).toContain('bounty_up{part="sandbox"} 0')
  })

  test('the OpenAPI document names every public route', async () => {
    const { body } = await edge.call('GET', '/api/openapi.json')
    expect(body.openapi).toBe('3.1.0')
    expect(Object.keys(body.paths)).toContain('/api/executions/{id}/artifacts/{name}')
    expect(body.paths['/api/agents/{id}/executions'].post.requestBody.content['application/json'].schema.required).toEqual(['input'])
    expect(JSON.stringify(body)).not.toContain('/internal/')
  })
})

describe('201', () => {
  test('an account is answered with its key, once', async () => {
    const { status, body, headers } = await edge.call('POST', '/api/accounts', { key: adminKey, body: { name: 'grace' } })
    expect(status).toBe(201)
    expect(body.key).toMatch(/^ab_[\w-]{43}$/)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(JSON.stringify(edge.log)).not.toContain(body.key)
  })

  test('a deploy answers how the script runs and what was compiled; agent, version, outcome and submission say it afterwards', async () => {
    edge.sandbox.programs.set('// modes', (input) => ({ output: input }))
    const body = { name: 'modes', kind: 'script', source: '// modes' }
    const first = await edge.call('POST', '/api/agents', {
      key,
      body: { ...body, scriptMode: 'compiled' },
      headers: { 'idempotency-key': 'm' },
    })
    expect(first.body).toMatchObject({ scriptMode: 'compiled', functions: fakeFunctions })
    const agentId = first.body.id
    edge.sandbox.newMode = 'compiled'
    const versions = `/api/agents/${agentId}/versions`
    const second = await edge.call('POST', versions, { key, body: { source: '// modes', scriptMode: 'interpreted' } })
    expect(second.body).toMatchObject({ version: 2, scriptMode: 'interpreted', functions: null })
    expect((await edge.call('GET', `/api/agents/${agentId}`)).body).toMatchObject({ version: 2, scriptMode: 'interpreted' })
    expect((await edge.call('GET', `/api/agents/${agentId}`)).body).not.toHaveProperty('functions')
    // At the same instant it would be the same request.
    edge.clock.now += 1_000
    const third = await edge.call('POST', versions, { key, body: { source: '// modes' } })
    expect(third.body).toMatchObject({ version: 3, scriptMode: 'compiled', functions: fakeFunctions })
    expect((await edge.call('GET', `${versions}/1`, { key })).body).toMatchObject({
      agentId,
      version: 1,
      kind: 'script',
      scriptMode: 'compiled',
      engine: 'fake-1+compiled',
      functions: fakeFunctions,
    })
    expect((await edge.call('GET', `${versions}/2`, { key })).body).toMatchObject({ scriptMode: 'interpreted', functions: null })
    expect((await edge.call('GET', `${versions}/4`, { key })).body.code).toBe('agent-not-found')
    expect((await edge.call('GET', `${versions}/x`, { key })).body.code).toBe('invalid-request')
    const id = await bounty(squares(1), { mode: 'best' })
    for (const [version, scriptMode, engine] of [
      [1, 'compiled', 'fake-1+compiled'],
      [2, 'interpreted', 'fake-1'],
    ]) {
      const run = await edge.call('POST', `/api/agents/${agentId}/executions`, { key, body: { input: 1, version } })
      expect(run.body).toMatchObject({ scriptMode, engine })
      const submitted = await edge.call('POST', `/api/bounties/${id}/submissions`, { key, body: { agentId, version } })
      expect(submitted.body).toMatchObject({ scriptMode })
      const found = await edge.call('GET', `/api/submissions/${submitted.body.id}`, { key })
      expect(found.body).toMatchObject({ scriptMode, engine })
    }
  })

  test('a module has no mode', async () => {
    const source = Buffer.from('a module').toString('base64')
    edge.sandbox.programs.set('a module', (input) => ({ output: input }))
    const { body } = await edge.call('POST', '/api/agents', { key, body: { name: 'module', kind: 'command', source } })
    expect(body).toMatchObject({ scriptMode: null, functions: null })
  })

  test('a deploy keeps the bytes under their hash and names the agent', async () => {
    const agentId = await edge.deploy(key, { name: 'kept' })
    const { body } = await edge.call('GET', `/api/agents/${agentId}`)
    expect(body).toMatchObject({ id: agentId, accountId, name: 'kept', kind: 'script', version: 1, bytes: '// kept'.length })
    expect([...edge.artifacts.programs.keys()]).toEqual([body.sha256])
    expect(body.source).toBeUndefined()
  })

  test('a new version is what runs next, and the old one can still be named', async () => {
    const agentId = await edge.deploy(key, { name: 'v', output: () => 'one' })
    edge.sandbox.programs.set('// two', () => ({ output: 'two' }))
    const second = await edge.call('POST', `/api/agents/${agentId}/versions`, { key, body: { source: '// two' } })
    expect([second.status, second.body.version]).toEqual([201, 2])
    const path = `/api/agents/${agentId}/executions`
    expect((await edge.call('POST', path, { key, body: { input: 0 } })).body.output).toBe('two')
    expect((await edge.call('POST', path, { key, body: { input: 0, version: 1 } })).body.output).toBe('one')
  })
})

describe('202', () => {
  test('a submission is a row at once, and is judged in chunks behind the answer', async () => {
    const cases = [...squares(129), { input: 3, expected: 9, hidden: true }]
    const id = await bounty(cases)
    const agentId = await edge.deploy(key, { name: 'squares', output: (input) => Number(input) ** 2 })
    const queued = await edge.call('POST', `/api/bounties/${id}/submissions`, { key, body: { agentId } })
    expect(queued.body).toMatchObject({ status: 'queued', casesTotal: 130, casesPassed: 0, verdicts: [], finishedAt: null })
    expect(queued.headers.get('location')).toBe(`/api/submissions/${queued.body.id}`)
    expect(edge.eventLog.messages).toEqual([{ message: { topic: 'judgings', submissionId: queued.body.id, turn: 1 }, delaySeconds: 0 }])
    const read = async () => (await edge.call('GET', `/api/submissions/${queued.body.id}`, { key })).body
    await eventually(async () => (await read()).finishedAt !== null, true)
    const body = await read()
    expect(queued.status).toBe(202)
    expect(body).toMatchObject({ status: 'accepted', casesTotal: 130, casesPassed: 130, fuelTotal: 13_000, engine: 'fake-1' })
    expect(body.verdicts).toHaveLength(129)
    expect(edge.sandbox.judged).toEqual([64, 64, 2])
    expect((await edge.call('GET', `/api/bounties/${id}`)).body).toMatchObject({ status: 'awarded', awardedSubmissionId: body.id })
  })
})

describe('a submission', () => {
  test('that stops at its first failure is rejected, without verdicts for what was not run', async () => {
    const id = await bounty(squares(200))
    const agentId = await edge.deploy(key, { name: 'until-70', output: (input) => (Number(input) < 70 ? Number(input) ** 2 : 0) })
    const { body } = await edge.submit(key, id, { agentId, stopAtFirstFailure: true })
    expect(body).toMatchObject({ status: 'rejected', casesTotal: 200, casesPassed: 70 })
    expect(body.verdicts).toHaveLength(71)
    expect(edge.sandbox.judged).toEqual([64, 64])
    const whole = await edge.submit(key, id, { agentId })
    expect(whole.body).toMatchObject({ status: 'rejected', casesPassed: 70 })
    expect(whole.body.verdicts).toHaveLength(200)
  })

  test('writes its verdicts many at once', async () => {
    const id = await bounty(squares(128))
    const agentId = await edge.deploy(key, { name: 'batched', output: (input) => Number(input) ** 2 })
    const sizes: number[] = []
    const { record } = edge.database.judgings
    edge.database.judgings.record = (of, judgement) => {
      sizes.push(judgement.verdicts.length)
      return record(of, judgement)
    }
    await edge.submit(key, id, { agentId })
    expect(sizes).toEqual([64, 64])
  })
})

describe('206, 304 and 416', () => {
  test('ranges of an artifact', async () => {
    const agentId = await edge.deploy(key, { name: 'ranges' })
    const { body: outcome } = await edge.call('POST', `/api/agents/${agentId}/executions`, { key, body: { input: 1 } })
    const path = `/api/executions/${outcome.id}/artifacts/dir/h%C3%A9llo.txt`
    const read = (headers: Record<string, string>) => edge.call('GET', path, { key, headers })
    const whole = 'made from 1'

    const part = await read({ range: 'bytes=5-8' })
    expect([part.status, part.text, part.headers.get('content-range')]).toEqual([206, 'from', `bytes 5-8/${whole.length}`])
    expect((await read({ range: 'bytes=-1' })).text).toBe('1')
    expect((await read({ range: 'bytes=10-999' })).text).toBe('1')
    expect((await read({ range: 'lines=1-2' })).status).toBe(200)
    expect((await read({ range: 'bytes=0-1', 'if-range': '"other"' })).text).toBe(whole)
    const etag = part.headers.get('etag') ?? ''
    expect((await read({ 'if-none-match': `"x", ${etag}` })).status).toBe(304)
    const beyond = await read({ range: `bytes=${whole.length}-` })
    expect([beyond.status, beyond.body.code]).toEqual([416, 'range-not-satisfiable'])
    expect(beyond.headers.get('content-range')).toBe(`bytes */${whole.length}`)
  })
})

describe('5xx', () => {
  const down = new ProblemError('sandbox-unavailable', {
    detail: 'the host does not answer',
    internal: 'connect 10.0.0.7',
    retryAfterSeconds: 1,
  })

  test('a host that does not answer is a 503 that says when to come back, and nothing of what is inside', async () => {
    const agentId = await edge.deploy(key, { name: 'unlucky' })
    edge.sandbox.failure = down
    const answer = await edge.call('POST', `/api/agents/${agentId}/executions`, { key, body: { input: 1 } })
    expect([answer.status, answer.body.code, answer.body.retryable]).toEqual([503, 'sandbox-unavailable', true])
    expect(answer.headers.get('retry-after')).toBe('1')
    expect(answer.text).not.toContain('10.0.0.7')
    expect(edge.log.at(-1)).toMatchObject({ level: 'error', fields: { internal: 'connect 10.0.0.7', requestId: answer.body.requestId } })
  })

  test('what nobody foresaw is a 500 without its message', async () => {
    edge.database.bounties.list = () => Promise.reject(new Error('select * from secrets'))
    const answer = await edge.call('GET', '/api/bounties')
    expect([answer.status, answer.body.code]).toEqual([500, 'internal'])
    expect(answer.text).not.toContain('secrets')
    expect(JSON.stringify(edge.log.at(-1))).toContain('select * from secrets')
  })

  test('ready names the part that is down, with 503, within two seconds of the outage', async () => {
    expect((await edge.call('GET', '/api/ready')).body.status).toBe('ready')
    edge.cache.isDown = true
    edge.eventLog.failure = new Error('full')
    edge.clock.now += 1_100
    const { status, body } = await edge.call('GET', '/api/ready')
    expect([status, body.status]).toEqual([503, 'unavailable'])
    expect(body.checks).toMatchObject({
      cache: { ok: false, error: 'does not answer' },
      database: { ok: true },
      eventLog: { ok: false },
      sandbox: { ok: true },
    })
  })
})
