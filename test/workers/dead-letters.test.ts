// Dead letters as their account and the administrator have them, and what a replay is.
import { beforeEach, describe, expect, test } from 'vitest'
import { ProblemError } from '../../shared/problem.ts'
import { sweepDeadLetters } from '../../workers/flows/sweep-dead-letters.ts'
import { deadLettersKeptMs } from '../../shared/dead-letter.ts'
import { sweepExecutions } from '../../workers/flows/sweep-executions.ts'
import { sweepJudgings } from '../../workers/flows/sweep-judgings.ts'
import { takeTurn } from '../../workers/take-messages.ts'
import { idOf } from '../fakes/id-of.ts'
import { adminKey, testEdge, type TestEdge } from '../fakes/test-edge.ts'

let edge: TestEdge
let key: string
let accountId: string
let agentId: string
let bountyId: string
beforeEach(async () => {
  edge = testEdge()
  const account = await edge.account('ada')
  key = account.key
  accountId = account.id
  agentId = await edge.deploy(key, { name: 'echo' })
  const body = { title: 't', rewardCredits: 1, mode: 'best', cases: [{ input: 1, expected: 1 }] }
  bountyId = (await edge.call('POST', '/api/bounties', { key, body })).body.id
})

const list = async (query = '', as = key) => (await edge.call('GET', `/api/dead-letters${query}`, { key: as })).body.items
const replay = (id: string, as = key) => edge.call('POST', `/api/dead-letters/${id}/replay`, { key: as })

/** Whatever is due is taken, until nothing is left: each turn breaks off. */
async function breakOff(code: 'judgement-broken-off' | 'execution-broken-off'): Promise<void> {
  edge.sandbox.failure = new ProblemError(code, { detail: 'the host died', internal: 'at 10.0.0.7' })
  for (let i = 0; i < 8; i++) {
    edge.clock.now += 31_000
    await sweepJudgings(edge.services)
    await sweepExecutions(edge.services)
    for (const { message } of edge.eventLog.messages.splice(0)) await takeTurn(edge.services, message)
  }
  edge.sandbox.failure = undefined
}

async function failedSubmission(): Promise<string> {
  edge.sandbox.failure = new ProblemError('judgement-broken-off', { detail: 'the host died' })
  const { body } = await edge.call('POST', `/api/bounties/${bountyId}/submissions`, { key, body: { agentId } })
  await breakOff('judgement-broken-off')
  return body.id
}

async function failedExecution(): Promise<string> {
  edge.sandbox.failure = new ProblemError('execution-broken-off', { detail: 'the host died' })
  const headers = { prefer: 'respond-async' }
  const { body } = await edge.call('POST', `/api/agents/${agentId}/executions`, { key, body: { input: 5, seed: 3 }, headers })
  await breakOff('execution-broken-off')
  return body.id
}

async function settle(): Promise<void> {
  for (const { message } of edge.eventLog.messages.splice(0)) await takeTurn(edge.services, message)
}

describe('a submission that was given up', () => {
  test('is in the list with five attempts, when and why, and nothing of ours', async () => {
    const submissionId = await failedSubmission()
    const [letter, ...others] = await list()
    expect(others).toEqual([])
    expect(letter).toMatchObject({ kind: 'submission', submissionId, accountId, agentId, version: 1, replayedAs: null })
    expect(letter.reason).toMatch(/begun 5 times/)
    expect(letter.attempts.map(({ end }: { end: string }) => end)).toEqual(
      Array.from({ length: 5 }, () => 'judgement-broken-off: the host died'),
    )
    for (const { beganAt, endedAt } of letter.attempts) expect(Date.parse(endedAt)).toBeGreaterThanOrEqual(Date.parse(beganAt))
    expect(JSON.stringify(letter)).not.toContain('10.0.0.7')
    expect((await edge.call('GET', `/api/dead-letters/${letter.id}`, { key })).body).toEqual(letter)
    expect(await list(`?kind=submission&agent=${agentId}`)).toEqual([letter])
    expect(await list('?kind=execution')).toEqual([])
  })

  test('is submitted again by a replay, once at a time', async () => {
    const submissionId = await failedSubmission()
    const [{ id }] = await list()
    const first = await replay(id)
    expect([first.status, first.body]).toEqual([
      201,
      { id: expect.any(String), kind: 'submission', status: 'queued', replayOf: submissionId },
    ])
    expect(first.headers.get('location')).toBe(`/api/submissions/${first.body.id}`)
    const again = await replay(id)
    expect([again.status, again.body.id]).toEqual([200, first.body.id])
    await settle()
    const { body } = await edge.call('GET', `/api/submissions/${first.body.id}`, { key })
    expect(body).toMatchObject({ status: 'accepted', replayOf: submissionId })
    // It ended well: there is no reason for another.
    expect((await replay(id)).body).toMatchObject({ id: first.body.id, status: 'accepted' })
    expect((await list())[0]).toMatchObject({ replayedAs: first.body.id })
  })

  test('is submitted anew when its replay fails, which has a letter of its own', async () => {
    await failedSubmission()
    const [{ id }] = await list()
    const first = await replay(id)
    await breakOff('judgement-broken-off')
    expect(await list()).toHaveLength(2)
    const second = await replay(id)
    expect(second.status).toBe(201)
    expect(second.body.id).not.toBe(first.body.id)
    expect(second.body.replayOf).toBe(first.body.replayOf)
  })

  test('of many replays at once one makes it', async () => {
    await failedSubmission()
    const [{ id }] = await list()
    const answers = await Promise.all(Array.from({ length: 5 }, () => replay(id)))
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1)
    const { body } = await edge.call('GET', '/api/submissions', { key })
    expect(body.items).toHaveLength(2)
  })

  test('is replayed by the next who asks when a Worker died between its claim and the submission', async () => {
    await failedSubmission()
    const [{ id }] = await list()
    const claimed = idOf('submission')
    await edge.database.deadLetters.replay(id, { from: null, to: claimed })
    expect((await replay(id)).body.id).toBe(claimed)
  })

  test('is not replayed when the bounty is closed, and can be later', async () => {
    await failedSubmission()
    const [{ id }] = await list()
    await edge.call('POST', `/api/bounties/${bountyId}/cancel`, { key })
    const answer = await replay(id)
    expect([answer.status, answer.body.code]).toEqual([409, 'bounty-closed'])
    expect((await list())[0]).toMatchObject({ replayedAs: null })
  })

  test('takes a key that may submit', async () => {
    await failedSubmission()
    const [{ id }] = await list()
    const { body } = await edge.call('POST', '/api/keys', { key, body: { name: 'k', scopes: ['run'] } })
    const answer = await replay(id, body.key)
    expect([answer.status, answer.body.detail]).toEqual([403, expect.stringContaining('the scope "bounties"')])
  })
})

