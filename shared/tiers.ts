// What one run may use. Tiers are the promise to callers; the bounds below them are the same in every tier. Relations between
// the numbers are asserted when the module loads.
import { z } from 'zod'
import { assert } from './assert.ts'

const MiB = 1024 * 1024

/**
 * Fuel per millisecond of a tier's wall clock. One unit is about one Wasm instruction; a healthy host burns well over this
 * (see bench/RESULTS.md), so fuel, which is reproducible, ends a run before the clock, which is not.
 */
const fuelPerWallMs = 400_000

export const tierNames = ['basic', 'standard', 'premium', 'enterprise'] as const
export const tierSchema = z.enum(tierNames).meta({ description: 'Memory, wall-clock and fuel budget of a run' })
export type TierName = (typeof tierNames)[number]

export type Tier = { memoryBytesMax: number; wallMsMax: number; fuelMax: number }

/** Memory and wall clock per tier come from the platform's published table. */
export const tiers: Record<TierName, Tier> = {
  basic: tier(128, 5_000),
  standard: tier(256, 15_000),
  premium: tier(384, 30_000),
  enterprise: tier(512, 60_000),
}

function tier(memoryMiB: number, wallMsMax: number): Tier {
  return { memoryBytesMax: memoryMiB * MiB, wallMsMax, fuelMax: wallMsMax * fuelPerWallMs }
}

/** Bounds that hold in every tier. Bytes are of the UTF-8 form. */
export const limits = {
  /** Body of any API request but a deploy. */
  bodyBytesMax: 1 * MiB,
  /**
   * Source of a script or bytes of a module or component, before base64. What `jco componentize` makes of JavaScript is 11.6 MB of
   * engine (1.17.6, measured) and the author's code. The engine's own bound, MODULE_BYTES_MAX of `sandbox-host/engine/src/upload.rs`,
   * is the same.
   */
  programBytesMax: 16 * MiB,
  /** JSON text given to a run; smaller than a body, which carries it. */
  inputBytesMax: 512 * 1024,
  outputBytesMax: 1 * MiB,
  /** stdout and stderr each; what is beyond is dropped and `truncated` is set. */
  logBytesMax: 64 * 1024,
  artifactCountMax: 32,
  artifactBytesMax: 8 * MiB,
  /** Cases of one bounty, and the bytes of their inputs and expectations together. */
  casesPerBountyMax: 2_000,
  caseBytesMax: 8 * MiB,
  /** Expected output of one case. */
  expectedBytesMax: 512 * 1024,
  /** JSON text given to a checker: the largest input, expectation and output together, and their frame. */
  checkerInputBytesMax: 2 * MiB + 64,
  /** JSON text that a checker returns: far more than the part of its message that is kept. */
  checkerOutputBytesMax: 64 * 1024,
  /**
   * What an account may have; keys and webhooks have bounds of their own (api-key.ts, webhook.ts). The first two are held by triggers of
   * workers/migrations/0010-lists.sql, where the same numbers stand.
   */
  agentsPerAccountMax: 1_000,
  openBountiesPerAccountMax: 1_000,
  versionsPerAgentMax: 1_000,
  /** Asynchronous executions that have not ended: those that wait, and those that run. The same number stands in 0012-async-executions.sql. */
  executionsWaitingPerAccountMax: 64,
} as const

assert(limits.inputBytesMax < limits.bodyBytesMax, 'an input must fit into a body')
assert(
  limits.inputBytesMax + limits.expectedBytesMax + limits.outputBytesMax < limits.checkerInputBytesMax,
  'a checker must be given whatever an agent may return',
)
for (const name of tierNames) assert(Number.isSafeInteger(tiers[name].fuelMax), `fuel of tier ${name} must be a safe integer`)
