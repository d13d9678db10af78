// What the webhook store promises: events are there with the change they tell of, and each delivery is one sender's at a time. Runs over maps
// in the fast run and over Postgres in the full one.
import { randomBytes } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { eventTypes, type EventType } from '../../shared/events.ts'
import type { AgentStore } from '../../shared/agent-ports.ts'
import type {
  AccountStore,
  BountyStore,
  CaseStore,
  LedgerStore,
  SettlementStore,
  JudgingStore,
  SubmissionStore,
} from '../../shared/ports.ts'
import type { WebhookStore } from '../../shared/webhook-ports.ts'
import { sendingPerWebhookMax, webhooksPerAccountMax } from '../../shared/webhook.ts'
import { idOf } from '../fakes/id-of.ts'
import { scriptAgent } from '../fakes/script-agent.ts'
import { judgeByHand } from '../fakes/judge-by-hand.ts'
import { newKey } from '../fakes/new-key.ts'

export type WebhookStores = {
  accounts: AccountStore
  agents: AgentStore
  bounties: BountyStore
  submissions: SubmissionStore
  judgings: JudgingStore
  cases: CaseStore
  ledger: LedgerStore
  settlements: SettlementStore
  webhooks: WebhookStore
}

/** Instants of a day that no sweep of a running Worker has reached. */
const begin = Date.parse('2126-02-05T12:00:00.000Z')
const at = (ms: number) => new Date(begin + ms).toISOString()
const unique = () => randomBytes(6).toString('hex')
const leaseMs = 10_000

