// Signs what the host states. On the event loop: a signature takes 30 to 55 µs there, and handing it to libuv's pool takes the loop longer
// (measured: 89 µs of the loop's time against 56 at 80 in flight, and 133 µs against 56 until it is there).
import { hash, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { CanonicalValue } from '../shared/canonical-json.ts'
import type { Artifact, HostExecution } from '../shared/execution.ts'
import { receiptMessage, reproducibleRun } from '../shared/receipt.ts'
import type { Receipt, ReproducibleRun } from '../shared/receipt.ts'
import type { SigningKey } from './receipt-key.ts'
import type { AcceptedOutcome } from './run-outcome.ts'

export type RunConditions = Pick<HostExecution, 'program' | 'tier' | 'seed' | 'startTime'> & {
  input: string
  args: string[]
  engine: string
}

/** @returns undefined where the same run again may end otherwise: a deadline is time, and without fuel it was the fallback engine */
export function statedRun(
  conditions: RunConditions,
  { artifacts, ...outcome }: Omit<AcceptedOutcome, 'artifacts'> & { artifacts: Artifact[] },
): ReproducibleRun | undefined {
  const { status, output, error, logs, usage } = outcome
  if (usage.fuel === null || status === 'deadline') return undefined
  const { program, tier, seed, startTime, input, args, engine } = conditions
  const { fuel, memoryBytesPeak } = usage
  const told = { program, tier, seed, startTime, input, args, engine, status, output, error, logs, artifacts, fuel, memoryBytesPeak }
  return reproducibleRun(told, sha256Hex)
}

/** Artifacts as records and receipts name them. */
export function namedArtifacts({ artifacts }: AcceptedOutcome): Artifact[] {
  return artifacts.map(({ name, bytes }) => ({ name, bytes: bytes.length, sha256: sha256Hex(bytes) }))
}

export type ReceiptSigner = (execution: { id: string; finishedAt: string; run: ReproducibleRun }) => Receipt

export function createReceiptSigner(key: SigningKey): ReceiptSigner {
  return ({ id, finishedAt, run }) => {
    const statement = { type: 'execution' as const, receiptVersion: 1 as const, executionId: id, ...run, finishedAt, keyId: key.id }
    return signStatement(statement, key.privateKey)
  }
}

export function signStatement<S extends CanonicalValue>(statement: S, privateKey: KeyObject): { statement: S; signature: string } {
  return { statement, signature: sign(null, Buffer.from(receiptMessage(statement)), privateKey).toString('hex') }
}

export function sha256Hex(data: string | Uint8Array): string {
  return hash('sha256', data)
}
