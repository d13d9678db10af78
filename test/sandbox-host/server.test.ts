// The host's routes, by status, over real HTTP.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { executionRecordSchema, manifestSchema, outcomeOf, outcomeSchema, placeOf } from '../../shared/execution.ts'
import { answerHeader, hostHeader, statusHeader } from '../../shared/host.ts'
import { signatureHeader } from '../../shared/signing.ts'
import { limits } from '../../shared/tiers.ts'
import { signRequest } from '../../sandbox-host/signature.ts'
import { eventually } from '../fakes/eventually.ts'
import { completed, createFakeEngine } from '../fakes/fake-engine.ts'
import { idOf } from '../fakes/id-of.ts'
import { answerOf, secret, startTestHost } from '../fakes/test-host.ts'
import type { TestHost } from '../fakes/test-host.ts'

let host: TestHost
let beganAt: number
const endless = { begun: 0 }
const engine = createFakeEngine({
  behaviours: {
    throwing: () => ({ status: 'threw', error: { name: 'TypeError', message: 'no\0' }, stderr: Buffer.from('a\0b') }),
    writing: () => ({ artifacts: [{ name: 'a/b.txt', bytes: Buffer.from('hello') }] }),
    chatting: () => ({ output: 'not json' }),
    exact: () => ({ output: '{"b":1.50,"a":12345678901234567890, "__proto__":"\\u0000é"}' }),
    slow: () => new Promise((resolve) => setTimeout(resolve, 50, {})),
    broken: () => Promise.reject(new Error('the engine broke; do not tell')),
    endless: () => {
      endless.begun++
      return new Promise(() => {})
    },
  },
})

beforeAll(async () => {
  beganAt = Date.now()
  host = await startTestHost({ engine, environment: { TIER_BYTES_MAX: String(300 * 1024 * 1024) } })
})
afterAll(() => host[Symbol.asyncDispose]())

