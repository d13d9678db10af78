// What the host hands over: signed, in batches, at least once. A record that can never be recorded holds up nothing.
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import { formatSignature, signatureHeader, signedText, type SignatureAudience } from '../../shared/signing.ts'
import { idOf } from '../fakes/id-of.ts'
import { sandboxSecret, testEdge, type TestEdge } from '../fakes/test-edge.ts'

const path = '/internal/outcomes'
let edge: TestEdge
let record: { id: string; accountId: string }
beforeEach(async () => {
  edge = testEdge()
  const { key } = await edge.account('ada')
  const agentId = await edge.deploy(key, { name: 'echo' })
  await edge.call('POST', `/api/agents/${agentId}/executions`, { key, body: { input: 1 } })
  const [first] = edge.sandbox.records.values()
  if (!first) throw new Error('the fake sandbox ran nothing')
  record = first
})

type Signing = { secret?: string; audience?: SignatureAudience; at?: number; signed?: string; nonce?: string }

function headersFor(
  body: string,
  { secret = sandboxSecret, audience = 'worker', at = edge.clock.now, signed = body, nonce }: Signing = {},
) {
  const head = { audience, method: 'POST', path, at, nonce: nonce ?? randomBytes(16).toString('hex') }
  const signature = createHmac('sha256', secret).update(signedText(head)).update(signed).digest('hex')
  return { [signatureHeader]: formatSignature({ ...head, signature }) }
}

async function post(records: unknown[], signing?: Signing) {
  const raw = JSON.stringify({ host: 'host-1', records })
  return edge.call('POST', path, { raw, headers: headersFor(raw, signing) })
}

test('a batch is recorded and acknowledged; again changes nothing', async () => {
  for (let i = 0; i < 2; i++) {
    const { status, body } = await post([record])
    expect([status, body]).toEqual([200, { acknowledged: 1, rejected: [] }])
  }
  expect(await edge.database.executions.find(record.id)).toEqual(record)
})

test('what fits no schema or no account is kept aside with its reason, and the rest is recorded', async () => {
  const foreign = { ...record, id: idOf('execution'), accountId: idOf('account') }
  const broken = { ...record, id: idOf('execution'), status: 'exploded' }
  const { status, body } = await post([broken, foreign, 'nonsense', record])
  expect([status, body.acknowledged]).toEqual([200, 4])
  expect(body.rejected.map(({ id }: { id: string }) => id)).toEqual([broken.id, expect.stringMatching(/^unidentified-/), foreign.id])
  expect(edge.database.rejected.map((rejected) => JSON.parse(rejected.record))).toEqual([broken, 'nonsense', foreign])
  expect(await edge.database.executions.find(record.id)).toEqual(record)
  expect(edge.log.at(-1)).toMatchObject({ level: 'error', event: 'outcomes rejected', fields: { count: 3 } })
})

const forgeries: [string, Signing][] = [
  ['another secret', { secret: 'another secret of more than thirty-two chars' }],
  ['a signature that was made for a host', { audience: 'host host-1' }],
  ['another body', { signed: '{}' }],
]
test.each(forgeries)('%s is refused', async (_, signing) => {
  const { status, body } = await post([record], signing)
  expect([status, body.code]).toEqual([401, 'invalid-signature'])
})

test('a signature is good for a minute either way, and once', async () => {
  const at = (offset: number) => ({ at: edge.clock.now + offset })
  expect((await post([record], at(-60_000))).status).toBe(200)
  expect((await post([record], at(60_000))).status).toBe(200)
  expect((await post([record], at(-60_001))).body.code).toBe('invalid-signature')
  expect((await post([record], at(60_001))).body.code).toBe('invalid-signature')
  const nonce = createHash('md5').update('a nonce').digest('hex')
  expect((await post([record], { nonce })).status).toBe(200)
  expect((await post([record], { nonce })).body.code).toBe('replayed-signature')
})

test('without a signature nothing is parsed', async () => {
  const { status, body } = await edge.call('POST', path, { raw: '{' })
  expect([status, body.code]).toEqual([401, 'invalid-signature'])
})
