// Webhooks, events and deliveries over maps. What ends a bounty, a submission or an execution tells it, as the triggers of Postgres do.
import type { BountySummary } from '../../shared/bounty.ts'
import { webhookEventSchema, type WebhookEvent } from '../../shared/events.ts'
import type { Execution } from '../../shared/execution.ts'
import type { NewWebhook, WebhookStore } from '../../shared/webhook-ports.ts'
import type { Submission } from '../../shared/submission.ts'
import { sendingPerWebhookMax, webhooksPerAccountMax, type Delivery, type Webhook } from '../../shared/webhook.ts'
import { idOf } from './id-of.ts'

type KeptWebhook = NewWebhook & { accountId: string }
type Kept = Delivery & { claim: string | null }

type EndedExecution = Pick<Execution, 'id' | 'agentId' | 'version' | 'status' | 'finishedAt'> & { accountId: string }

export type MemoryWebhooks = {
  store: WebhookStore
  submissionFinished: (submission: Omit<Submission, 'verdicts'>, ownerId: string) => void
  executionFinished: (execution: EndedExecution) => void
  bountyClosed: (bounty: BountySummary, winnerId?: string) => void
  /** Of deliveries. */
  dueTimes: () => (string | null)[]
}

export function memoryWebhooks(): MemoryWebhooks {
  const webhooks = new Map<string, KeptWebhook>()
  const deliveries = new Map<string, Kept>()
  const own = (id: string, accountId: string) => {
    const found = webhooks.get(id)
    return found?.accountId === accountId ? found : undefined
  }
  const isSending = ({ claim, nextAttemptAt }: Kept, at: string) => claim !== null && nextAttemptAt !== null && nextAttemptAt > at

  function add(webhookId: string, { id, eventId, event }: { id: string; eventId: string; event: WebhookEvent }): void {
    if (deliveries.has(id)) return
    const at = event.timestamp
    const none = { attempts: 0, lastAttemptAt: null, lastAnswerStatus: null, lastError: null, claim: null }
    deliveries.set(id, { id, webhookId, eventId, event, status: 'pending', ...none, nextAttemptAt: at, createdAt: at })
  }

  function emit(event: unknown, accountIds: string[]): void {
    const parsed = webhookEventSchema.parse(event)
    const eventId = idOf('event')
    for (const { id, accountId, events } of webhooks.values()) {
      const isHeard = accountIds.includes(accountId) && events.some((type) => type === parsed.type)
      if (isHeard) add(id, { id: idOf('delivery'), eventId, event: parsed })
    }
  }

  return {
    dueTimes: () => [...deliveries.values()].map(({ nextAttemptAt }) => nextAttemptAt),
    submissionFinished({ id: submissionId, accountId, finishedAt, ...submission }, ownerId) {
      const { bountyId, agentId, version, round, status, casesTotal, casesPassed } = submission
      const data = { submissionId, bountyId, agentId, version, round, status, casesTotal, casesPassed }
      emit({ type: 'submission.finished', timestamp: finishedAt, data }, [accountId, ownerId])
    },
    executionFinished({ id: executionId, agentId, version, status, accountId, finishedAt }) {
      emit({ type: 'execution.finished', timestamp: finishedAt, data: { executionId, agentId, version, status } }, [accountId])
    },
    bountyClosed({ id: bountyId, accountId, status, rewardCredits, awardedSubmissionId, closedAt }, winnerId) {
      const data = { bountyId, status, rewardCredits, ...(awardedSubmissionId === null ? {} : { submissionId: awardedSubmissionId }) }
      emit({ type: `bounty.${status}`, timestamp: closedAt, data }, [accountId, ...(winnerId === undefined ? [] : [winnerId])])
    },
    store: {
      async create(accountId, webhook) {
        if ([...webhooks.values()].filter((kept) => kept.accountId === accountId).length >= webhooksPerAccountMax) return false
        if (webhooks.has(webhook.id)) throw new Error(`webhook ${webhook.id} is there already`)
        webhooks.set(webhook.id, { ...webhook, accountId })
        return true
      },
      async find(id, accountId) {
        const found = own(id, accountId)
        return found && shown(found)
      },
      async list(accountId, { limit, after }) {
        const mine = [...webhooks.values()].filter((kept) => kept.accountId === accountId)
        return page(mine, { limit, after }).map(shown)
      },
      async remove(id, accountId) {
        if (!own(id, accountId)) return false
        webhooks.delete(id)
        for (const delivery of deliveries.values()) if (delivery.webhookId === id) deliveries.delete(delivery.id)
        return true
      },
      async ping(webhookId, { accountId, eventId, deliveryId, at }) {
        if (!own(webhookId, accountId)) return undefined
        add(webhookId, { id: deliveryId, eventId, event: { type: 'webhook.ping', timestamp: at, data: { webhookId } } })
        const made = deliveries.get(deliveryId)
        return made && delivered(made)
      },
      async deliveries(webhookId, { limit, after }) {
        const mine = [...deliveries.values()].filter((kept) => kept.webhookId === webhookId)
        return page(mine, { limit, after }).map(delivered)
      },
      async redeliver(id, { webhookId, accountId, at }) {
        const kept = deliveries.get(id)
        if (!own(webhookId, accountId) || kept?.webhookId !== webhookId) return undefined
        if (!isSending(kept, at)) {
          const attempts = kept.status === 'pending' ? kept.attempts : 0
          deliveries.set(id, { ...kept, status: 'pending', attempts, claim: null, nextAttemptAt: at })
        }
        return delivered(deliveries.get(id) ?? kept)
      },
      async claimDelivery({ claim, at, leaseMs }) {
        const all = [...deliveries.values()]
        const sending = (webhookId: string) => all.filter((kept) => kept.webhookId === webhookId && isSending(kept, at)).length
        const [next] = all
          .filter(({ webhookId, nextAttemptAt }) => (nextAttemptAt ?? '~') <= at && sending(webhookId) < sendingPerWebhookMax)
          .toSorted((a, b) => a.attempts - b.attempts || ((a.nextAttemptAt ?? '') < (b.nextAttemptAt ?? '') ? -1 : 1))
        const webhook = webhooks.get(next?.webhookId ?? '')
        if (!next || !webhook) return undefined
        const { id, webhookId, eventId, event } = next
        const attempts = next.attempts + 1
        const nextAttemptAt = new Date(Date.parse(at) + leaseMs).toISOString()
        deliveries.set(id, { ...next, attempts, claim, lastAttemptAt: at, nextAttemptAt })
        const { url, sealedSecret } = webhook
        return { id, webhookId, eventId, attempts, url, sealedSecret, body: JSON.stringify(event) }
      },
      async endAttempt({ id, claim }, { status, dueAt, answerStatus, error }) {
        const kept = deliveries.get(id)
        if (kept?.claim !== claim) return
        const nextAttemptAt = dueAt === null ? null : new Date(dueAt).toISOString()
        deliveries.set(id, { ...kept, status, nextAttemptAt, claim: null, lastAnswerStatus: answerStatus, lastError: error })
      },
      async forgetOld({ before, limit }) {
        const old = [...new Set([...deliveries.values()].filter((kept) => kept.createdAt < before).map(({ eventId }) => eventId))].slice(
          0,
          limit,
        )
        for (const kept of deliveries.values()) if (old.includes(kept.eventId)) deliveries.delete(kept.id)
        return old.length
      },
    },
  }
}

function shown({ id, url, events, createdAt }: KeptWebhook): Webhook {
  return { id, url, events, createdAt }
}

function delivered({ claim: _claim, ...delivery }: Kept): Delivery {
  return delivery
}

function page<T extends { id: string }>(items: T[], { limit, after }: { limit: number; after: string | undefined }): T[] {
  const newestFirst = items.toSorted((a, b) => (a.id < b.id ? 1 : -1))
  return newestFirst.filter(({ id }) => after === undefined || id < after).slice(0, limit)
}
