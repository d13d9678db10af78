// What the Worker asks of whoever keeps dead letters; see ports.ts. Those of work are written with its end, by the stores in which it ends.
import type { DeadLetter, DeadLetterKind, RefusedMessage } from './dead-letter.ts'
import type { Cut, Listed } from './ports.ts'

export type DeadLetterFilters = { kind?: DeadLetterKind | undefined; agentId?: string | undefined }

/** Where `accountId` may be given it says whose it must be; anybody's when absent. */
export interface DeadLetterStore {
  /** Newest first. */
  list(page: DeadLetterFilters & Cut & { accountId?: string | undefined }): Promise<Listed<DeadLetter>>
  find(id: string, accountId?: string): Promise<DeadLetter | undefined>
  /** @returns false when there was none */
  remove(id: string, accountId?: string): Promise<boolean>
  /** Says which work replays it, if that is still `from`. */
  replay(id: string, replayed: { from: string | null; to: string | null }): Promise<boolean>
  /** One for the same message at the same place, however often it is told; none while there are `refusedMessagesMax`. */
  keepRefused(message: RefusedMessage, letter: { id: string; at: string }): Promise<void>
  /** Those that were not announced, the oldest first. */
  unannounced(limit: number): Promise<DeadLetter[]>
  announced(ids: string[], at: string): Promise<void>
  /** @returns how many it deleted */
  forgetOld(old: { before: string; limit: number }): Promise<number>
}
