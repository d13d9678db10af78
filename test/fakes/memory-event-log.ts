// The event log over a list: messages stay until a test delivers them, loses them or doubles them.
import { messageBytesMax, type EventMessage, type ExecutionMessage, type JudgingMessage } from '../../shared/event-log.ts'
import type { EventLog } from '../../shared/event-log-port.ts'

export type MemoryEventLog = Omit<EventLog, 'isTakenByHosts'> & {
  isTakenByHosts: boolean
  messages: { message: EventMessage; delaySeconds: number }[]
  failure: Error | undefined
}

export function memoryEventLog(): MemoryEventLog {
  const log: MemoryEventLog = {
    isTakenByHosts: false,
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

export function judgingOf(message: EventMessage): JudgingMessage {
  if (message.topic !== 'judgings') throw new Error(`a message of the topic ${message.topic}`)
  return message
}

export function executionOf(message: EventMessage): ExecutionMessage {
  if (message.topic !== 'executions') throw new Error(`a message of the topic ${message.topic}`)
  return message
}