describe('an execution that was given up', () => {
  test('is in the list, and runs again with what it was asked for', async () => {
    const executionId = await failedExecution()
    const [letter] = await list()
    expect(letter).toMatchObject({ kind: 'execution', executionId, accountId, agentId })
    expect(letter.attempts.length).toBeGreaterThanOrEqual(5)
    expect(JSON.stringify(letter)).not.toContain('10.0.0.7')
    const first = await replay(letter.id)
    expect([first.status, first.body]).toMatchObject([201, { kind: 'execution', status: 'queued', replayOf: executionId }])
    expect((await replay(letter.id)).status).toBe(200)
    await settle()
    const { body } = await edge.call('GET', first.headers.get('location') ?? '', { key })
    expect(body).toMatchObject({ status: 'completed', output: 5, seed: 3, replayOf: executionId })
  })

  test('is replayed by the administrator for its account', async () => {
    await failedExecution()
    const [letter] = await list('', adminKey)
    const { body } = await replay(letter.id, adminKey)
    expect((await edge.call('GET', `/api/executions/${body.id}`, { key })).status).toBe(200)
  })
})

test('the administrator sees letters of all, and messages; an account only its own; what is deleted is gone', async () => {
  await failedExecution()
  const stranger = await edge.account('eve')
  const message = { host: 'h', topic: 'judgings', partition: 0, offset: 1, refusal: 'forged', detail: 'd', bytes: 1, text: 'x' } as const
  const messageId = idOf('deadLetter')
  await edge.database.deadLetters.keepRefused({ ...message, sha256: '0'.repeat(64) }, { id: messageId, at: new Date().toISOString() })
  expect(await list('', stranger.key)).toEqual([])
  expect((await list('', adminKey)).map(({ kind }: { kind: string }) => kind).toSorted()).toEqual(['execution', 'message'])
  expect((await edge.call('GET', `/api/dead-letters/${messageId}`, { key })).status).toBe(404)
  const refused = await replay(messageId, adminKey)
  expect([refused.status, refused.body.code]).toEqual([409, 'not-replayable'])
  const [{ id }] = await list()
  expect((await edge.call('DELETE', `/api/dead-letters/${id}`, { key })).status).toBe(204)
  expect((await edge.call('DELETE', `/api/dead-letters/${id}`, { key })).body.code).toBe('dead-letter-not-found')
  expect((await edge.call('DELETE', `/api/dead-letters/${messageId}`, { key: adminKey })).status).toBe(204)
})

test.each(['/api/dead-letters/1', '/api/dead-letters/sub_01000000000000000000000000'])('%s is no dead letter', async (path) => {
  for (const [method, at] of [
    ['GET', path],
    ['DELETE', path],
    ['POST', `${path}/replay`],
  ] as const) {
    const answer = await edge.call(method, at, { key })
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid-request'])
  }
})

test('the sweep announces each letter once it can, and forgets what is a month old', async () => {
  await failedExecution()
  const announced: unknown[] = []
  await sweepDeadLetters(edge.services)
  let failures = 0
  edge.eventLog.announce = async (announcements) => {
    if (failures++ === 0) throw new Error('Kafka is away')
    announced.push(...announcements)
  }
  await expect(sweepDeadLetters(edge.services)).rejects.toThrow('Kafka is away')
  await sweepDeadLetters(edge.services)
  await sweepDeadLetters(edge.services)
  expect(announced).toEqual([{ topic: 'dead-letters', letter: (await list())[0] }])
  edge.clock.now += deadLettersKeptMs + 3_600_000
  await sweepDeadLetters(edge.services)
  expect(await list()).toEqual([])
})