describe('200', () => {
  test('health needs no signature', async () => {
    expect((await answerOf(await fetch(`${host.url}/health`))).json()).toEqual({ status: 'ok' })
  })

  test('ready says what the host offers', async () => {
    const answer = await answerOf(await fetch(`${host.url}/ready`))
    expect(answer.json()).toMatchObject({
      host: host.name,
      status: 'ready',
      engine: 'fake 1',
      tiers: ['basic', 'standard'],
      journal: { ok: true },
      r2: { ok: true },
    })
  })

  test('an execution is answered with its record, and found again', async () => {
    const execution = host.execution('export default 1')
    const answer = await host.post('/v1/executions', execution)
    expect(answer.status).toBe(200)
    const record = executionRecordSchema.parse(answer.json())
    expect(record).toMatchObject({ id: execution.id, status: 'completed', output: '{"n":1}', engine: 'fake 1', usage: { fuel: 10 } })
    expect((await host.get(`/v1/executions/${execution.id}`)).bytes).toEqual(answer.bytes)
  })

  test.each([
    ['plain', 'completed', { output: { n: 1 } }],
    ['throwing', 'threw', { error: { name: 'TypeError', message: 'no\uFFFD' } }],
    ['writing', 'completed', { artifacts: [{ name: 'a/b.txt', bytes: 5, sha256: expect.any(String) }] }],
  ])('an execution that is asked for as an outcome is answered so: %s', async (source, status, told) => {
    const execution = host.execution(source)
    const answer = await host.post('/v1/executions', execution, { [answerHeader]: 'outcome' })
    expect(answer.headers.get(statusHeader)).toBe(status)
    const outcome = answer.json()
    expect(outcome).toMatchObject(told)
    const record = executionRecordSchema.parse((await host.get(`/v1/executions/${execution.id}`)).json())
    expect(outcome).toEqual(outcomeOf(record))
    expect(z.strictObject(outcomeSchema.shape).parse(outcome)).toEqual(outcome)
    // The same id again, when the run is over.
    expect((await host.post('/v1/executions', execution, { [answerHeader]: 'outcome' })).bytes).toEqual(answer.bytes)
  })

  test('an outcome has the output as the program wrote it', async () => {
    const answer = await host.post('/v1/executions', host.execution('exact'), { [answerHeader]: 'outcome' })
    expect(answer.bytes.toString()).toContain(',"output":{"b":1.50,"a":12345678901234567890, "__proto__":"\\u0000é"}}')
  })

  test('the same id again is the same execution', async () => {
    const execution = host.execution('slow')
    const runs = engine.runs
    const [first, second] = await Promise.all([host.post('/v1/executions', execution), host.post('/v1/executions', execution)])
    const third = await host.post('/v1/executions', execution)
    expect(second.bytes).toEqual(first.bytes)
    expect(third.bytes).toEqual(first.bytes)
    expect(engine.runs).toBe(runs + 1)
  })

  test('a failing guest is an answer, with text that Postgres takes', async () => {
    const answer = await host.post('/v1/executions', host.execution('throwing'))
    expect(answer.status).toBe(200)
    expect(answer.json()).toMatchObject({
      status: 'threw',
      error: { name: 'TypeError', message: 'no\uFFFD' },
      logs: { stderr: 'a\uFFFDb' },
    })
    expect(answer.json()).not.toHaveProperty('output')
  })

  test('output that is not JSON ends as threw', async () => {
    const answer = await host.post('/v1/executions', host.execution('chatting'))
    expect(answer.json()).toMatchObject({ status: 'threw', error: { message: 'the output is not JSON' } })
  })

  test('an artifact is a range of the bundle, here and in the bucket', async () => {
    const record = executionRecordSchema.parse((await host.post('/v1/executions', host.execution('writing'))).json())
    const [artifact] = record.artifacts
    expect(artifact).toMatchObject({ name: 'a/b.txt', bytes: 5 })
    const { key, offset } = artifact ? placeOf(artifact) : { key: '', offset: 0 }
    expect((await host.get(`/v1/${key}?offset=${offset}&length=5`)).bytes.toString()).toBe('hello')
    await eventually(() => host.bucket.objects.has(key), true)
    expect(
      host.bucket.objects
        .get(key)
        ?.subarray(offset, offset + 5)
        .toString(),
    ).toBe('hello')
  })

  test('a program that was valid once ends as invalid-program', async () => {
    const answer = await host.post('/v1/executions', host.execution('invalid'))
    expect(answer.status).toBe(200)
    expect(answer.json()).toMatchObject({ status: 'invalid-program', error: { message: '1:1: this is invalid' } })
  })

  test('a program is prepared and described', async () => {
    const program = host.program('fresh')
    expect(manifestSchema.parse((await host.post('/v1/programs', { program, accountId: idOf('account') })).json())).toMatchObject({
      program,
      engine: 'fake 1',
      snapshotBytes: 1000,
    })
  })

  test('metrics count executions', async () => {
    const text = (await host.get('/metrics')).bytes.toString()
    expect(text).toMatch(/host_executions_total\{status="completed",[^}]*\} [1-9]/)
    expect(text).toMatch(/host_journal_syncs\S* [1-9]/)
  })
})

