// Webhooks on the whole local cloud: a real receiver, the real edge, Postgres in between; and the edge killed while an event is on its way.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { Webhook } from 'standardwebhooks'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { eventually } from '../fakes/eventually.ts'
import { startWebhookReceiver, type WebhookReceiver } from '../fakes/webhook-receiver.ts'
import { call, deployScript, fund, newAccount } from './caller.ts'

type Caller = { id: string; key: string }
/** A lease, and what sweeps and a healed edge take beside it, on a machine that is busy. */
const withinMs = 50_000
let owner: Caller
let receiver: WebhookReceiver
beforeEach(async () => {
  owner = await newAccount()
  await fund(owner.id, 100)
  receiver = await startWebhookReceiver()
})
afterEach(() => receiver.stop())

const post = (path: string, body?: object, { key } = owner) => call('POST', `/api${path}`, { key, body })
const newWebhook = async (caller = owner, url = `${receiver.url}/hook`) => (await post('/webhooks', { url }, caller)).body
const newBounty = async () => (await post('/bounties', { title: 't', rewardCredits: 5, cases: [{ input: 2, expected: 4 }] })).body.id
async function log(id: string, { key } = owner) {
  // It is read again and again, and an account makes 1,200 requests a minute.
  await new Promise((resolve) => setTimeout(resolve, 100))
  return (await call('GET', `/api/webhooks/${id}/deliveries`, { key })).body.items
}
const statuses = async (id: string, caller = owner) => (await log(id, caller)).map(({ status }: { status: string }) => status)
const types = () => receiver.received.map(({ body }) => String(JSON.parse(body).type)).toSorted()
const edgePid = () => Number(JSON.parse(readFileSync(join(inject('stack').localDir, 'processes.json'), 'utf8')).edge)
const isHealthy = () =>
  fetch(`${inject('stack').baseUrl}/api/health`).then(
    ({ ok }) => ok,
    () => false,
  )

async function killEdge(): Promise<void> {
  const killed = edgePid()
  process.kill(killed, 'SIGKILL')
  await eventually(async () => edgePid() !== killed && (await isHealthy()), true, { withinMs })
}

describe('a webhook', () => {
  test('is told, once and signed, how a submission and its bounty ended', async () => {
    const author = await newAccount()
    const [ofOwner, ofAuthor] = [await newWebhook(), await newWebhook(author)]
    const agentId = await deployScript('export default (x) => x * x', author.key)
    const submitted = await post(`/bounties/${await newBounty()}/submissions`, { agentId }, author)
    expect(submitted.status).toBe(202)
    await eventually(() => types(), ['bounty.awarded', 'bounty.awarded', 'submission.finished', 'submission.finished'], { withinMs })
    for (const [webhook, caller] of [
      [ofOwner, owner],
      [ofAuthor, author],
    ] as const) {
      await eventually(() => statuses(webhook.id, caller), ['delivered', 'delivered'], { withinMs })
      const verifier = new Webhook(webhook.secret)
      const mine = receiver.received.filter(({ body, headers }) => isOf(verifier, body, headers))
      expect(mine).toHaveLength(2)
    }
    expect(JSON.parse(receiver.received.find(({ body }) => body.includes('awarded'))?.body ?? '').data).toMatchObject({
      submissionId: submitted.body.id,
    })
  })

  test('whose receiver is down is told when that is back', async () => {
    const down = createServer()
    await new Promise<void>((resolve) => down.listen(0, '127.0.0.1', resolve))
    // A server that listens on TCP has an address of this form.
    const { port } = down.address() as { port: number }
    await new Promise((resolve) => down.close(resolve))
    const webhook = await newWebhook(owner, `http://127.0.0.1:${port}/`)
    await post(`/bounties/${await newBounty()}/cancel`)
    await eventually(async () => (await log(webhook.id))[0]?.lastError, 'did not answer: the connection failed', { withinMs })
    const bodies: string[] = []
    const up = createServer((request, response) => {
      request.on('data', (chunk) => bodies.push(String(chunk))).on('end', () => response.end())
    })
    await new Promise<void>((resolve) => up.listen(port, '127.0.0.1', resolve))
    await eventually(() => statuses(webhook.id), ['delivered'], { withinMs })
    expect(bodies.map((body) => JSON.parse(body).type)).toEqual(['bounty.cancelled'])
    await new Promise((resolve) => up.close(resolve))
  })

  test('is not led elsewhere by a redirect, and is sent anew by hand', async () => {
    const elsewhere = await startWebhookReceiver()
    Object.assign(receiver, { answer: 307, headers: { location: elsewhere.url } })
    const webhook = await newWebhook()
    const { body: delivery } = await post(`/webhooks/${webhook.id}/ping`)
    await eventually(async () => (await log(webhook.id))[0].lastAnswerStatus, 307, { withinMs })
    receiver.answer = 410
    await eventually(() => statuses(webhook.id), ['failed'], { withinMs })
    receiver.answer = 204
    const again = await post(`/webhooks/${webhook.id}/deliveries/${delivery.id}/redeliver`)
    expect([again.status, again.body.status]).toEqual([202, 'pending'])
    await eventually(() => statuses(webhook.id), ['delivered'], { withinMs })
    expect(elsewhere.received).toEqual([])
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([delivery.eventId]))
    await elsewhere.stop()
  })

  test('is told, also when the edge is killed while it tells', async () => {
    const webhook = await newWebhook()
    receiver.answer = 'hang'
    await post(`/bounties/${await newBounty()}/cancel`)
    await eventually(() => receiver.received.length, 1, { withinMs })
    await killEdge()
    receiver.answer = 204
    await eventually(() => statuses(webhook.id), ['delivered'], { withinMs })
    const [first, second] = receiver.received
    expect([types(), second?.headers['webhook-id'], second?.body]).toEqual([
      ['bounty.cancelled', 'bounty.cancelled'],
      first?.headers['webhook-id'],
      first?.body,
    ])
    expect((await log(webhook.id))[0].attempts).toBe(2)
  }, 120_000)
})

function isOf(verifier: Webhook, body: string, headers: Record<string, string>): boolean {
  try {
    return Boolean(verifier.verify(body, headers))
  } catch {
    return false
  }
}
