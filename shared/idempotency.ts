// What the header Idempotency-Key may be, and how long it counts.
import { z } from 'zod'
import { assert } from './assert.ts'
import { tierNames, tiers } from './tiers.ts'

/** The platform's published figure: a day. */
export const keptMs = 24 * 60 * 60 * 1_000

/** A request that has no answer after this has lost its Worker: longer than the longest run and its waiting (90 s). */
export const claimMs = 90_000

for (const name of tierNames) assert(tiers[name].wallMsMax < claimMs, `a run of tier ${name} must end before its claim lapses`)

/** Opaque to us; what a header can carry and a person can read out. */
export const idempotencyKeySchema = z.string().regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 visible ASCII characters')
