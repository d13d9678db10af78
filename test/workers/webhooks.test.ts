// Webhooks as their owners see them, and what receivers get: the edge in this process, receivers that are real HTTP servers.
import { Webhook } from 'standardwebhooks'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventTypes } from '../../shared/events.ts'
import { attemptLeaseMs, attemptsMax, deliveriesKeptMs, webhooksPerAccountMax } from '../../shared/webhook.ts'
import { deliverWebhooks, sweepWebhooks } from '../../workers/flows/deliver-webhooks.ts'
import { eventually } from '../fakes/eventually.ts'
import { testEdge, type TestEdge } from '../fakes/test-edge.ts'
import { startWebhookReceiver, type WebhookReceiver } from '../fakes/webhook-receiver.ts'

let edge: TestEdge
let key: string
let receiver: WebhookReceiver
beforeEach(async () => {
  edge = testEdge({ allowsLocalWebhooks: true })
  // Signatures are of now, or the library refuses them.
  edge.clock.now = Date.now()
  key = (await edge.account('ada')).key
  receiver = await startWebhookReceiver()
})
afterEach(() => receiver.stop())

const make = async (more: object = {}) =>
  (await edge.call('POST', '/api/webhooks', { key, body: { url: `${receiver.url}/hook`, ...more } })).body
const deliveries = async (id: string) => (await edge.call('GET', `/api/webhooks/${id}/deliveries`, { key })).body.items
const post = (path: string, body?: object) => edge.call('POST', path, { key, body })

/** A delivery whose first attempt has ended as the receiver answered. */
async function attempted(answer: WebhookReceiver['answer'], headers: Record<string, string> = {}) {
  Object.assign(receiver, { answer, headers })
  const webhook = await make()
  await post(`/api/webhooks/${webhook.id}/ping`)
  const last = async () => (await deliveries(webhook.id))[0]
  await eventually(async () => (await last()).lastAnswerStatus, answer)
  return { webhook, last }
}

describe('a webhook', () => {
  test('is made with a secret that is never shown again', async () => {
    const answer = await post('/api/webhooks', { url: 'http://127.0.0.1:1/hook', events: ['bounty.awarded', 'bounty.awarded'] })
    expect([answer.status, answer.headers.get('location')]).toEqual([201, `/api/webhooks/${answer.body.id}`])
    const { secret, ...shown } = answer.body
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    expect(shown).toEqual({ id: shown.id, url: 'http://127.0.0.1:1/hook', events: ['bounty.awarded'], createdAt: shown.createdAt })
    expect((await edge.call('GET', `/api/webhooks/${shown.id}`, { key })).body).toEqual(shown)
    expect((await edge.call('GET', '/api/webhooks', { key })).body).toEqual({ items: [shown], nextCursor: null })
    expect(JSON.stringify(edge.log)).not.toContain(secret)
    expect((await make()).events).toEqual(eventTypes)
  })

  test('is one, without a secret, for a retry under the same Idempotency-Key', async () => {
    const send = () => edge.call('POST', '/api/webhooks', { key, body: { url: receiver.url }, headers: { 'idempotency-key': 'one' } })
    const [first, again] = [await send(), await send()]
    const { secret: _secret, ...shown } = first.body
    expect([again.status, again.body]).toEqual([201, shown])
  })

  test('is one of twenty at most', async () => {
    for (let i = 0; i < webhooksPerAccountMax; i++) expect((await make()).id).toMatch(/^whk_/)
    const refused = await post('/api/webhooks', { url: receiver.url })
    expect([refused.status, refused.body.code]).toEqual([409, 'too-many-webhooks'])
    const page = await edge.call('GET', '/api/webhooks?limit=15', { key })
    const rest = await edge.call('GET', `/api/webhooks?limit=15&cursor=${page.body.nextCursor}`, { key })
    expect([page.body.items.length, rest.body.items.length, rest.body.nextCursor]).toEqual([15, 5, null])
  })

  test('is deleted with its log', async () => {
    const { webhook } = await attempted(204)
    expect((await edge.call('DELETE', `/api/webhooks/${webhook.id}`, { key })).status).toBe(204)
    expect((await edge.call('GET', `/api/webhooks/${webhook.id}/deliveries`, { key })).body.code).toBe('webhook-not-found')
  })
})

