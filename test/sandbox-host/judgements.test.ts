// POST /v1/judgements over real HTTP: verdicts as they come, in the order of the cases' beginnings, and what ends a judging early.
import { request as httpRequest } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { judgementLineSchema } from '../../shared/execution.ts'
import type { JudgementLine } from '../../shared/execution.ts'
import { checkOpenings, verifyJudgement } from '../../shared/judgement-receipt.ts'
import { sha256Hex } from '../../sandbox-host/sign-receipt.ts'
import { receiptCrypto } from '../../cli/receipt-crypto.ts'
import { signRequest } from '../../sandbox-host/signature.ts'
import { eventually } from '../fakes/eventually.ts'
import { createFakeEngine } from '../fakes/fake-engine.ts'
import { idOf } from '../fakes/id-of.ts'
import { secret, startTestHost } from '../fakes/test-host.ts'
import type { TestHost } from '../fakes/test-host.ts'

let host: TestHost
let attempts: string[]
/** Ends the run of a case by its input. */
let finish: Map<string, (outcome: object) => void>
const engine = createFakeEngine({
  behaviours: {
    late: ({ input }) => (attempts.push(input) && attempts.filter((seen) => seen === input).length === 1 ? { status: 'deadline' } : {}),
    unrepeatable: ({ input }) => (input === '0' ? { status: 'deadline', output: undefined } : { fuel: null }),
    held({ input }) {
      attempts.push(input)
      return new Promise((resolve) => finish.set(input, resolve))
    },
    broken: () => Promise.reject(new Error('the engine broke; do not tell')),
  },
})

beforeAll(async () => {
  host = await startTestHost({ engine, environment: { THREADS: '2', SLOTS: '8', ACCOUNT_RUNNING_MAX: '2', JUDGEMENTS_MAX: '3' } })
})
beforeEach(() => {
  attempts = []
  finish = new Map()
})
afterAll(() => host[Symbol.asyncDispose]())

const salt = '0123456789abcdef0123456789abcdef'
const casesOf = (count: number) => Array.from({ length: count }, (_, n) => ({ id: idOf('case'), input: n, expected: n, salt }))
const ids = (cases: { id: string }[]) => cases.map(({ id }) => id)
function requestOf(source: string, fields: object) {
  return { submissionId: idOf('submission'), program: host.program(source), accountId: idOf('account'), tier: 'basic', ...fields }
}

/** Cases that were not run, once that is said. */
const endOf = (last: () => JudgementLine | undefined) => {
  const line = last()
  return line?.type === 'end' ? line.notRun : undefined
}

/** Lines as they come; `leave` closes the connection. */
function judging(body: object) {
  const text = JSON.stringify(body)
  const path = '/v1/judgements'
  const signed = signRequest({ secret, audience: `host ${host.name}`, method: 'POST', path, body: Buffer.from(text), now: Date.now() })
  const lines: JudgementLine[] = []
  const headers = { ...signed, 'content-length': Buffer.byteLength(text) }
  const request = httpRequest(host.url + path, { method: 'POST', headers }, (response) => {
    let rest = ''
    response.setEncoding('utf8')
    response.on('error', () => {})
    response.on('data', (chunk: string) => {
      const whole = (rest + chunk).split('\n')
      rest = whole.pop() ?? ''
      lines.push(...whole.map((line) => judgementLineSchema.parse(JSON.parse(line))))
    })
  })
  request.on('error', () => {})
  request.end(text)
  const judged = () => lines.flatMap((line) => (line.type === 'verdict' ? [line.caseId] : []))
  return { lines, judged, leave: () => request.destroy(), last: () => lines.at(-1) }
}

