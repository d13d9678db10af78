// What the sweeps (workers/flows/sweep.ts) ask of the database beside the work itself; ports as those in ports.ts. Instants are the Worker's.

/** A claim on the bytes of a program ends by itself. */
export type ClaimTime = { at: string; until: string }

/** Who may rely on the bytes of a program, and who may delete them: never two at once. */
export interface ProgramClaims {
  /** To be called before the bytes are looked for or put. @returns false while a sweep is about to delete them */
  hold(sha256: string, time: ClaimTime): Promise<boolean>
  /** @returns those that no version of an agent names and nobody holds; they are the caller's to delete until `until` */
  claim(sha256s: string[], time: ClaimTime): Promise<string[]>
  /** What `claim` would return. */
  unnamed(sha256s: string[], time: { at: string }): Promise<string[]>
  /** After their bytes are deleted. */
  release(sha256s: string[]): Promise<void>
}

export type OldRows = { executions: number; rejectedOutcomes: number }

export interface RetentionStore {
  /** @returns those of `bundles` that executions which ended at or after `since` name */
  namedBundles(bundles: string[], since: string): Promise<string[]>
  /** @returns those of `executions` that ended at or after `since` */
  keptExecutions(executions: string[], since: string): Promise<string[]>
  /** Rows that ended, or were received, before `before`. @returns at most `limit` of each kind */
  countOld(old: { before: string; limit: number }): Promise<OldRows>
  /** Deletes what `countOld` counts. */
  deleteOld(old: { before: string; limit: number }): Promise<OldRows>
  /** The next step, for one of many who ask at once; undefined while none is due. `leaseUntil`: when somebody else may take it. */
  takeStep(time: { at: string; leaseUntil: string }): Promise<{ cursor: string | null } | undefined>
  endStep(step: { cursor: string | null; dueAt: string }): Promise<void>
}

/** What waits for a sweep: turns of work, deadlines, deliveries to webhooks. */
export interface DueTimes {
  /** When the first of it is due, or was; undefined while nothing waits. */
  earliest(): Promise<string | undefined>
}
