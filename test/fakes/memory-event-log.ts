// The event log over a list: messages stay until a test delivers them, loses them or doubles them.
import { messageBytesMax, type EventMessage } from '../../shared/event-log.ts'
import type { EventLog } from '../../shared/ports.ts'

export type MemoryEventLog = EventLog & { messages: { message: EventMessage; delaySeconds: number }[]; failure: Error | undefined }

export function memoryEventLog(): MemoryEventLog {
  const log: MemoryEventLog = {
    messages: [],
    failure: undefined,
    async publish(messages, { delaySeconds } = { delaySeconds: 0 }) {
      if (log.failure) throw log.failure
      const large = messages.find((message) => JSON.stringify(message).length > messageBytesMax)
      if (large) throw new Error(`a message about ${large.topic} is too large: at most ${messageBytesMax} are allowed`)
      log.messages.push(...messages.map((message) => ({ message, delaySeconds })))
    },
    async ping() {
      if (log.failure) throw log.failure
    },
  }
  return log
}