describe('200', () => {
  test('the engine comes first, then a line for each verdict, then the end; key order does not matter', async () => {
    const cases = [1, 2, 3].map((n) => ({ id: idOf('case'), salt, input: { a: n, b: 0 }, expected: n === 2 ? 'other' : { b: 0, a: n } }))
    const answer = await host.post('/v1/judgements', requestOf('plain', { cases }))
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/x-ndjson'])
    const lines = answer.bytes.toString().trimEnd().split('\n')
    const parsed = lines.map((line) => judgementLineSchema.parse(JSON.parse(line)))
    const usage = { fuel: 10, wallMicros: 20, memoryBytesPeak: 65_536 }
    const statuses = ['accepted', 'wrong-answer', 'accepted']
    const verdicts = cases.map(({ id: caseId, input }, i) => {
      return { type: 'verdict', caseId, status: statuses[i], usage, outputSha256: sha256Hex(JSON.stringify(input)) }
    })
    expect(parsed).toEqual([{ type: 'engine', engine: 'fake 1' }, ...verdicts, { type: 'end', notRun: [], receipt: expect.anything() }])
  })

  test('the end carries a signed receipt that commits to every verdict and to nothing that can be read', async () => {
    const cases = casesOf(3).map((judged) => ({ ...judged, expected: judged.input === 1 ? 'a hidden expectation' : judged.input }))
    const request = requestOf('plain', { cases })
    const answer = await host.post('/v1/judgements', request)
    const last = judgementLineSchema.parse(JSON.parse(answer.bytes.toString().trimEnd().split('\n').at(-1) ?? ''))
    const receipt = last.type === 'end' ? last.receipt : null
    await eventually(() => host.worker.beats.length > 0, true)
    const publicKey = host.worker.beats[0]?.receiptKey.publicKey ?? ''
    const verification = await verifyJudgement(receipt, { ...receiptCrypto, publicKey })
    if (!verification.ok) throw new Error(verification.message)
    const { statement } = verification
    expect(statement).toMatchObject({ submissionId: request.submissionId, program: request.program, casesPassed: 2, engine: 'fake 1' })
    expect(statement.entries.map(({ caseId }) => caseId)).toEqual(ids(cases))
    const openings = cases.map(({ id, input, expected }, i) => {
      const [inputSha256, expectedSha256] = [input, expected].map((value) => sha256Hex(JSON.stringify(value)))
      const hashes = { inputSha256: inputSha256 ?? '', expectedSha256: expectedSha256 ?? '', outputSha256: inputSha256 ?? null }
      return { caseId: id, salt, ...hashes, status: i === 1 ? 'wrong-answer' : 'accepted', fuel: 10 }
    })
    expect(await checkOpenings(statement, openings, sha256Hex)).toEqual([])
    expect(JSON.stringify(receipt)).not.toMatch(/hidden|salt|fuel|0123456789abcdef/)
  })

  test('verdicts that do not repeat are in no receipt', async () => {
    const answer = await host.post('/v1/judgements', requestOf('unrepeatable', { cases: casesOf(2) }))
    expect(answer.bytes.toString()).toContain('{"type":"end","notRun":[],"receipt":null}')
  })

  test('a deadline gets one more chance', async () => {
    const { lines, last } = judging(requestOf('late', { cases: casesOf(3) }))
    await eventually(() => endOf(last), [])
    expect(lines.slice(1, -1)).toMatchObject(Array.from({ length: 3 }, () => ({ status: 'accepted' })))
    expect(attempts).toHaveLength(6)
  })

  test('a verdict arrives while later cases still run, and no more run at once than the account may', async () => {
    const cases = casesOf(4)
    const { judged, last } = judging(requestOf('held', { cases }))
    await eventually(() => attempts, ['0', '1'])
    finish.get('1')?.({})
    await eventually(judged, [cases[1]?.id])
    await eventually(() => attempts, ['0', '1', '2'])
    for (const input of ['2', '0']) finish.get(input)?.({})
    await eventually(() => attempts.length, 4)
    finish.get('3')?.({})
    await eventually(() => endOf(last), [])
  })

  test('after a first failure nothing later is begun, what has begun finishes, and the rest is named', async () => {
    const cases = casesOf(6)
    const { lines, judged, last } = judging(requestOf('held', { cases, stopAtFirstFailure: true }))
    await eventually(() => attempts, ['0', '1'])
    finish.get('0')?.({ output: '"wrong"' })
    await eventually(judged, [cases[0]?.id])
    finish.get('1')?.({})
    await eventually(() => endOf(last), ids(cases.slice(2)))
    expect(lines.slice(1, 3)).toMatchObject([{ status: 'wrong-answer' }, { status: 'accepted' }])
    expect(attempts).toEqual(['0', '1'])
  })

  test('a case before the first failure is judged, even when the failure is known earlier', async () => {
    const cases = casesOf(3)
    const { judged, last } = judging(requestOf('held', { cases, stopAtFirstFailure: true }))
    await eventually(() => attempts, ['0', '1'])
    finish.get('1')?.({ status: 'threw', output: undefined })
    await eventually(judged, [cases[1]?.id])
    finish.get('0')?.({})
    await eventually(() => endOf(last), ids(cases.slice(2)))
    expect(judged()).toEqual([cases[1]?.id, cases[0]?.id])
  })

  test('without the option a failure stops nothing', async () => {
    const cases = casesOf(5).map((judged) => ({ ...judged, expected: 'other' }))
    const { lines, last } = judging(requestOf('plain', { cases }))
    await eventually(() => endOf(last), [])
    expect(lines).toHaveLength(7)
  })

  test('an engine that breaks ends the stream with a problem that tells nothing of its cause', async () => {
    const { last } = judging(requestOf('broken', { cases: casesOf(3) }))
    await eventually(last, { type: 'problem', code: 'internal', detail: 'the sandbox host failed; its log says why' })
  })

  test('when the caller has gone no further case is begun, and its place is free again', async () => {
    const accountId = idOf('account')
    const { judged, leave } = judging(requestOf('held', { cases: casesOf(5), accountId }))
    await eventually(() => attempts, ['0', '1'])
    finish.get('0')?.({})
    await eventually(() => judged().length, 1)
    await eventually(() => attempts, ['0', '1', '2'])
    leave()
    // The host hears of it by then.
    await new Promise((resolve) => setTimeout(resolve, 100))
    for (const input of ['1', '2']) finish.get(input)?.({})
    await eventually(async () => /host_admission_running\S* (\d+)/.exec((await host.get('/metrics')).bytes.toString())?.[1], '0')
    expect(attempts).toEqual(['0', '1', '2'])
    await eventually(async () => /host_requests_under_way\S* (\d+)/.exec((await host.get('/metrics')).bytes.toString())?.[1], '0')
  })
})

describe('before the first line a problem is an ordinary answer', () => {
  test('422: a program that cannot be loaded', async () => {
    const answer = await host.post('/v1/judgements', requestOf('invalid', { cases: casesOf(1) }))
    expect(answer.problem()).toMatchObject({ status: 422, code: 'invalid-program' })
  })

  test('400: no cases', async () => {
    expect((await host.post('/v1/judgements', requestOf('plain', { cases: [] }))).problem().code).toBe('invalid-request')
  })

  test('429: an account that leaves no place to others, and another one that finds a place', async () => {
    const [greedy, other] = [idOf('account'), idOf('account')]
    const held = judging(requestOf('held', { cases: casesOf(1), accountId: greedy }))
    await eventually(() => attempts, ['0'])
    const again = await host.post('/v1/judgements', requestOf('plain', { cases: casesOf(1), accountId: greedy }))
    expect(again.problem()).toMatchObject({ code: 'overloaded', detail: expect.stringContaining('the account has 1 judgements') })
    expect(again.headers.get('retry-after')).toBe('2')
    expect((await host.post('/v1/judgements', requestOf('plain', { cases: casesOf(1), accountId: other }))).status).toBe(200)
    finish.get('0')?.({})
    await eventually(() => endOf(held.last), [])
  })
})
