// What arrives from the event log. A message that is no message is logged and let go: nothing is lost with it, since rows say where there is
// work. One whose work failed for want of the database comes again by itself, a few times.
import { eventMessageSchema, type EventMessage } from '../shared/event-log.ts'
import { deliverWebhooks } from './flows/deliver-webhooks.ts'
import { judgeSubmission } from './flows/judge-submission.ts'
import { runExecution } from './flows/run-execution.ts'
import { errorText } from './log.ts'
import type { Services } from './services.ts'

/** As the platform gives it. */
export type ArrivedMessage = { id: string; body: unknown; ack: () => void; retry: (options?: { delaySeconds: number }) => void }

const retryDelaySeconds = 5

/** All at once: the platform gives ten at most (wrangler.toml). */
export async function takeMessages(services: Services, messages: readonly ArrivedMessage[]): Promise<void> {
  await Promise.all(messages.map((message) => takeMessage(services, message)))
}

async function takeMessage(services: Services, message: ArrivedMessage): Promise<void> {
  const { log } = services
  const parsed = eventMessageSchema.safeParse(message.body)
  if (!parsed.success) {
    log.error('message not understood', { messageId: message.id, error: parsed.error.message.slice(0, 500) })
    message.ack()
    return
  }
  try {
    await takeTurn(services, parsed.data)
    message.ack()
  } catch (error) {
    log.error('message not taken', { messageId: message.id, error: errorText(error) })
    message.retry({ delaySeconds: retryDelaySeconds })
  }
}

/** One turn; when it was the last one, what hears of the end is told. @param host that took the message from the log, where one did */
export async function takeTurn(services: Services, message: EventMessage, host?: string): Promise<void> {
  const hasEnded =
    message.topic === 'judgings' ? await judgeSubmission(services, { ...message, host }) : await runExecution(services, message)
  if (hasEnded) await deliverWebhooks(services)
}
