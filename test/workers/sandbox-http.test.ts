// The adapter against a server in this process: what it signs, which problems pass, and what becomes of everything else.
import { createHmac } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import { parseSignature, signatureHeader, signedText } from '../../shared/signing.ts'
import { sandboxHttp } from '../../workers/adapters/sandbox-http.ts'
import { createSigner } from '../../workers/signature.ts'
import { idOf } from '../fakes/id-of.ts'

const secret = 'a secret of more than thirty-two characters'
const program = { kind: 'script', sha256: '0'.repeat(64) } as const
const manifest = { program, engine: 'e', prepareMicros: 1, snapshotBytes: 0 }
let requests: Request[]
let answers: (() => Response)[]
beforeEach(() => {
  requests = []
  answers = []
})

const sandbox = sandboxHttp({
  url: 'http://host.invalid/',
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
  expect(await sandbox.prepare(program)).toEqual(manifest)
  await sandbox.readBundle('h/000000000001', { offset: 3, length: 5 })
  const paths = ['/v1/programs', '/v1/bundles/h/000000000001?offset=3&length=5']
  for (const [i, path] of paths.entries()) {
    const request = requests[i]
    if (!request) throw new Error('no request')
    expect(request.url).toBe(`http://host.invalid${path}`)
    const parts = parseSignature(request.headers.get(signatureHeader))
    if (!parts) throw new Error('no signature')
    const text = signedText({ audience: 'host', method: request.method, path, ...parts })
    expect(parts.signature).toBe(
      createHmac('sha256', secret)
        .update(text)
        .update(await request.text())
        .digest('hex'),
    )
  }
})

test('cases of a judgement are sent byte for byte', async () => {
  const caseId = idOf('case')
  const usage = { fuel: 1, wallMicros: 1, memoryBytesPeak: 1 }
  answers = [() => Response.json({ engine: 'e', verdicts: [{ caseId, status: 'accepted', usage }] })]
  await sandbox.judge({ program, accountId: 'acc', tier: 'basic', cases: [{ id: caseId, input: '{"b":1.50,"a":2}', expected: '1e2' }] })
  const text = await requests[0]?.text()
  expect(text).toContain('"input":{"b":1.50,"a":2},"expected":1e2}]}')
  expect(JSON.parse(text ?? '')).toMatchObject({ program, accountId: 'acc', tier: 'basic' })
})

test('problems that the caller can act upon pass, with when to come back', async () => {
  answers = [problem(422, 'invalid-program'), problem(429, 'overloaded', { 'retry-after': '7' })]
  await expect(sandbox.prepare(program)).rejects.toMatchObject({ code: 'invalid-program', detail: 'said the host' })
  await expect(sandbox.prepare(program)).rejects.toMatchObject({ code: 'overloaded', retryAfterSeconds: 7 })
})

test.each([
  ['a problem about our own request', problem(400, 'invalid-request')],
  ['an error page', () => new Response('<html>', { status: 502 })],
  ['an answer of another schema', () => Response.json({ hello: 1 })],
  ['an answer that breaks off', () => new Response('{"a')],
])('%s is sandbox-unavailable, and what was said stays inside', async (_, answer) => {
  answers = [answer]
  const error = await sandbox.prepare(program).catch((caught: unknown) => caught)
  expect(error).toMatchObject({ code: 'sandbox-unavailable', detail: expect.not.stringMatching(/said the host|html/) })
})

test('a lost connection is tried once more with a fresh signature, not twice', async () => {
  answers = [lost, () => Response.json(manifest), lost, lost, () => Response.json(manifest)]
  expect(await sandbox.prepare(program)).toEqual(manifest)
  const [first, second] = requests.map((request) => request.headers.get(signatureHeader))
  expect(first).not.toBe(second)
  await expect(sandbox.prepare(program)).rejects.toMatchObject({ code: 'sandbox-unavailable' })
  expect(requests).toHaveLength(4)
})

test('what is not there is undefined', async () => {
  answers = [problem(404, 'execution-not-found'), problem(404, 'artifact-not-found')]
  expect(await sandbox.findExecution(idOf('execution'))).toBeUndefined()
  expect(await sandbox.readBundle('h/000000000001', { offset: 0, length: 1 })).toBeUndefined()
})
