// The adapter against a server in this process: what it signs, which problems pass, and what becomes of everything else.
import { createHmac } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import { judgementRequestSchema } from '../../shared/execution.ts'
import { parseSignature, signatureHeader, signedText } from '../../shared/signing.ts'
import { sandboxHttp } from '../../workers/adapters/sandbox-http.ts'
import { createSigner } from '../../workers/signature.ts'
import { idOf } from '../fakes/id-of.ts'

const secret = 'a secret of more than thirty-two characters'
const program = { kind: 'script', sha256: '0'.repeat(64) } as const
const manifest = { program, engine: 'e', prepareMicros: 1, snapshotBytes: 0 }
const owner = { accountId: 'acc', isNew: true }
let requests: Request[]
let answers: (() => Response)[]
let loads: number[]
beforeEach(() => {
  loads = []
  requests = []
  answers = []
})

const sandbox = sandboxHttp({
  url: 'http://host.invalid/',
  host: { id: 'host-1', instance: 'machine-1' },
  onLoad: (load) => loads.push(load),
  sign: createSigner({ secret }),
  fetch: async (input, init) => {
    requests.push(new Request(input, init))
    const next = answers.shift()
    if (!next) throw new Error('no answer left')
    return next()
  },
})
const problem =
  (status: number, code: string, headers = {}) =>
  () =>
    Response.json({ code, detail: 'said the host' }, { status, headers })
const lost = () => {
  throw new TypeError('Network connection lost.')
}

test('requests are signed for the host, over path, query and body', async () => {
  answers = [() => Response.json(manifest), () => new Response('bytes')]
  expect(await sandbox.prepare(program, owner)).toEqual(manifest)
  await sandbox.readObject('bundles/h/000000000001', { offset: 3, length: 5 })
  const paths = ['/v1/programs', '/v1/bundles/h/000000000001?offset=3&length=5']
  for (const [i, path] of paths.entries()) {
    const request = requests[i]
    if (!request) throw new Error('no request')
    expect(request.url).toBe(`http://host.invalid${path}`)
    expect(request.headers.get('bounty-host')).toBe('host-1')
    expect(request.headers.get('fly-prefer-instance-id')).toBe('machine-1')
    const parts = parseSignature(request.headers.get(signatureHeader))
    if (!parts) throw new Error('no signature')
    const text = signedText({ audience: 'host host-1', method: request.method, path, ...parts })
    expect(parts.signature).toBe(
      createHmac('sha256', secret)
        .update(text)
        .update(await request.text())
        .digest('hex'),
    )
  }
})

const usage = { fuel: 1, wallMicros: 1, memoryBytesPeak: 1 }
const end = { type: 'end', notRun: [], receipt: null }
const salt = 'ab'.repeat(16)
const verdict = () => ({ type: 'verdict', caseId: idOf('case'), status: 'accepted', usage, outputSha256: null })
const submissionId = idOf('submission')
const judged = {
  submissionId,
  program,
  checker: undefined,
  accountId: 'acc',
  tier: 'basic',
  stopAtFirstFailure: false,
  beginMsMax: 20_000,
} as const
/** One piece for each argument; the connection is lost when the last one is an error. */
const pieces = (...texts: (string | Error)[]) => {
  return () =>
    new Response(
      new ReadableStream({
        pull(controller) {
          const next = texts.shift()
          if (next === undefined) controller.close()
          else if (typeof next === 'string') controller.enqueue(new TextEncoder().encode(next))
          else controller.error(next)
        },
      }),
    )
}
const lines = (values: object[]) => pieces(values.map((value) => `${JSON.stringify(value)}\n`).join(''))

test('cases of a judgement are sent byte for byte', async () => {
  const caseId = idOf('case')
  answers = [lines([{ type: 'engine', engine: 'e' }, { ...verdict(), caseId }, end])]
  await sandbox.judge(
    { ...judged, cases: [{ id: caseId, salt, input: '{"b":1.50,"a":2}', expected: '1e2', hidden: false }] },
    async () => {},
  )
  const text = await requests[0]?.text()
  expect(text).toContain('"input":{"b":1.50,"a":2},"expected":1e2}]}')
  const { checker: _none, ...rest } = judged
  // As before there were checkers, so that a host from before takes it.
  expect(JSON.parse(text ?? '')).toEqual({ ...rest, cases: [{ id: caseId, salt, input: { b: 1.5, a: 2 }, expected: 100 }] })
})

