// What work costs at list prices: quantities that can be counted, times prices.ts. Pure, so that host, bench and tests say the same. The
// estimate of one execution is made by the host, from what it metered; it is about money, so nothing of it is in a receipt.
import { flySharedCpuShare, microUsd } from './prices.ts'

/** Whatever is paid for by use. Bytes are kept for a month. */
export type Quantities = {
  workerRequests: number
  workerCpuMs: number
  workerLogEvents: number
  queueOperations: number
  redisCommands: number
  r2Writes: number
  r2Reads: number
  r2Bytes: number
  neonCpuMs: number
  neonBytes: number
  hostCpuMs: number
  /** What a guest holds, times how long. */
  hostMemoryByteMs: number
  hostEgressBytes: number
}
export type Quantity = keyof Quantities

const monthMs = 30 * 86_400_000
const gb = 1e9

/** Millionths of a dollar for one of each. */
export const unitCosts: Quantities = {
  workerRequests: microUsd('workerRequest'),
  workerCpuMs: microUsd('workerCpuMs'),
  workerLogEvents: microUsd('workerLogEvent'),
  queueOperations: microUsd('queueOperation'),
  redisCommands: microUsd('redisCommand'),
  r2Writes: microUsd('r2Write'),
  r2Reads: microUsd('r2Read'),
  r2Bytes: microUsd('r2GbMonth') / gb,
  neonCpuMs: microUsd('neonComputeHour') / 3_600_000,
  neonBytes: microUsd('neonGbMonth') / gb,
  // The whole machine is paid for by the share of a CPU that it may use all the time.
  hostCpuMs: microUsd('flyMachineMonth') / (monthMs * flySharedCpuShare),
  hostMemoryByteMs: microUsd('flyMemoryGbMonth') / gb / monthMs,
  hostEgressBytes: microUsd('flyEgressGb') / gb,
}

export const nothing: Quantities = {
  workerRequests: 0,
  workerCpuMs: 0,
  workerLogEvents: 0,
  queueOperations: 0,
  redisCommands: 0,
  r2Writes: 0,
  r2Reads: 0,
  r2Bytes: 0,
  neonCpuMs: 0,
  neonBytes: 0,
  hostCpuMs: 0,
  hostMemoryByteMs: 0,
  hostEgressBytes: 0,
}

/** Micro-dollars of each. */
export function costOf(quantities: Quantities): Quantities {
  const costs = { ...nothing }
  // The keys of an object literal of this type are those of the type.
  for (const name of Object.keys(nothing) as Quantity[]) costs[name] = quantities[name] * unitCosts[name]
  return costs
}

export function totalOf(costs: Quantities): number {
  return Object.values(costs).reduce((sum, cost) => sum + cost, 0)
}

/** What the host knows of an execution when it has ended. */
export type MeteredExecution = {
  /** On a thread of the engine. */
  wallMicros: number
  memoryBytesPeak: number
  /** Output and logs. */
  textBytes: number
  artifactBytes: number
}

/**
 * What an execution takes beside its program's run when it comes alone: two requests of the Worker's, the caller's and the host's, the CPU
 * time that they, Postgres and the host need, a record with its receipt, and the rest of its row with five indexes. Measured: the row
 * `alone` of `npm run bench -- cost`.
 */
const besideTheRun = { workerRequests: 2, workerCpuMs: 4, neonCpuMs: 1, hostCpuMs: 3 }
const recordBytesBesideText = 1_570
const rowBytesBesideRecord = 1_060
/** In the answer, and to the Worker. */
const recordTravels = 2

export function executionQuantities({ wallMicros, memoryBytesPeak, textBytes, artifactBytes }: MeteredExecution): Quantities {
  const wallMs = wallMicros / 1_000
  const recordBytes = recordBytesBesideText + textBytes
  const hasArtifacts = artifactBytes > 0
  return {
    ...nothing,
    ...besideTheRun,
    hostCpuMs: besideTheRun.hostCpuMs + wallMs,
    hostMemoryByteMs: memoryBytesPeak * wallMs,
    neonBytes: recordBytes + rowBytesBesideRecord,
    // A bundle holds records, too.
    r2Writes: hasArtifacts ? 1 : 0,
    r2Bytes: hasArtifacts ? artifactBytes + recordBytes : 0,
    hostEgressBytes: recordBytes * recordTravels + (hasArtifacts ? artifactBytes + recordBytes : 0),
  }
}

/**
 * An upper estimate at list prices, without what plans include: executions that end at about the same time share requests and bundles.
 * The same figures always give the same estimate.
 * @returns micro-dollars, to three decimals: whole billionths of a dollar
 */
export function executionCostMicroUsd(metered: MeteredExecution): number {
  return Math.round(totalOf(costOf(executionQuantities(metered))) * 1_000) / 1_000
}
