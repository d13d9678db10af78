// What the Worker asks of whoever carries messages; see ports.ts. What is carried stands in event-log.ts.
import type { Announcement } from './announcements.ts'
import type { EventMessage } from './event-log.ts'

/** Carries messages to whoever takes them, at least once and in no order. Throws plain errors; a message that may have been lost is no loss. */
export interface EventLog {
  /** Whether hosts take messages of executions, and run them; else the Worker takes all. */
  readonly isTakenByHosts: boolean
  /** @param delaySeconds not sooner */
  publish(messages: EventMessage[], options?: { delaySeconds: number }): Promise<void>
  /** Tells whoever listens; absent where nobody can. */
  announce?(announcements: Announcement[]): Promise<void>
  ping(): Promise<void>
}