test('a checker is named, and which cases are hidden; what it says comes back', async () => {
  const checker = { kind: 'command', sha256: '1'.repeat(64) } as const
  const [open, hidden] = [false, true].map((isHidden) => ({ id: idOf('case'), salt, input: '1', expected: 'null', hidden: isHidden }))
  if (!open || !hidden) throw new Error('no cases')
  const told = { ...verdict(), caseId: open.id, status: 'checker-failed', message: 'the checker ended with threw' }
  answers = [lines([{ type: 'engine', engine: 'e' }, told, end])]
  const kept: unknown[] = []
  await sandbox.judge({ ...judged, checker, cases: [open, hidden] }, async ({ verdicts }) => void kept.push(...verdicts))
  const sent = judgementRequestSchema
    .omit({ accountId: true })
    .loose()
    .parse(await requests[0]?.json())
  expect(sent).toMatchObject({
    checker,
    cases: [
      { id: open.id, hidden: false },
      { id: hidden.id, hidden: true },
    ],
  })
  const { type: _type, ...expected } = told
  expect(kept).toEqual([expected])
})

test('verdicts are handed on as they come, each piece at once, and the end is the answer', async () => {
  const [first, second] = [verdict(), verdict()]
  const text = [{ type: 'engine', engine: 'e' }, first, second, { ...end, notRun: [first.caseId] }].map((line) => JSON.stringify(line))
  answers = [pieces(`${text[0]}\n${text[1]}\n`, `${text[2]}\n${text[3]?.slice(0, 9)}`, `${text[3]?.slice(9)}\n`)]
  const kept: unknown[] = []
  const ended = await sandbox.judge({ ...judged, cases: [] }, async (judgement) => void kept.push(judgement))
  expect(ended).toEqual({ notRun: [first.caseId], receipt: null })
  expect(kept).toEqual(
    [first, second].map(({ caseId, status }) => ({ engine: 'e', verdicts: [{ caseId, status, usage, outputSha256: null }] })),
  )
})

const head = `${JSON.stringify({ type: 'engine', engine: 'e' })}\n`
const line = (value: object) => `${JSON.stringify(value)}\n`
test.each([
  ['ends without its last line', (told: string) => pieces(head, told)],
  ['ends within a line', (told: string) => pieces(head, told, JSON.stringify(end))],
  ['loses its connection', (told: string) => pieces(head, told, new TypeError('Network connection lost.'))],
  ['has a line that is not JSON', (told: string) => pieces(head, told, '{"type"\n')],
  ['has a line of another schema', (told: string) => pieces(head, told, line({ type: 'surprise' }))],
  ['has a line without end', (told: string) => pieces(head, told, ...Array.from({ length: 20 }, () => 'x'.repeat(100_000)))],
  [
    'ends with a problem of ours',
    (told: string) => pieces(head, told, line({ type: 'problem', code: 'internal', detail: 'said the host' })),
  ],
])('a judgement that %s has broken off; what came before is kept', async (_, answer) => {
  const told = verdict()
  answers = [answer(line(told))]
  const kept: string[] = []
  const judging = sandbox.judge({ ...judged, cases: [] }, async ({ verdicts }) => void kept.push(...verdicts.map(({ caseId }) => caseId)))
  await expect(judging).rejects.toMatchObject({ code: 'judgement-broken-off', detail: expect.not.stringContaining('said the host') })
  expect(kept).toEqual([told.caseId])
})

test.each([
  [500, 'judgement-broken-off'],
  [400, 'judgement-broken-off'],
  [401, 'sandbox-unavailable'],
  [503, 'sandbox-unavailable'],
])('a judgement that is answered %i is %s', async (status, code) => {
  const answer = problem(status, status === 401 ? 'invalid-signature' : 'internal')
  answers = [answer, answer]
  await expect(sandbox.judge({ ...judged, cases: [] }, async () => {})).rejects.toMatchObject({ code })
})