export function webhooksContract(name: string, open: () => WebhookStores): void {
  describe(`${name} keeps webhooks as the port promises`, () => {
    let stores: WebhookStores
    let owner: string
    let author: string
    beforeEach(async () => {
      stores = open()
      ;[owner, author] = [await newAccount(), await newAccount()]
    })

    async function newAccount(): Promise<string> {
      const id = idOf('account')
      await stores.accounts.create({ id, name: `a ${unique()}`, createdAt: at(0) }, newKey())
      await stores.ledger.mint({ id: idOf('transfer'), accountId: id, credits: 1_000, reason: null, at: at(0) })
      return id
    }

    async function newWebhook(accountId: string, events: EventType[] = [...eventTypes]): Promise<string> {
      const id = idOf('webhook')
      const webhook = { id, url: `https://example.com/${unique()}`, events, createdAt: at(0), sealedSecret: `sealed ${id}` }
      expect(await stores.webhooks.create(accountId, webhook)).toBe(true)
      return id
    }

    async function newBounty(mode: 'first' | 'best', more: { deadline?: string } = {}): Promise<string> {
      const id = idOf('bounty')
      const money = { rewardCredits: 5, mode, tier: 'basic', status: 'open' } as const
      const dates = { deadline: null, createdAt: at(1), closedAt: null, awardedSubmissionId: null, checker: null, ...more }
      const cases = [0, 1].map((position) => {
        return { id: idOf('case'), position, name: null, input: '1', expected: '1', hidden: position === 1, salt: unique() }
      })
      await stores.bounties.create({
        summary: { id, accountId: owner, title: 't', ...money, caseCount: 2, ...dates },
        description: '',
        cases,
      })
      return id
    }

    async function submitted(bountyId: string, { passed = 2, by = author }: { passed?: number; by?: string } = {}) {
      const agentId = idOf('agent')
      await stores.agents.create(scriptAgent({ id: agentId, accountId: by, createdAt: at(1) }), { engine: 'engine-1' })
      const id = idOf('submission')
      await judgeByHand(stores).begin({ id, bountyId, agentId, version: 1, accountId: by, createdAt: at(2) })
      const usage = { fuel: 1, wallMicros: 1, memoryBytesPeak: 1 }
      const verdicts = (await stores.cases.list(bountyId, { after: -1, limit: 2 })).map(({ id: caseId }, i) => {
        return { caseId, status: i < passed ? ('accepted' as const) : ('wrong-answer' as const), usage, outputSha256: null }
      })
      await judgeByHand(stores).record(id, { engine: 'engine-1', verdicts })
      await judgeByHand(stores).finish(id, { status: passed === 2 ? 'accepted' : 'rejected', at: at(3) })
      return { id, agentId }
    }

    const log = (webhookId: string) => stores.webhooks.deliveries(webhookId, { limit: 100 })
    const heard = async (webhookId: string) => (await log(webhookId)).map(({ event }) => event.type).toSorted()

    async function pinged(webhookId: string, accountId: string, ms = 0): Promise<string> {
      const ids = { eventId: idOf('event'), deliveryId: idOf('delivery') }
      await stores.webhooks.ping(webhookId, { accountId, ...ids, at: at(ms) })
      return ids.deliveryId
    }

    /** Claims whatever is due until nothing is, and says what was there of these webhooks. Other tests leave deliveries behind. */
    async function claimAll(ms: number, of: string[], claim = unique()) {
      const found = []
      for (;;) {
        const claimed = await stores.webhooks.claimDelivery({ claim, at: at(ms), leaseMs })
        if (!claimed) return found
        if (of.includes(claimed.webhookId)) found.push(claimed)
      }
    }

    test('a webhook is found, listed newest first and removed by its account alone', async () => {
      const mine = [await newWebhook(owner, ['bounty.awarded']), await newWebhook(owner)].toSorted().toReversed()
      const other = await newWebhook(author)
      const [newest = '', oldest = ''] = mine
      expect((await stores.webhooks.list(owner, { limit: 5 })).map(({ id }) => id)).toEqual(mine)
      expect((await stores.webhooks.list(owner, { limit: 5, after: newest })).map(({ id }) => id)).toEqual([oldest])
      const found = await stores.webhooks.find(oldest, owner)
      expect(found).toEqual({ id: oldest, url: expect.stringContaining('https://'), events: expect.any(Array), createdAt: at(0) })
      expect(await stores.webhooks.find(other, owner)).toBeUndefined()
      expect([await stores.webhooks.remove(other, owner), await stores.webhooks.remove(oldest, owner)]).toEqual([false, true])
      expect(await stores.webhooks.remove(oldest, owner)).toBe(false)
      expect(await stores.webhooks.find(other, author)).toBeDefined()
    })

    test(`an account has ${webhooksPerAccountMax} webhooks at most, also when they are made at once`, async () => {
      const create = () =>
        stores.webhooks.create(owner, {
          id: idOf('webhook'),
          url: 'https://x.y',
          events: ['bounty.awarded'],
          createdAt: at(0),
          sealedSecret: 's',
        })
      const made = await Promise.all(Array.from({ length: webhooksPerAccountMax + 3 }, create))
      expect(made.filter(Boolean)).toHaveLength(webhooksPerAccountMax)
      const [last] = await stores.webhooks.list(owner, { limit: 1 })
      await stores.webhooks.remove(last?.id ?? '', owner)
      expect(await create()).toBe(true)
    })

    test('the end of a submission is told to its author and to the owner of the bounty', async () => {
      const [one, two] = [await newWebhook(author), await newWebhook(owner)]
      const bountyId = await newBounty('best')
      const { id, agentId } = await submitted(bountyId, { passed: 1 })
      const data = { submissionId: id, bountyId, agentId, version: 1, round: 1, status: 'rejected', casesTotal: 2, casesPassed: 1 }
      const event = { type: 'submission.finished', timestamp: at(3), data }
      const fresh = { status: 'pending', attempts: 0, lastAttemptAt: null, lastAnswerStatus: null, lastError: null }
      const [told] = await log(one)
      expect(told).toEqual({
        ...fresh,
        id: told?.id,
        webhookId: one,
        eventId: told?.eventId,
        event,
        nextAttemptAt: at(3),
        createdAt: at(3),
      })
      expect(told?.id).toMatch(/^dlv_[0-9a-z]{26}$/)
      expect(told?.eventId).toMatch(/^evt_[0-9a-z]{26}$/)
      const [toldOwner] = await log(two)
      expect([toldOwner?.eventId, toldOwner?.event]).toEqual([told?.eventId, event])
      // It ends once.
      await judgeByHand(stores).finish(id, { status: 'failed', at: at(4) })
      expect(await log(one)).toHaveLength(1)
    })

    test('a bounty that is won is told to its owner and the winner, once each, with the submission', async () => {
      const [one, two, stranger] = [await newWebhook(author), await newWebhook(owner), await newWebhook(await newAccount())]
      const bountyId = await newBounty('first')
      const { id } = await submitted(bountyId)
      for (const webhook of [one, two]) {
        expect(await heard(webhook)).toEqual(['bounty.awarded', 'submission.finished'])
        const awarded = (await log(webhook)).find(({ event }) => event.type === 'bounty.awarded')
        expect(awarded?.event).toEqual({
          type: 'bounty.awarded',
          timestamp: at(3),
          data: { bountyId, status: 'awarded', rewardCredits: 5, submissionId: id },
        })
      }
      expect(await log(stranger)).toEqual([])
    })

    test('an owner who wins hears of it once on each webhook', async () => {
      const webhook = await newWebhook(owner)
      await submitted(await newBounty('first'), { by: owner })
      expect(await heard(webhook)).toEqual(['bounty.awarded', 'submission.finished'])
    })

    test('a bounty that closes without a winner is told to its owner', async () => {
      const [one, two] = [await newWebhook(author), await newWebhook(owner)]
      const cancelled = await newBounty('best')
      const expired = await newBounty('first', { deadline: at(5) })
      await submitted(expired, { passed: 0 })
      await stores.settlements.cancel(cancelled, { at: at(4) })
      await stores.settlements.settle(expired, { at: at(6) })
      expect(await heard(two)).toEqual(['bounty.cancelled', 'bounty.expired', 'submission.finished'])
      expect(await heard(one)).toEqual(['submission.finished'])
      const [told] = (await log(two)).filter(({ event }) => event.type === 'bounty.expired')
      expect(told?.event.data).toEqual({ bountyId: expired, status: 'expired', rewardCredits: 5 })
    })

    test('a webhook hears only what it was made for', async () => {
      const webhook = await newWebhook(owner, ['bounty.awarded'])
      await submitted(await newBounty('first'))
      expect(await heard(webhook)).toEqual(['bounty.awarded'])
    })

    test('a ping is written once for each id, for the account that owns the webhook', async () => {
      const webhook = await newWebhook(owner, ['bounty.awarded'])
      const ids = { eventId: idOf('event'), deliveryId: idOf('delivery') }
      const ping = (accountId: string) => stores.webhooks.ping(webhook, { accountId, ...ids, at: at(0) })
      expect(await ping(author)).toBeUndefined()
      const made = await ping(owner)
      expect(made).toMatchObject({ id: ids.deliveryId, event: { type: 'webhook.ping', data: { webhookId: webhook } }, status: 'pending' })
      expect(await ping(owner)).toEqual(made)
      expect(await log(webhook)).toHaveLength(1)
    })

    test('deliveries are listed newest first, and on behind an id', async () => {
      const webhook = await newWebhook(owner)
      for (let i = 0; i < 3; i++) await pinged(webhook, owner, i)
      const ids = (await log(webhook)).map(({ id }) => id)
      expect(ids).toEqual(ids.toSorted().toReversed())
      const [first, second] = ids
      expect((await stores.webhooks.deliveries(webhook, { limit: 1, after: first })).map(({ id }) => id)).toEqual([second])
    })

    test('what is due is claimed once, with what sending takes, and again when the lease has ended', async () => {
      const webhook = await newWebhook(owner)
      const id = await pinged(webhook, owner, 1_000)
      expect(await claimAll(999, [webhook])).toEqual([])
      const claims = await Promise.all(Array.from({ length: 5 }, (_, i) => claimAll(1_000, [webhook], `claim ${i}`)))
      expect(claims.flat()).toHaveLength(1)
      const [claimed] = claims.flat()
      expect(claimed).toMatchObject({ id, webhookId: webhook, attempts: 1, sealedSecret: `sealed ${webhook}` })
      expect(claimed?.url).toMatch(/^https:\/\/example\.com\//)
      expect(JSON.parse(claimed?.body ?? '')).toMatchObject({ type: 'webhook.ping', data: { webhookId: webhook } })
      expect((await log(webhook))[0]).toMatchObject({ status: 'pending', attempts: 1, lastAttemptAt: at(1_000) })
      expect(await claimAll(1_000 + leaseMs - 1, [webhook])).toEqual([])
      expect(await claimAll(1_000 + leaseMs, [webhook])).toMatchObject([
        { id, attempts: 2, eventId: claimed?.eventId, body: claimed?.body },
      ])
    })

    test('the end of an attempt is noted by whoever has the claim', async () => {
      const webhook = await newWebhook(owner)
      const id = await pinged(webhook, owner)
      await claimAll(0, [webhook], 'one')
      const failed = { status: 'pending', dueAt: begin + 5_000, answerStatus: 503, error: 'answered 503' } as const
      await stores.webhooks.endAttempt({ id, claim: 'another' }, failed)
      expect((await log(webhook))[0]).toMatchObject({ lastAnswerStatus: null, nextAttemptAt: at(leaseMs) })
      await stores.webhooks.endAttempt({ id, claim: 'one' }, failed)
      const noted = { attempts: 1, lastAnswerStatus: 503, lastError: 'answered 503', nextAttemptAt: at(5_000) }
      expect((await log(webhook))[0]).toMatchObject({ status: 'pending', ...noted })
      expect(await claimAll(4_999, [webhook])).toEqual([])
      expect(await claimAll(5_000, [webhook], 'two')).toHaveLength(1)
      await stores.webhooks.endAttempt({ id, claim: 'two' }, { status: 'delivered', dueAt: null, answerStatus: 200, error: null })
      const done = { status: 'delivered', attempts: 2, lastAnswerStatus: 200, lastError: null, nextAttemptAt: null }
      expect((await log(webhook))[0]).toMatchObject(done)
      expect(await claimAll(1_000_000, [webhook])).toEqual([])
    })

    test('a delivery is sent anew with all its attempts, unless it is being sent', async () => {
      const webhook = await newWebhook(owner)
      const id = await pinged(webhook, owner)
      const redeliver = (ms: number, accountId = owner) => stores.webhooks.redeliver(id, { webhookId: webhook, accountId, at: at(ms) })
      expect(await redeliver(0, author)).toBeUndefined()
      expect(await stores.webhooks.redeliver(id, { webhookId: await newWebhook(owner), accountId: owner, at: at(0) })).toBeUndefined()
      await claimAll(0, [webhook], 'one')
      expect(await redeliver(1)).toMatchObject({ status: 'pending', attempts: 1, nextAttemptAt: at(leaseMs) })
      await stores.webhooks.endAttempt({ id, claim: 'one' }, { status: 'pending', dueAt: begin + 60_000, answerStatus: 500, error: 'x' })
      expect(await redeliver(2)).toMatchObject({ status: 'pending', attempts: 1, nextAttemptAt: at(2) })
      await claimAll(2, [webhook], 'two')
      await stores.webhooks.endAttempt({ id, claim: 'two' }, { status: 'failed', dueAt: null, answerStatus: 500, error: 'x' })
      expect(await redeliver(3)).toMatchObject({ status: 'pending', attempts: 0, nextAttemptAt: at(3), lastError: 'x' })
      expect(await claimAll(3, [webhook])).toMatchObject([{ id, attempts: 1 }])
    })

    test('a webhook that is being sent enough waits, and holds up no other', async () => {
      const [slow, other] = [await newWebhook(owner), await newWebhook(author)]
      for (let i = 0; i < 10; i++) await pinged(slow, owner, i)
      await pinged(other, author, 20)
      const claimed = await claimAll(20, [slow, other])
      expect(claimed.map(({ webhookId }) => webhookId).toSorted()).toEqual(
        [...Array.from({ length: sendingPerWebhookMax }, () => slow), other].toSorted(),
      )
    })

    test('what was tried least is first', async () => {
      const [tried, fresh] = [await newWebhook(owner), await newWebhook(author)]
      const id = await pinged(tried, owner)
      await claimAll(0, [tried], 'one')
      await stores.webhooks.endAttempt({ id, claim: 'one' }, { status: 'pending', dueAt: begin + 1, answerStatus: 500, error: 'x' })
      await pinged(fresh, author, 30)
      expect((await claimAll(30, [tried, fresh])).map(({ webhookId }) => webhookId)).toEqual([fresh, tried])
    })

    test('a webhook goes with its deliveries, also while one is being sent', async () => {
      const webhook = await newWebhook(owner)
      const id = await pinged(webhook, owner)
      await claimAll(0, [webhook], 'one')
      await stores.webhooks.remove(webhook, owner)
      await stores.webhooks.endAttempt({ id, claim: 'one' }, { status: 'pending', dueAt: begin, answerStatus: 500, error: 'x' })
      expect(await log(webhook)).toEqual([])
      expect(await claimAll(leaseMs, [webhook])).toEqual([])
    })

    test('changes and the end of a webhook at the same time hold each other up no longer than they must', async () => {
      const webhooks = await Promise.all(Array.from({ length: 8 }, () => newWebhook(owner)))
      const bounties = await Promise.all(Array.from({ length: 8 }, () => newBounty('best')))
      const results = await Promise.all([
        ...bounties.map((id) => stores.settlements.cancel(id, { at: at(4) })),
        ...webhooks.slice(1).map((id) => stores.webhooks.remove(id, owner)),
      ])
      expect(results.filter(Boolean)).toHaveLength(15)
      expect(await heard(webhooks[0] ?? '')).toHaveLength(8)
    })

    test('old events are forgotten, some at a time', async () => {
      const webhook = await newWebhook(owner)
      // Not so old that a running Worker forgets them meanwhile, and older than what other tests leave.
      const old = Date.now() - 29 * 86_400_000 - begin
      for (const ms of [old, old + 1, old + 2, 0]) await pinged(webhook, owner, ms)
      expect(await stores.webhooks.forgetOld({ before: at(old + 2), limit: 1 })).toBe(1)
      expect(await log(webhook)).toHaveLength(3)
      expect(await stores.webhooks.forgetOld({ before: at(old + 2), limit: 100 })).toBe(1)
      const left = new Set((await log(webhook)).map(({ createdAt }) => createdAt))
      expect(left).toEqual(new Set([at(0), at(old + 2)]))
    })
  })
}
