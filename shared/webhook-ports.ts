// What sending to webhooks asks of the world; as in ports.ts, an adapter and a fake pass the same contract.
import type { AfterAttempt, AttemptEnd, Delivery, Webhook } from './webhook.ts'

/** `sealedSecret` is encrypted for this webhook alone; the store cannot read it. */
export type NewWebhook = Webhook & { sealedSecret: string }
/** What sending takes. `body` is the event's JSON text, byte for byte what is signed; `attempts` counts this one. */
export type ClaimedDelivery = Pick<Delivery, 'id' | 'webhookId' | 'eventId' | 'attempts'> & {
  url: string
  sealedSecret: string
  body: string
}
export type DeliveryClaim = { claim: string; at: string; leaseMs: number }

/**
 * Webhooks and what is sent to them. Events of bounties and submissions, and their deliveries, are written by the stores that change those,
 * in the transaction of the change, when a webhook of a concerned account (shared/events.ts) is made for that type.
 */
export interface WebhookStore {
  /** @returns false, and makes none, when the account has `webhooksPerAccountMax` already */
  create(accountId: string, webhook: NewWebhook): Promise<boolean>
  find(id: string, accountId: string): Promise<Webhook | undefined>
  /** Newest first. @param after id of the last webhook of the page before */
  list(accountId: string, page: { limit: number; after?: string | undefined }): Promise<Webhook[]>
  /** With its deliveries. @returns whether there was one */
  remove(id: string, accountId: string): Promise<boolean>
  /** Writes the event `webhook.ping` and its delivery, once for each id. @returns undefined when there is no such webhook */
  ping(webhookId: string, ping: { accountId: string; eventId: string; deliveryId: string; at: string }): Promise<Delivery | undefined>
  /** Newest first. @param after id of the last delivery of the page before */
  deliveries(webhookId: string, page: { limit: number; after?: string | undefined }): Promise<Delivery[]>
  /**
   * Makes a delivery due at once: with all its attempts anew unless it was pending. One that is being sent stays as it is.
   * @returns it as it is now; undefined when the webhook has no such delivery
   */
  redeliver(id: string, to: { webhookId: string; accountId: string; at: string }): Promise<Delivery | undefined>
  /**
   * One delivery that is due, for whoever names itself in `claim`, until the lease ends: first those that were tried least. A webhook that is
   * being sent `sendingPerWebhookMax` gets no more, so that a slow receiver holds up itself alone.
   */
  claimDelivery(claim: DeliveryClaim): Promise<ClaimedDelivery | undefined>
  /** Nothing happens when the claim has lapsed and somebody else has it. */
  endAttempt(delivery: Pick<ClaimedDelivery, 'id'> & { claim: string }, end: AttemptEnd & AfterAttempt): Promise<void>
  /** Some of the events from before `before`, with their deliveries. @returns how many */
  forgetOld(old: { before: string; limit: number }): Promise<number>
}

/** What a name stands for, at this moment. */
export interface AddressResolver {
  /** Addresses of IPv4 and IPv6; none when there is no such name. @throws Error when nobody can say */
  resolve(name: string): Promise<string[]>
}