describe('a delivery', () => {
  test('arrives once, signed, when a submission ends and its bounty is won', async () => {
    const webhook = await make()
    const agentId = await edge.deploy(key, { name: 'echo' })
    const cases = [
      { input: 'shown', expected: 'shown' },
      { input: 'a secret', expected: 'a secret', hidden: true },
    ]
    const bounty = await post('/api/bounties', { title: 't', rewardCredits: 7, cases })
    const { body: submission } = await post(`/api/bounties/${bounty.body.id}/submissions`, { agentId })
    await deliverWebhooks(edge.services)
    await eventually(() => receiver.received.length, 2)
    const verifier = new Webhook(webhook.secret)
    const events = receiver.received.map(({ body, headers }) => verifier.verify(body, headers))
    const told = [
      {
        type: 'submission.finished',
        timestamp: new Date(edge.clock.now).toISOString(),
        data: {
          submissionId: submission.id,
          bountyId: bounty.body.id,
          agentId,
          version: 1,
          status: 'accepted',
          casesTotal: 2,
          casesPassed: 2,
        },
      },
      {
        type: 'bounty.awarded',
        timestamp: new Date(edge.clock.now).toISOString(),
        data: { bountyId: bounty.body.id, status: 'awarded', rewardCredits: 7, submissionId: submission.id },
      },
    ]
    expect(events).toEqual(expect.arrayContaining(told))
    expect(receiver.received[0]).toMatchObject({ path: '/hook', headers: { 'content-type': 'application/json' } })
    expect(JSON.stringify(receiver.received)).not.toContain('a secret')
    await eventually(async () => (await deliveries(webhook.id)).map(({ status }: { status: string }) => status), ['delivered', 'delivered'])
    expect(await deliverWebhooks(edge.services)).toBe(0)
  })

  test('is sent at once when a bounty is cancelled or awarded by hand', async () => {
    await make({ events: ['bounty.cancelled'] })
    const bounty = await post('/api/bounties', { title: 't', rewardCredits: 7, cases: [{ input: 1, expected: 1 }] })
    await post(`/api/bounties/${bounty.body.id}/cancel`)
    await eventually(() => receiver.received.map(({ body }) => JSON.parse(body).type), ['bounty.cancelled'])
  })

  test('is repeated, later and later, until the receiver takes it', async () => {
    const { last, webhook } = await attempted(503)
    expect(await last()).toMatchObject({ status: 'pending', attempts: 1, lastError: 'answered 503' })
    expect(Date.parse((await last()).nextAttemptAt) - edge.clock.now).toBe(1_000)
    edge.clock.now += 999
    expect(await deliverWebhooks(edge.services)).toBe(0)
    edge.clock.now += 1
    expect(await deliverWebhooks(edge.services)).toBe(1)
    expect(Date.parse((await last()).nextAttemptAt) - edge.clock.now).toBe(2_000)
    receiver.answer = 200
    edge.clock.now += 2_000
    expect(await deliverWebhooks(edge.services)).toBe(1)
    expect(await last()).toMatchObject({ status: 'delivered', attempts: 3, lastError: null, lastAnswerStatus: 200, nextAttemptAt: null })
    // One id, three signatures of their own times.
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([(await last()).eventId]))
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-timestamp'])).size).toBe(3)
    const verifier = new Webhook(webhook.secret)
    for (const { body, headers } of receiver.received) expect(verifier.verify(body, headers)).toMatchObject({ type: 'webhook.ping' })
  })

  test('is given up after the last attempt, and sent anew by hand', async () => {
    const { last, webhook } = await attempted(500)
    while ((await last()).status === 'pending') {
      edge.clock.now = Date.parse((await last()).nextAttemptAt)
      await deliverWebhooks(edge.services)
    }
    expect(await last()).toMatchObject({ status: 'failed', attempts: attemptsMax, nextAttemptAt: null })
    expect(receiver.received).toHaveLength(attemptsMax)
    receiver.answer = 204
    const again = await post(`/api/webhooks/${webhook.id}/deliveries/${(await last()).id}/redeliver`)
    expect([again.status, again.body.status, again.body.attempts]).toEqual([202, 'pending', 0])
    await eventually(async () => (await last()).status, 'delivered')
    expect(receiver.received.at(-1)?.headers['webhook-id']).toBe((await last()).eventId)
  })

  test('does not follow a redirect', async () => {
    const elsewhere = await startWebhookReceiver()
    const { last } = await attempted(302, { location: `${elsewhere.url}/` })
    expect(await last()).toMatchObject({ status: 'pending', lastError: 'answered 302, and redirects are not followed' })
    expect(elsewhere.received).toEqual([])
    await elsewhere.stop()
  })

  test('ends at a receiver that is gone', async () => {
    const { last } = await attempted(410)
    expect(await last()).toMatchObject({ status: 'failed', attempts: 1 })
  })

  test('to nobody is an attempt that failed', async () => {
    const { id } = await make({ url: 'http://127.0.0.1:1/' })
    await post(`/api/webhooks/${id}/ping`)
    await eventually(async () => (await deliveries(id))[0].lastError, 'did not answer: the connection failed')
  })

  test('of a Worker that died is sent again when its lease has ended', async () => {
    const { id } = await make()
    const { claimDelivery } = edge.database.webhooks
    edge.services.webhooks.claimDelivery = async (claim) => {
      await claimDelivery(claim)
      throw new Error('the Worker died')
    }
    await post(`/api/webhooks/${id}/ping`)
    edge.services.webhooks.claimDelivery = claimDelivery
    await eventually(async () => (await deliveries(id))[0].attempts, 1)
    expect(await deliverWebhooks(edge.services)).toBe(0)
    edge.clock.now += attemptLeaseMs
    expect(await deliverWebhooks(edge.services)).toBe(1)
    expect((await deliveries(id))[0]).toMatchObject({ status: 'delivered', attempts: 2 })
    expect(receiver.received).toHaveLength(1)
  })

  test('is gone from the log after thirty days', async () => {
    const { webhook } = await attempted(204)
    edge.clock.now += deliveriesKeptMs
    await sweepWebhooks(edge.services)
    expect(await deliveries(webhook.id)).toHaveLength(1)
    edge.clock.now += 1
    await sweepWebhooks(edge.services)
    expect(await deliveries(webhook.id)).toEqual([])
  })

  test('that waits for a slow receiver holds up no other', async () => {
    const fast = await startWebhookReceiver()
    receiver.answer = 'hang'
    const { id: slow } = await make()
    for (let i = 0; i < 5; i++) await edge.database.webhooks.ping(slow, await ping(i))
    const { id } = await make({ url: fast.url })
    await edge.database.webhooks.ping(id, await ping(9))
    const running = deliverWebhooks(edge.services)
    await eventually(async () => (await deliveries(id))[0].status, 'delivered')
    await eventually(() => receiver.received.length, 2)
    // Lets the requests that hang end as failures.
    receiver.answer = 204
    await Promise.all([receiver.stop(), fast.stop()])
    await running
  })
})