describe('an asynchronous execution', () => {
  const path = '/v1/async-executions'

  test('is answered for with its record, and again with the same one', async () => {
    const execution = host.execution('export default 1')
    const [first, second] = [await host.post(path, execution), await host.post(path, execution)]
    expect([first.status, first.json()]).toMatchObject([200, { id: execution.id, status: 'completed' }])
    expect(second.json()).toEqual(first.json())
    expect((await host.post('/v1/executions', execution)).json()).toEqual(first.json())
  })

  test('that fails on our side says so behind the head of its answer, which says that it was begun', async () => {
    const answer = await host.post(path, host.execution('broken'))
    expect([answer.status, answer.json()]).toEqual([
      200,
      { problem: { code: 'internal', detail: expect.not.stringContaining('do not tell') } },
    ])
  })

  test('that cannot begin is an ordinary problem', async () => {
    expect((await host.post(path, host.execution('1', { tier: 'premium' }))).problem().code).toBe('tier-unavailable')
    expect((await host.post(path, { id: 1 })).problem().code).toBe('invalid-request')
  })

  test('is stopped by a cancellation, whose id has the form of an id', async () => {
    const execution = host.execution('endless')
    const answer = host.post(path, execution)
    await eventually(async () => endless.begun, 1)
    expect((await host.post(`/v1/executions/${execution.id}/cancel`, '')).status).toBe(204)
    expect((await answer).json()).toMatchObject({ problem: { code: 'execution-cancelled' } })
    expect((await host.post(path, execution)).problem().code).toBe('execution-cancelled')
    expect((await host.post('/v1/executions/exe_1/cancel', '')).problem().code).toBe('invalid-request')
  })
})

describe('400', () => {
  test('an unknown field is named', async () => {
    const answer = await host.post('/v1/executions', { ...host.execution('x'), extra: 1 })
    expect(answer.status).toBe(400)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(answer.problem()).toMatchObject({ code: 'invalid-request', detail: expect.stringContaining('extra') })
  })

  test('a wrong type is named by its field', async () => {
    expect((await host.post('/v1/executions', { ...host.execution('x'), seed: 'x' })).problem().issues?.[0]?.field).toBe('seed')
  })

  test('a body that is not JSON', async () => {
    expect((await host.post('/v1/executions', '{')).problem().code).toBe('malformed-json')
  })

  test('an id of another form', async () => {
    expect((await host.get('/v1/executions/1')).problem().code).toBe('invalid-request')
  })

  test('a range without numbers', async () => {
    expect((await host.get('/v1/bundles/a/000000000001?offset=-1&length=2')).problem().issues?.[0]?.field).toBe('offset')
  })
})

describe('401', () => {
  const body = Buffer.from('{}')
  const sign = (fields: Partial<Parameters<typeof signRequest>[0]>) =>
    signRequest({ secret, audience: `host ${host.name}`, method: 'POST', path: '/v1/executions', body, now: Date.now(), ...fields })
  const send = async (headers: Record<string, string>) =>
    (await answerOf(await fetch(`${host.url}/v1/executions`, { method: 'POST', headers, body }))).problem().code

  test('no signature', async () => expect(await send({})).toBe('invalid-signature'))
  test('a header of another form', async () => expect(await send({ [signatureHeader]: 't=1' })).toBe('invalid-signature'))
  test('another secret', async () => expect(await send(sign({ secret: 'x'.repeat(40) }))).toBe('invalid-signature'))
  test.each(['worker', 'host other-1'] as const)('the audience %s', async (audience) =>
    expect(await send(sign({ audience }))).toBe('invalid-signature'),
  )
  test('another path', async () => expect(await send(sign({ path: '/v1/programs' }))).toBe('invalid-signature'))
  test('another method', async () => expect(await send(sign({ method: 'PUT' }))).toBe('invalid-signature'))
  test('another body', async () => expect(await send(sign({ body: Buffer.from('{ }') }))).toBe('invalid-signature'))
  test('too old', async () => expect(await send(sign({ now: Date.now() - 61_000 }))).toBe('invalid-signature'))
  test('from the future', async () => expect(await send(sign({ now: Date.now() + 62_000 }))).toBe('invalid-signature'))
  test('sent twice', async () => {
    const headers = sign({})
    expect(await send(headers)).toBe('invalid-request')
    expect(await send(headers)).toBe('replayed-signature')
  })
  test('signed before the host began, which another process may have seen', async () => {
    expect(await send(sign({ now: beganAt - 1 }))).toBe('replayed-signature')
  })
  test('metrics are for the Worker only', async () => expect((await fetch(`${host.url}/metrics`)).status).toBe(401))
})

