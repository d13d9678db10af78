// List prices of what the platform runs on, and of what somebody might run the same work on: the one place where money per operation
// stands. Without taxes and discounts; what a plan includes for nothing is `included`. How they become the cost of an execution:
// execution-cost.ts; of a month: bench/monthly-bill.ts.

export type Price = {
  /** US dollars for `per` of the unit. */
  usd: number
  per: number
  unit: string
  /** Of the unit, in each month, before anything is charged. */
  included?: number
  source: string
  /** Day on which the source said so. */
  asOf: string
}

const million = 1_000_000

const workers = { source: 'https://developers.cloudflare.com/workers/platform/pricing/', asOf: '2026-08-03' } as const
const r2 = { source: 'https://developers.cloudflare.com/r2/pricing/', asOf: '2026-08-03' } as const
const neon = { source: 'https://neon.com/docs/introduction/plans', asOf: '2026-11-12' } as const
/** Ashburn; other regions are dearer, Frankfurt by 15 %. */
const fly = { source: 'https://fly.io/docs/about/pricing/', asOf: '2026-08-07' } as const
const e2b = { source: 'https://e2b.dev/docs/faq/calculate-sandbox-price', asOf: '2026-08-06' } as const
/** x86, us-east-1. */
const lambda = { source: 'https://aws.amazon.com/lambda/pricing/', asOf: '2026-09-20' } as const
const containers = { source: 'https://developers.cloudflare.com/containers/pricing/', asOf: '2026-08-03' } as const

export const prices = {
  workersPlanMonth: { usd: 5, per: 1, unit: 'month', ...workers },
  workerRequest: { usd: 0.3, per: million, unit: 'request', included: 10 * million, ...workers },
  workerCpuMs: { usd: 0.02, per: million, unit: 'CPU millisecond', included: 30 * million, ...workers },
  workerLogEvent: { usd: 0.6, per: million, unit: 'event of Workers Logs', included: 20 * million, ...workers },
  /** A message is three: written, read, deleted. */
  queueOperation: {
    usd: 0.4,
    per: million,
    unit: 'operation of 64 KB',
    included: million,
    source: 'https://developers.cloudflare.com/queues/platform/pricing/',
    asOf: '2026-08-03',
  },
  r2Write: { usd: 4.5, per: million, unit: 'class A operation', included: million, ...r2 },
  r2Read: { usd: 0.36, per: million, unit: 'class B operation', included: 10 * million, ...r2 },
  r2GbMonth: { usd: 0.015, per: 1, unit: 'GB-month', included: 10, ...r2 },
  /** Pay as you go. What a script calls counts, too: https://upstash.com/docs/redis/sdks/ratelimit-ts/costs */
  redisCommand: { usd: 0.2, per: 100_000, unit: 'command', source: 'https://upstash.com/pricing/redis', asOf: '2026-11-09' },
  /** Launch plan, which has no monthly fee. A unit is 1 vCPU with 4 GB. */
  neonComputeHour: { usd: 0.106, per: 1, unit: 'CU-hour', ...neon },
  neonGbMonth: { usd: 0.35, per: 1, unit: 'GB-month', ...neon },
  /** shared-cpu-1x with 512 MB, as in fly.toml; 30 days. */
  flyMachineMonth: { usd: 3.69, per: 1, unit: '30 days', ...fly },
  flyMemoryGbMonth: { usd: 6, per: 1, unit: 'GB for 30 days', ...fly },
  flyVolumeGbMonth: { usd: 0.15, per: 1, unit: 'GB-month', ...fly },
  /** North America and Europe. */
  flyEgressGb: { usd: 0.02, per: 1, unit: 'GB', ...fly },
  e2bCpuSecond: { usd: 0.000014, per: 1, unit: 'vCPU-second', ...e2b },
  e2bGibSecond: { usd: 0.0000045, per: 1, unit: 'GiB-second', ...e2b },
  lambdaRequest: { usd: 0.2, per: million, unit: 'request', included: million, ...lambda },
  lambdaGbSecond: { usd: 0.0000166667, per: 1, unit: 'GB-second', included: 400_000, ...lambda },
  containerCpuSecond: { usd: 0.00002, per: 1, unit: 'vCPU-second', included: 375 * 60, ...containers },
  containerGibSecond: { usd: 0.0000025, per: 1, unit: 'GiB-second', included: 25 * 3_600, ...containers },
} as const satisfies Record<string, Price>

export type PriceName = keyof typeof prices

/** Share of a CPU that a `shared` vCPU of Fly's may use all the time: https://fly.io/docs/machines/cpu-performance/ (2026-08-07) */
export const flySharedCpuShare = 0.0625

/** Of one unit, in millionths of a dollar. */
export function microUsd(name: PriceName): number {
  const { usd, per } = prices[name]
  return (usd / per) * million
}

const yearMs = 365 * 86_400_000

/** @returns a line for each price that nobody has looked up for a year */
export function stalePrices(nowMs: number): string[] {
  return Object.entries(prices).flatMap(([name, { asOf, source }]) =>
    nowMs - Date.parse(asOf) > yearMs ? [`the price ${name} is of ${asOf}, more than a year old: look it up again at ${source}`] : [],
  )
}
