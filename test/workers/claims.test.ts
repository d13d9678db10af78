// What a host that takes messages from Kafka calls: signed, each in a turn, so that one that is told twice or late changes nothing.
import { createHmac, randomBytes } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { formatSignature, signatureHeader, signedText } from '../../shared/signing.ts'
import { sweepExecutions } from '../../workers/flows/sweep-executions.ts'
import { idOf } from '../fakes/id-of.ts'
import { sandboxSecret, testEdge, type TestEdge } from '../fakes/test-edge.ts'

let edge: TestEdge
let key: string
let executionId: string
beforeEach(async () => {
  edge = testEdge()
  edge.eventLog.isTakenByHosts = true
  key = (await edge.account('ada')).key
  const agentId = await edge.deploy(key, { name: 'echo' })
  const headers = { prefer: 'respond-async' }
  executionId = (await edge.call('POST', `/api/agents/${agentId}/executions`, { key, body: { input: { b: 1 } }, headers })).body.id
})

async function post(name: string, body: unknown) {
  const path = `/internal/${name}`
  const raw = JSON.stringify(body)
  const head = { audience: 'worker', method: 'POST', path, at: edge.clock.now, nonce: randomBytes(16).toString('hex') } as const
  const signature = createHmac('sha256', sandboxSecret).update(signedText(head)).update(raw).digest('hex')
  return edge.call('POST', path, { raw, headers: { [signatureHeader]: formatSignature({ ...head, signature }) } })
}
const turnOf = (turn: number) => ({ host: 'host-1', executionId, turn })
const read = async () => (await edge.call('GET', `/api/executions/${executionId}`, { key })).body
const letters = async () => (await edge.call('GET', '/api/dead-letters', { key })).body.items

describe('an execution that a host takes', () => {
  test('is not begun by the Worker', async () => {
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect([edge.sandbox.runs, (await read()).status]).toEqual([0, 'queued'])
    expect(edge.eventLog.messages.map(({ message }) => message)).toEqual([{ topic: 'executions', executionId, turn: 1 }])
  })

  test('is claimed once, renewed by whoever has it, and by nobody else', async () => {
    const claims = await Promise.all([post('executions/claim', turnOf(1)), post('executions/claim', turnOf(1))])
    const [claimed] = claims.map(({ body }) => body.claimed).filter(Boolean)
    expect(claims.filter(({ body }) => body.claimed === null)).toHaveLength(1)
    expect(claimed).toMatchObject({ turn: 2, counts: { attempts: 1, waits: 0 }, execution: { id: executionId, input: { b: 1 } } })
    expect((await read()).status).toBe('running')
    expect((await post('executions/renew', turnOf(2))).body).toEqual({ isHeld: true, isCancelled: false })
    expect((await post('executions/renew', turnOf(1))).body).toEqual({ isHeld: false, isCancelled: false })
    await edge.call('DELETE', `/api/executions/${executionId}`, { key })
    expect((await post('executions/renew', turnOf(2))).body).toEqual({ isHeld: false, isCancelled: true })
    expect((await post('executions/claim', turnOf(2))).body).toEqual({ claimed: null })
  })

  test('is put back with a back-off of 1, 2, 4, 8 s, and becomes a dead letter with five attempts, when, where and why', async () => {
    const delays: number[] = []
    for (let turn = 1; turn < 10; turn += 2) {
      const { claimed } = (await post('executions/claim', turnOf(turn))).body
      edge.eventLog.messages.length = 0
      const back = { ...turnOf(claimed.turn), counts: claimed.counts, code: 'internal', detail: 'the run failed' }
      expect((await post('executions/put-back', back)).status).toBe(200)
      // Told again, it changes nothing.
      await post('executions/put-back', back)
      delays.push(...edge.eventLog.messages.map(({ delaySeconds }) => delaySeconds))
      edge.clock.now += 1_000
    }
    expect(delays).toEqual([1, 2, 4, 8])
    expect(await read()).toMatchObject({ status: 'failed' })
    const [letter] = await letters()
    expect(letter.attempts.map(({ host }: { host: string }) => host)).toEqual(Array.from({ length: 5 }, () => 'host-1'))
    expect(letter.attempts[0].end).toBe('internal: the run failed')
  })

  test('waits for a host that is full, without an attempt', async () => {
    const { claimed } = (await post('executions/claim', turnOf(1))).body
    await post('executions/put-back', { ...turnOf(2), counts: claimed.counts, code: 'overloaded', detail: 'no place' })
    expect((await post('executions/claim', turnOf(3))).body.claimed.counts).toMatchObject({ attempts: 1, waits: 1 })
  })

  test('whose host died has the next turn, and an attempt in its history', async () => {
    await post('executions/claim', turnOf(1))
    edge.clock.now += 15_001
    await sweepExecutions(edge.services)
    expect((await post('executions/renew', turnOf(2))).body).toEqual({ isHeld: false, isCancelled: false })
    expect((await post('executions/claim', turnOf(3))).body.claimed).toMatchObject({ turn: 4, counts: { attempts: 2 } })
  })
})

describe('what a host tells', () => {
  const message = { topic: 'judgings', partition: 0, offset: 4, refusal: 'stale', bytes: 2, text: '{}' }
  const refused = { host: 'host-1', ...message, detail: 'old', sha256: 'a'.repeat(64) }

  test('a message that nobody can take becomes one dead letter', async () => {
    for (let i = 0; i < 2; i++) expect((await post('dead-letters', refused)).status).toBe(200)
    const { items } = await edge.database.deadLetters.list({ limit: 10 })
    expect(items).toMatchObject([{ kind: 'message', message, reason: 'stale: old; refused by host-1', accountId: null }])
  })

  test('a message of a judging whose turn is over is done with', async () => {
    expect((await post('messages', { host: 'h', message: { topic: 'judgings', submissionId: idOf('submission'), turn: 1 } })).status).toBe(
      200,
    )
  })

  test.each<[string, object, RegExp]>([
    ['messages', { host: 'h', message: { topic: 'weather' } }, /message.topic/],
    ['messages', { host: '', message: { topic: 'judgings', submissionId: idOf('submission'), turn: 1 } }, /host/],
    ['messages', { host: 'h', message: { topic: 'judgings', submissionId: 'sub_1', turn: 1 } }, /submissionId/],
    [
      'messages',
      { host: 'h', message: { topic: 'judgings', submissionId: idOf('submission'), turn: 1 }, at: 1 },
      /at is not a known field/,
    ],
    ['executions/claim', { host: 'h', executionId: idOf('execution') }, /turn is missing/],
    ['executions/claim', { host: 'h', executionId: 'exe_1', turn: 1 }, /executionId/],
    ['executions/renew', { host: 'h'.repeat(64), executionId: idOf('execution'), turn: 1 }, /host/],
    ['executions/put-back', { host: 'h', executionId: idOf('execution'), turn: 1, code: 'internal', detail: '' }, /counts is missing/],
    ['dead-letters', { ...refused, refusal: 'boring' }, /refusal/],
    ['dead-letters', { ...refused, text: 'x'.repeat(4_097) }, /text/],
    ['dead-letters', { ...refused, offset: -1 }, /offset/],
    ['dead-letters', { ...refused, sha256: 'a' }, /sha256/],
  ])('%s refuses %j', async (name, body, told) => {
    const answer = await post(name, body)
    expect([answer.status, answer.body.detail]).toEqual([400, expect.stringMatching(told)])
  })
})
