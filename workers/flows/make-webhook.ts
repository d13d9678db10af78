// Makes a webhook for an account. Its secret is drawn here, shown once, and kept sealed: the Worker alone can open it, to sign.
import { ProblemError } from '../../shared/problem.ts'
import { webhooksPerAccountMax, type Webhook, type WebhookCreate } from '../../shared/webhook.ts'
import type { Attempt } from '../idempotency.ts'
import { invalidRequest } from '../request-issues.ts'
import type { Services } from '../services.ts'
import { localUrlFault, webhookUrlFault } from '../webhook-address.ts'
import { newWebhookSecret } from '../webhook-signature.ts'

export type MakeWebhook = { accountId: string; webhook: WebhookCreate; attempt: Attempt }

/** @returns the webhook with its secret; a retry that finds it made has no secret to show */
export async function makeWebhook(
  services: Services,
  { accountId, webhook, attempt }: MakeWebhook,
): Promise<Webhook & { secret?: string }> {
  const { webhooks, webhookSecrets, allowsLocalWebhooks, log, now } = services
  const fault = allowsLocalWebhooks ? localUrlFault(webhook.url) : webhookUrlFault(webhook.url)
  if (fault !== undefined) throw invalidRequest([{ field: 'url', message: fault }])
  const id = attempt.newId('webhook')
  const made = attempt.isRetry ? await webhooks.find(id, accountId) : undefined
  if (made) return made
  const secret = newWebhookSecret()
  const fresh: Webhook = {
    id,
    url: new URL(webhook.url).href,
    events: [...new Set(webhook.events)],
    createdAt: new Date(now()).toISOString(),
  }
  const sealedSecret = await webhookSecrets.seal(secret.bytes, id)
  if (!(await webhooks.create(accountId, { ...fresh, sealedSecret }))) {
    throw new ProblemError('too-many-webhooks', {
      detail: `the account has ${webhooksPerAccountMax} webhooks, which is the most it may have; delete one that is not needed`,
    })
  }
  log.info('webhook made', { webhookId: id, accountId, events: fresh.events.join(' ') })
  return { ...fresh, secret: secret.shown }
}

export function webhookNotFound(id: string): ProblemError {
  return new ProblemError('webhook-not-found', { detail: `your account has no webhook ${id}` })
}
