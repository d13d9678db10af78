// What the Worker asks of the world about sandbox hosts; the rules of ports.ts apply.
import type { HostBeat, HostState } from './host.ts'
import type { TierName } from './tiers.ts'

/** A host as it was last heard of. */
export type HeardHost = {
  id: string
  instance: string
  state: HostState
  tiers: TierName[]
  threads: number
  load: number
  /** Since then, by the database's clock. */
  heardMs: number
}

/** The sandbox hosts, by what they say of themselves. */
export interface HostStore {
  /** A beat that is older than the one before it changes nothing. */
  beat(beat: HostBeat): Promise<void>
  /** Whoever was heard of within `heardMsMax`, in whatever state, or within `restingMsMax`, if it rests; last heard first. */
  list(heard: { heardMsMax: number; restingMsMax: number; limit: number }): Promise<HeardHost[]>
}