describe('421', () => {
  test('a request that is meant for another host, read or work', async () => {
    for (const path of ['/v1/executions', '/v1/programs', '/v1/judgements']) {
      const response = await fetch(host.url + path, { method: 'POST', headers: { [hostHeader]: 'other-1' }, body: '{}' })
      expect((await answerOf(response)).problem()).toMatchObject({
        code: 'misdirected',
        status: 421,
        detail: expect.stringContaining(host.name),
      })
    }
    expect((await fetch(`${host.url}/ready`, { headers: { [hostHeader]: 'other-1' } })).status).toBe(421)
    expect((await fetch(`${host.url}/ready`, { headers: { [hostHeader]: host.name } })).status).toBe(200)
  })
})

describe('404', () => {
  test('an unknown route', async () => expect((await host.get('/v2')).problem().code).toBe('not-found'))
  test('an unknown execution', async () =>
    expect((await host.get(`/v1/executions/${idOf('execution')}`)).problem().code).toBe('execution-not-found'))
  test('a range that reaches beyond the bundle', async () => {
    const answer = await host.get(`/v1/bundles/${host.name}/000000000001?offset=0&length=8000000`)
    expect(answer.problem().code).toBe('artifact-not-found')
  })
})

describe('413', () => {
  test('an input above the limit, and not one at it', async () => {
    const fits = 'x'.repeat(limits.inputBytesMax - 2)
    expect((await host.post('/v1/executions', host.execution('x', { input: fits }))).status).toBe(200)
    const answer = await host.post('/v1/executions', host.execution('x', { input: `${fits}x` }))
    expect(answer.problem()).toMatchObject({ code: 'body-too-large', status: 413 })
  })

  test('a body above the limit is refused by its length', async () => {
    expect((await host.post('/v1/programs', ' '.repeat(5000))).status).toBe(413)
  })
})

describe('422', () => {
  test("a program that does not parse, with the compiler's place", async () => {
    const answer = await host.post('/v1/programs', { program: host.program('export default ('), accountId: idOf('account') })
    expect(answer.problem()).toMatchObject({ status: 422, code: 'invalid-program', detail: expect.stringMatching(/^agent\.js:1:17: /) })
  })

  test('a program that the engine refuses', async () => {
    const answer = await host.post('/v1/programs', { program: host.program('invalid'), accountId: idOf('account') })
    expect(answer.problem()).toMatchObject({ status: 422, detail: '1:1: this is invalid' })
  })

  test('a tier that does not fit', async () => {
    const answer = await host.post('/v1/executions', host.execution('x', { tier: 'enterprise' }))
    expect(answer.problem()).toMatchObject({ code: 'tier-unavailable', detail: expect.stringContaining('basic, standard') })
  })
})

describe('5xx', () => {
  test('a failure of ours tells nothing of its cause', async () => {
    const answer = await host.post('/v1/executions', host.execution('broken'))
    expect(answer.status).toBe(500)
    expect(answer.bytes.toString()).not.toContain('do not tell')
  })

  test('a program that is not in the bucket', async () => {
    const answer = await host.post('/v1/executions', host.execution('x', { program: { kind: 'script', sha256: '0'.repeat(64) } }))
    expect(answer.problem()).toMatchObject({ status: 503, code: 'artifacts-unavailable', retryable: true })
  })
})

test('429: an engine that is full all the same refuses at once', async () => {
  const { promise, resolve } = Promise.withResolvers<object>()
  const full = createFakeEngine({ runsMax: 1, behaviours: { held: () => promise } })
  await using busy = await startTestHost({ engine: full })
  const first = busy.post('/v1/executions', busy.execution('held'))
  await eventually(() => full.runs, 1)
  const refused = await busy.post('/v1/executions', busy.execution('x'))
  expect(refused.status).toBe(429)
  expect(refused.headers.get('retry-after')).toBe('1')
  resolve(completed('1'))
  expect((await first).status).toBe(200)
})