test('a judgement that the host breaks off with a problem for the caller passes it', async () => {
  answers = [pieces(head, line({ type: 'problem', code: 'overloaded', detail: 'full', retryAfterSeconds: 3 }))]
  const judging = sandbox.judge({ ...judged, cases: [] }, async () => {})
  await expect(judging).rejects.toMatchObject({ code: 'overloaded', detail: 'full', retryAfterSeconds: 3 })
})

test('when verdicts cannot be kept the stream is left, which tells the host to stop', async () => {
  let isCancelled = false
  answers = [
    () =>
      new Response(
        new ReadableStream({
          start: (controller) => controller.enqueue(new TextEncoder().encode(head + line(verdict()))),
          cancel() {
            isCancelled = true
          },
        }),
      ),
  ]
  const judging = sandbox.judge({ ...judged, cases: [] }, () => Promise.reject(new Error('the database is down')))
  await expect(judging).rejects.toThrow('the database is down')
  expect(isCancelled).toBe(true)
})

test('problems that the caller can act upon pass, with when to come back', async () => {
  answers = [problem(422, 'invalid-program'), problem(429, 'overloaded', { 'retry-after': '7' })]
  await expect(sandbox.prepare(program, owner)).rejects.toMatchObject({ code: 'invalid-program', detail: 'said the host' })
  await expect(sandbox.prepare(program, owner)).rejects.toMatchObject({ code: 'overloaded', retryAfterSeconds: 7 })
})

test.each([
  ['a problem about our own request', problem(400, 'invalid-request')],
  ['an error page', () => new Response('<html>', { status: 502 })],
  ['an answer of another schema', () => Response.json({ hello: 1 })],
  ['an answer that breaks off', () => new Response('{"a')],
])('%s is sandbox-unavailable, and what was said stays inside', async (_, answer) => {
  answers = [answer]
  const error = await sandbox.prepare(program, owner).catch((caught: unknown) => caught)
  expect(error).toMatchObject({ code: 'sandbox-unavailable', detail: expect.not.stringMatching(/said the host|html/) })
})

test('a lost connection is tried once more with a fresh signature, not twice', async () => {
  answers = [lost, () => Response.json(manifest), lost, lost, () => Response.json(manifest)]
  expect(await sandbox.prepare(program, owner)).toEqual(manifest)
  const [first, second] = requests.map((request) => request.headers.get(signatureHeader))
  expect(first).not.toBe(second)
  await expect(sandbox.prepare(program, owner)).rejects.toMatchObject({ code: 'sandbox-unavailable' })
  expect(requests).toHaveLength(4)
})

test('a signature that the host will not take is made once more', async () => {
  answers = [
    problem(401, 'replayed-signature'),
    () => Response.json(manifest),
    problem(401, 'invalid-signature'),
    problem(401, 'invalid-signature'),
  ]
  expect(await sandbox.prepare(program, owner)).toEqual(manifest)
  const [first, second] = requests.map((request) => request.headers.get(signatureHeader))
  expect(first).not.toBe(second)
  await expect(sandbox.prepare(program, owner)).rejects.toMatchObject({ code: 'sandbox-unavailable' })
  expect(requests).toHaveLength(4)
})

test('each answer tells the load of the host', async () => {
  answers = [() => Response.json(manifest, { headers: { 'bounty-load': '7' } }), problem(429, 'overloaded', { 'bounty-load': '64' })]
  await sandbox.prepare(program, owner)
  await expect(sandbox.prepare(program, owner)).rejects.toMatchObject({ code: 'overloaded' })
  expect(loads).toEqual([7, 64])
})

test('another host than was meant says so', async () => {
  answers = [problem(421, 'misdirected')]
  await expect(sandbox.prepare(program, owner)).rejects.toMatchObject({ code: 'misdirected' })
})

test('what is not there is undefined', async () => {
  answers = [problem(404, 'execution-not-found'), problem(404, 'artifact-not-found')]
  expect(await sandbox.findExecution(idOf('execution'))).toBeUndefined()
  expect(await sandbox.readObject('bundles/h/000000000001', { offset: 0, length: 1 })).toBeUndefined()
})