async function ping(i: number) {
  const [{ accountId = '' } = {}] = [await edge.database.keys.findGrant(await hashOf(key))]
  const tail = String(i).padStart(26, '0')
  return { accountId, eventId: `evt_${tail}`, deliveryId: `dlv_${tail}`, at: new Date(edge.clock.now).toISOString() }
}

async function hashOf(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return Buffer.from(bytes).toString('hex')
}

test('the OpenAPI document says what webhooks are sent', async () => {
  const { webhooks } = (await edge.call('GET', '/api/openapi.json')).body
  expect(Object.keys(webhooks)).toEqual([...eventTypes, 'webhook.ping'])
  const { parameters, requestBody } = webhooks['bounty.awarded'].post
  expect(parameters.map(({ name }: { name: string }) => name)).toEqual(['webhook-id', 'webhook-timestamp', 'webhook-signature'])
  expect(requestBody.content['application/json'].schema.properties.data.properties).toHaveProperty('submissionId')
})

describe('in production', () => {
  beforeEach(async () => {
    edge = testEdge()
    key = (await edge.account('ada')).key
  })
  const url = 'https://hooks.example.com/x'

  async function lastErrorOf(stands: string[] | 'nobody knows') {
    if (stands === 'nobody knows') edge.addresses.failing = true
    else edge.addresses.names.set('hooks.example.com', stands)
    const { id } = (await post('/api/webhooks', { url })).body
    await post(`/api/webhooks/${id}/ping`)
    await eventually(async () => (await deliveries(id))[0].lastError !== null, true)
    return (await deliveries(id))[0].lastError
  }

  test('a receiver on this machine is refused', async () => {
    const answer = await post('/api/webhooks', { url: receiver.url })
    expect([answer.status, answer.body.code, answer.body.issues[0].field]).toEqual([400, 'invalid-request', 'url'])
  })

  test.each([
    ['a private address', ['10.0.0.1'], /not public/],
    ['a public and a private address', ['1.1.1.1', '::1'], /not public/],
    ['nothing', [], /stands for nothing/],
    ['nobody knows what', 'nobody knows' as const, /could not be looked up/],
  ])('a name that stands for %s is called by nobody', async (_, stands, says) => {
    expect(await lastErrorOf(stands)).toMatch(says)
    expect(receiver.received).toEqual([])
  })
})
