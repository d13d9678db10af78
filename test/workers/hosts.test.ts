// What a host says of itself at POST /internal/hosts.
import { createHmac, randomBytes } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import type { HostBeat } from '../../shared/host.ts'
import { formatSignature, signatureHeader, signedText } from '../../shared/signing.ts'
import { keyOfSeed } from '../../sandbox-host/receipt-key.ts'
import { beatOf } from '../fakes/beat-of.ts'
import { sandboxSecret, testEdge, type TestEdge } from '../fakes/test-edge.ts'

const path = '/internal/hosts'
const key = (seed: string) => {
  const { id, publicKey } = keyOfSeed(seed.repeat(32))
  return { id, publicKey }
}
let edge: TestEdge
beforeEach(() => {
  edge = testEdge()
})

async function say(beat: object, { audience = 'worker' as const, nonce = randomBytes(16).toString('hex') } = {}) {
  const raw = JSON.stringify(beat)
  const head = { audience, method: 'POST', path, at: edge.clock.now, nonce }
  const signature = createHmac('sha256', sandboxSecret).update(signedText(head)).update(raw).digest('hex')
  return edge.call('POST', path, { raw, headers: { [signatureHeader]: formatSignature({ ...head, signature }) } })
}
const beat = (more: Partial<HostBeat> = {}) => beatOf({ receiptKey: key('07'), ...more })

test('a host that says that it is there is known, and its receipt key is', async () => {
  const said = beat()
  expect(await say(said)).toMatchObject({ status: 200, body: { recorded: true } })
  const [heard] = await edge.database.hosts.list({ heardMsMax: 60_000, restingMsMax: 60_000, limit: 10 })
  expect(heard).toMatchObject({ id: said.host, instance: said.instance, state: 'up', threads: 2, load: 3 })
  const { body } = await edge.call('GET', '/api/receipt-keys')
  expect(body.items).toMatchObject([{ ...said.receiptKey, host: said.host }])
})

test('the keys of many hosts are listed, and stay when their hosts are gone', async () => {
  const hosts = ['07', '08', '09'].map((seed) => beat({ receiptKey: key(seed) }))
  for (const said of hosts) await say(said)
  for (const said of hosts) await say({ ...said, state: 'left', at: new Date(Date.parse(said.at) + 1).toISOString() })
  const { body } = await edge.call('GET', '/api/receipt-keys')
  expect(body.items.map(({ id }: { id: string }) => id).toSorted()).toEqual(hosts.map(({ receiptKey }) => receiptKey.id).toSorted())
})

test('a signature is good once', async () => {
  const nonce = randomBytes(16).toString('hex')
  expect((await say(beat(), { nonce })).status).toBe(200)
  expect((await say(beat(), { nonce })).body.code).toBe('replayed-signature')
})

const bad: [string, object, string][] = [
  ['a host that is no name', { host: 'Host 1' }, 'host'],
  ['an instance that would break a header', { instance: 'a\r\nb' }, 'instance'],
  ['a state that there is not', { state: 'tired' }, 'state'],
  ['no tier', { tiers: [] }, 'tiers'],
  ['a tier that there is not', { tiers: ['gold'] }, 'tiers.0'],
  ['no threads', { threads: 0 }, 'threads'],
  ['a load below nothing', { load: -1 }, 'load'],
  ['an instant that is none', { at: 'now' }, 'at'],
]
test.each(bad)('%s is refused by its name', async (_, more, field) => {
  const { status, body } = await say({ ...beat(), ...more })
  expect([status, body.code, body.issues?.[0]?.field]).toEqual([400, 'invalid-request', field])
})

test('an unknown field is refused, and a key under another id', async () => {
  expect((await say({ ...beat(), color: 'red' })).body).toMatchObject({ code: 'invalid-request' })
  const mixed = { id: key('08').id, publicKey: key('07').publicKey }
  expect((await say(beat({ receiptKey: mixed }))).body).toMatchObject({
    code: 'invalid-request',
    detail: expect.stringContaining(mixed.id),
  })
})