const execution = { id: idOf('execution'), agentId: idOf('agent'), accountId: idOf('account'), version: 1, tier: 'basic', seed: 0 } as const
const asked = { ...execution, startTime: '2000-01-01T00:00:00Z', program, input: 1 }
const { input: _input, ...ran } = asked
const record = {
  ...ran,
  status: 'completed',
  output: '1',
  logs: { stdout: '', stderr: '', truncated: false },
  artifacts: [],
  usage: { ...usage, costMicroUsd: 0.003 },
  engine: 'e',
  finishedAt: '2026-11-23T12:00:00.000Z',
  receipt: null,
}

test('an asynchronous run is its record, whatever stands before it', async () => {
  answers = [lost, () => new Response(` ${JSON.stringify(record)}`)]
  expect(await sandbox.runAsync(asked)).toEqual(record)
  expect(requests.map(({ url }) => url)).toEqual(Array.from({ length: 2 }, () => 'http://host.invalid/v1/async-executions'))
})

test.each([
  ['was not begun: the host is away', [lost, lost], 'sandbox-unavailable'],
  ['was not begun: the host is full', [problem(429, 'overloaded')], 'overloaded'],
  ['was not begun: the host drains', [problem(503, 'draining')], 'draining'],
  ['was not begun: something before the host is away', [() => new Response('', { status: 503 })], 'sandbox-unavailable'],
  ['was not begun: the clocks differ', [problem(401, 'invalid-signature'), problem(401, 'invalid-signature')], 'sandbox-unavailable'],
  ['cannot be run here', [problem(422, 'tier-unavailable')], 'tier-unavailable'],
  ['makes the host fail', [problem(500, 'internal')], 'execution-broken-off'],
  ['was begun, and its answer breaks off', [() => new Response(' {"id"')], 'execution-broken-off'],
  ['was begun, and its answer is none', [() => Response.json({ id: 1 })], 'execution-broken-off'],
  ['was begun, and the host failed', [() => Response.json({ problem: { code: 'internal', detail: 'x' } })], 'execution-broken-off'],
  ['was begun, and could not be kept', [() => Response.json({ problem: { code: 'overloaded', detail: 'x' } })], 'overloaded'],
  ['was cancelled', [() => Response.json({ problem: { code: 'execution-cancelled', detail: 'x' } })], 'execution-cancelled'],
] as const)('an asynchronous run that %s', async (_, given, code) => {
  answers = [...given]
  await expect(sandbox.runAsync(asked)).rejects.toMatchObject({ code })
})

test('a cancellation names the execution', async () => {
  answers = [() => new Response(null, { status: 204 })]
  await sandbox.cancel(execution.id)
  expect([requests[0]?.method, requests[0]?.url]).toEqual(['POST', `http://host.invalid/v1/executions/${execution.id}/cancel`])
})

const outcomeText = `{"id":"${execution.id}","output":{"b":1.50,"a":1e2}}`
const outcome = (text = outcomeText, status = 'completed') => {
  return () => new Response(text, { headers: { 'bounty-status': status } })
}

test('a run is asked for as the API answers it, and is passed on byte for byte', async () => {
  answers = [lost, outcome()]
  expect(await sandbox.run(asked)).toEqual({ status: 'completed', outcome: outcomeText })
  expect(requests.map(({ headers }) => headers.get('bounty-answer'))).toEqual(['outcome', 'outcome'])
})

test('a run by a host from before is answered with its record', async () => {
  answers = [() => Response.json({ ...record, receipt: undefined })]
  const { program: _program, accountId: _account, ...told } = { ...record, scriptMode: 'interpreted', output: 1 }
  const { status, outcome: text } = await sandbox.run(asked)
  expect([status, JSON.parse(text)]).toEqual(['completed', told])
})

test.each([
  ['is cut short', outcome(outcomeText.slice(0, -5))],
  ['loses its connection', pieces(outcomeText.slice(0, 20), new TypeError('Network connection lost.'))],
  ['is empty', outcome('')],
  ['is of another run', outcome(outcomeText.replace(execution.id, idOf('execution')))],
  ['is no outcome', outcome('<html>')],
  ['does not say how it ended', () => new Response(outcomeText)],
  ['says that it ended as nothing ends', outcome(outcomeText, 'fine')],
  ['is a page of a proxy', () => new Response('no such thing', { status: 404 })],
])('a run whose answer %s is sandbox-unavailable', async (_, answer) => {
  answers = [answer]
  await expect(sandbox.run(asked)).rejects.toMatchObject({ code: 'sandbox-unavailable' })
})
