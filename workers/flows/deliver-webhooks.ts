// Sends what is due to webhooks. May run any number of times at once and break off anywhere: each delivery is claimed before it is sent, and
// an attempt that nobody noted the end of is repeated when its lease ends. So every event arrives at least once, or is given up in the log.
import { attemptLeaseMs, attemptMsMax, afterAttempt, deliveriesKeptMs, type AttemptEnd } from '../../shared/webhook.ts'
import type { ClaimedDelivery } from '../../shared/webhook-ports.ts'
import { errorText } from '../log.ts'
import type { Services } from '../services.ts'
import { hostOf, isPublicAddress, localUrlFault, webhookUrlFault } from '../webhook-address.ts'
import { signWebhook } from '../webhook-signature.ts'

/** A Worker has six connections at once, and each of these needs one for the receiver and now and then one for the database. */
const lanes = 4
/** No delivery is begun after this; one more attempt then ends within the 30 s that work in the background has. */
const runMsMax = 18_000
const forgottenAtOnceMax = 500

/** @returns how many attempts it made */
export async function deliverWebhooks(services: Services): Promise<number> {
  const endsAt = services.now() + runMsMax
  // Most of the time there is nothing to do, and one question is enough to know.
  const first = await claimNext(services)
  if (!first) return 0
  let attempts = 0
  const lane = async (begun?: Claimed) => {
    for (let claimed = begun ?? (await claimNext(services)); claimed; claimed = await claimNext(services)) {
      attempts++
      await deliver(services, claimed)
      if (services.now() >= endsAt) return
    }
  }
  await Promise.all(Array.from({ length: lanes }, (_, i) => lane(i === 0 ? first : undefined)))
  return attempts
}

/** Sends what is due, and forgets what is old. Fired by the cron. */
export async function sweepWebhooks(services: Services): Promise<void> {
  await deliverWebhooks(services)
  const before = new Date(services.now() - deliveriesKeptMs).toISOString()
  const forgotten = await services.webhooks.forgetOld({ before, limit: forgottenAtOnceMax })
  if (forgotten > 0) services.log.info('old events forgotten', { count: forgotten })
}

type Claimed = { claim: string; delivery: ClaimedDelivery }

async function claimNext({ webhooks, now }: Services): Promise<Claimed | undefined> {
  const claim = crypto.randomUUID()
  const delivery = await webhooks.claimDelivery({ claim, at: new Date(now()).toISOString(), leaseMs: attemptLeaseMs })
  return delivery && { claim, delivery }
}

async function deliver(services: Services, { claim, delivery }: Claimed): Promise<void> {
  const { webhooks, counters, log, now } = services
  const { id, webhookId, eventId, attempts } = delivery
  const end = await attempt(services, delivery)
  const after = afterAttempt(end, { attempts, now: now() })
  await webhooks.endAttempt({ id, claim }, { ...end, ...after })
  counters.add('webhook_attempts_total', { outcome: end.error === null ? 'delivered' : 'failed' })
  log.info('webhook attempted', { deliveryId: id, webhookId, eventId, attempts, status: after.status, ...end })
}

async function attempt(services: Services, claimed: ClaimedDelivery): Promise<AttemptEnd> {
  const { allowsLocalWebhooks, log, now } = services
  try {
    const fault = allowsLocalWebhooks ? localUrlFault(claimed.url) : await publicUrlFault(services, claimed.url)
    if (fault !== undefined) return { answerStatus: null, error: `the address ${fault}` }
    const secret = await services.webhookSecrets.open(claimed.sealedSecret, claimed.webhookId)
    const signature = await signWebhook({ secret, id: claimed.eventId, at: now(), body: claimed.body })
    return await send(claimed, { ...signature, 'content-type': 'application/json', 'user-agent': 'agent-bounty-webhooks' })
  } catch (error) {
    log.error('webhook not sent', { deliveryId: claimed.id, error: errorText(error) })
    return { answerStatus: null, error: 'the event could not be sent for a reason on our side' }
  }
}

/** The rules may have changed since the webhook was made, and what its name stands for may change at any time. */
async function publicUrlFault({ addresses }: Services, url: string): Promise<string | undefined> {
  const fault = webhookUrlFault(url)
  const host = hostOf(new URL(url))
  if (fault !== undefined || 'address' in host) return fault
  const found = await addresses.resolve(host.name).catch(() => undefined)
  if (found === undefined) return `has the name ${host.name}, which could not be looked up`
  if (found.length === 0) return `has the name ${host.name}, which stands for nothing`
  return found.every(isPublicAddress) ? undefined : `has the name ${host.name}, which stands for something that is not public`
}

async function send({ url, body }: ClaimedDelivery, headers: Record<string, string>): Promise<AttemptEnd> {
  try {
    const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal: AbortSignal.timeout(attemptMsMax) })
    // The status is the answer; whatever else the receiver has to say is not read.
    await response.body?.cancel()
    const { status } = response
    if (response.ok) return { answerStatus: status, error: null }
    const isRedirect = status >= 300 && status < 400
    return { answerStatus: status, error: `answered ${status}${isRedirect ? ', and redirects are not followed' : ''}` }
  } catch (error) {
    const isLate = error instanceof Error && error.name === 'TimeoutError'
    return {
      answerStatus: null,
      error: isLate ? `did not answer within ${attemptMsMax / 1_000} s` : 'did not answer: the connection failed',
    }
  }
}
