// Whoever takes part in a comparison of whole systems: ours, and the peers that one would set up instead.
import type { LoadOptions } from './load.ts'
import type { PeerProgramName } from './peers/peer-programs.ts'

/** What a caller may rely on. `how` stands in the table, whether it holds or not. */
export type Guarantee = { holds: boolean; how: string }

/** The first three make a sandbox for strangers' programs: only who gives the same is compared with. */
export const sandboxGuarantees = ['memory limit', 'CPU limit', 'isolation between runs'] as const
export const guaranteeNames = [...sandboxGuarantees, 'determinism', 'durable result'] as const
export type GuaranteeName = (typeof guaranteeNames)[number]
export type Guarantees = Record<GuaranteeName, Guarantee>

/** `ended`: the program was stopped, or its request broken off by the server, and why. `refused`: it was not begun. */
export type Answer = { kind: 'output'; text: string } | { kind: 'ended' | 'refused'; why: string }

export type Judged = { ms: number; outputSha256: string[] }

export type Contender = {
  name: string
  version: string
  isOurs: boolean
  guarantees: Guarantees
  /** Programs that it cannot run, and why; the work that needs them is left out. */
  cannotRun: Partial<Record<PeerProgramName, string>>
  /** The longest that a program may run. */
  wallMsMax: number
  /** @returns what the load generator sends; an answer that is not `isRight` counts as failed */
  load: (program: PeerProgramName, input: unknown) => Pick<LoadOptions, 'url' | 'method' | 'headers' | 'body' | 'requests'>
  isRight: (body: string, output: string) => boolean
  ask: (program: PeerProgramName, input: unknown, signal?: AbortSignal) => Promise<Answer>
  /** Runs the program `markdown` on every case and says whether all outputs are as expected. */
  judge: () => Promise<Judged>
  /** Where programs run. */
  pid: () => number
  /** Without what may still be running in it; ours goes on. */
  restart: () => Promise<void>
  /** Once more does nothing. */
  stop: () => Promise<void>
}
