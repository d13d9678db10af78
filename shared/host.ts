// Sandbox hosts as the Worker knows them: what each says of itself (POST /internal/hosts), and the headers between the two.
import { z } from 'zod'
import { receiptKeySchema } from './receipt.ts'
import { tierSchema } from './tiers.ts'

/** Belongs to a data directory, not to a machine. */
export const hostIdSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be 1 to 63 of a-z 0-9 -')
/** What the proxy in front of the hosts calls the machine. */
export const instanceSchema = z.string().regex(/^[\w-]{1,63}$/, 'must be 1 to 63 of A-Z a-z 0-9 _ -')

/** `resting` takes work, and beats again with it; `draining` takes no more; `left` has handed over all that it had. */
export const hostStateSchema = z.enum(['up', 'resting', 'draining', 'left'])
export type HostState = z.infer<typeof hostStateSchema>

/** POST /internal/hosts at the Worker, when the state changes and every `beatMs` between; every `restBeatMs` while it rests. */
export const hostBeatSchema = z.strictObject({
  host: hostIdSchema,
  instance: instanceSchema,
  state: hostStateSchema,
  /** Those that fit its memory. */
  tiers: z.array(tierSchema).min(1).max(4),
  threads: z.number().int().min(1).max(1_024),
  /** Runs that are begun or wait. */
  load: z.number().int().min(0).max(10_000_000),
  /** Known before the first receipt is. */
  receiptKey: receiptKeySchema,
  /** By the host's clock: orders its beats, so that an old one that comes late or again changes nothing. */
  at: z.iso.datetime(),
})
export type HostBeat = z.infer<typeof hostBeatSchema>

export const beatMs = 5_000
/** Whoever missed this many beats is given no more work. */
export const lostMs = 3 * beatMs
/** A host that has had no work for so long rests: each beat is a statement, and Neon sleeps when it gets none for five minutes. */
export const restAfterMs = 60_000
export const restBeatMs = 12 * 3_600_000
/** So long one that rests is believed to be there. One that is not costs whoever is sent there a second try. */
export const restingMs = 25 * 3_600_000
/** So long a host that was lost is asked for what it may hold still. */
export const holdsMs = 600_000

/** Names who is meant, beside the signature, which holds for that host alone. */
export const hostHeader = 'Bounty-Host'
/** In every answer of a host: runs that are begun or wait there. */
export const loadHeader = 'Bounty-Load'
/** Of POST /v1/executions: `outcome` asks for what the API answers (shared/execution.ts), to be passed on as it is, in place of the record. */
export const answerHeader = 'Bounty-Answer'
/** Beside such an answer: how the guest ended. */
export const statusHeader = 'Bounty-Status'
/** https://fly.io/docs/networking/dynamic-request-routing/#the-fly-prefer-instance-id-header: the proxy hands on to another one when it is away. */
export const preferInstanceHeader = 'fly-prefer-instance-id'
