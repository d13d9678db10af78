// The event log over Cloudflare Queues. What arrives there comes back to this Worker (workers/index.ts).
import { messageBytesMax, type EventMessage } from '../../shared/event-log.ts'
import type { EventLog } from '../../shared/event-log-port.ts'

/** As the platform gives it; only what is used. */
export type QueueBinding = {
  sendBatch: (messages: { body: unknown; contentType: 'json' }[], options?: { delaySeconds?: number }) => Promise<unknown>
  metrics: () => Promise<unknown>
}

/** Of one call: https://developers.cloudflare.com/queues/platform/limits */
const batchMessagesMax = 100
/** The same source: 12 hours; and 256 KB a batch, which a hundred messages of ours are far from. */
const delaySecondsMax = 43_200

export function queueEventLog(queue: QueueBinding): EventLog {
  return {
    isTakenByHosts: false,
    async publish(messages, { delaySeconds } = { delaySeconds: 0 }) {
      for (let from = 0; from < messages.length; from += batchMessagesMax) {
        const batch = messages.slice(from, from + batchMessagesMax).map((body) => ({ body: fitting(body), contentType: 'json' as const }))
        await queue.sendBatch(batch, { delaySeconds: Math.min(Math.ceil(delaySeconds), delaySecondsMax) })
      }
    },
    // Asks how much waits: the queue answers without a message being written or paid for.
    async ping() {
      await queue.metrics()
    },
  }
}

function fitting(message: EventMessage): EventMessage {
  const bytes = new TextEncoder().encode(JSON.stringify(message)).length
  if (bytes > messageBytesMax)
    throw new Error(`a message about ${message.topic} has ${bytes} bytes; at most ${messageBytesMax} are allowed`)
  return message
}
