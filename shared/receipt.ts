// A receipt states what a run was given and what came out, so that anybody who holds program and input can run it again and compare.
// The statement is written as canonical JSON (RFC 8785, integers only) behind a line that says what it is, and signed with Ed25519 by the
// host that ran it. Nothing here has a platform: hashing and verifying are passed in. Judgings: judgement-receipt.ts.
import { z } from 'zod'
import { programSchema, sha256Schema, statedProgram } from './agent.ts'
import { canonicalJson, type CanonicalValue } from './canonical-json.ts'
import { guestStatusSchema } from './guest-status.ts'
import { bytesOfHex } from './hex.ts'
import { idSchema } from './ids.ts'
import { tierSchema } from './tiers.ts'

/** The first 32 hex digits of the SHA-256 of the 32 bytes of the public key. */
export const receiptKeyIdSchema = z.string().regex(/^[0-9a-f]{32}$/)
export const publicKeySchema = z.string().regex(/^[0-9a-f]{64}$/)
export const receiptKeySchema = z.strictObject({ id: receiptKeyIdSchema, publicKey: publicKeySchema })
export type ReceiptKey = z.infer<typeof receiptKeySchema>

/** An item of GET /api/receipt-keys. */
export const registeredReceiptKeySchema = receiptKeySchema.extend({ host: z.string(), registeredAt: z.iso.datetime() })
export type RegisteredReceiptKey = z.infer<typeof registeredReceiptKeySchema>

export type HostReceiptKey = ReceiptKey & { host: string }

const signatureSchema = z.string().regex(/^[0-9a-f]{128}$/)
const wholeSchema = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
const instantSchema = z.iso.datetime()

/** What every run of the same program under the same conditions must give again. */
const reproducibleFields = {
  /** Receipts of scripts from before there were modes state none: they were interpreted. */
  program: programSchema,
  /** Of the JSON text that the program was given: `JSON.stringify` of the parsed input. */
  inputSha256: sha256Schema,
  args: z.array(z.string()),
  tier: tierSchema,
  seed: wholeSchema,
  startTime: instantSchema,
  engine: z.string(),
  status: guestStatusSchema,
  /** Of the exact JSON text that the program gave; null when there is none. */
  outputSha256: sha256Schema.nullable(),
  /** Of the canonical JSON of name, message and exit code; stacks are left out. Null when there is no error. */
  errorSha256: sha256Schema.nullable(),
  /** Of the canonical JSON of stdout, stderr and truncated. */
  logsSha256: sha256Schema,
  artifacts: z.array(z.strictObject({ name: z.string(), bytes: wholeSchema, sha256: sha256Schema })),
  fuel: wholeSchema,
  memoryBytesPeak: wholeSchema,
}
const reproducibleSchema = z.strictObject(reproducibleFields)
export type ReproducibleRun = z.infer<typeof reproducibleSchema>

export const executionStatementSchema = z.strictObject({
  type: z.literal('execution'),
  receiptVersion: z.literal(1),
  executionId: idSchema('execution'),
  ...reproducibleFields,
  finishedAt: instantSchema,
  keyId: receiptKeyIdSchema,
})
export type ExecutionStatement = z.infer<typeof executionStatementSchema>

export const receiptSchema = z.strictObject({
  statement: executionStatementSchema,
  signature: signatureSchema.meta({ description: 'Ed25519 over the canonical statement, as hex digits' }),
})
export type Receipt = z.infer<typeof receiptSchema>

/** What is signed, as UTF-8. The first line keeps a signature from meaning anything elsewhere. */
export function receiptMessage(statement: CanonicalValue): string {
  return `agent-bounty receipt\n${canonicalJson(statement)}`
}

export type ReceiptCrypto = {
  sha256Hex: (bytes: Uint8Array<ArrayBuffer>) => string | Promise<string>
  /** Ed25519 (RFC 8032) with the 32 bytes of a public key. */
  verify: (claim: {
    publicKey: Uint8Array<ArrayBuffer>
    signature: Uint8Array<ArrayBuffer>
    message: Uint8Array<ArrayBuffer>
  }) => boolean | Promise<boolean>
}

export async function receiptKeyId(publicKey: string, sha256Hex: ReceiptCrypto['sha256Hex']): Promise<string> {
  return (await sha256Hex(bytesOfHex(publicKey))).slice(0, 32)
}

export type Verification<S> =
  { ok: true; statement: S } | { ok: false; reason: 'malformed' | 'another-key' | 'bad-signature'; message: string }

/** @param publicKey 64 hex digits, from somebody whom the caller trusts to know it */
export function verifyReceipt(receipt: unknown, options: ReceiptCrypto & { publicKey: string }): Promise<Verification<ExecutionStatement>> {
  return verifySigned(receiptSchema, receipt, options)
}

/** The same for every kind of statement. */
export async function verifySigned<S extends CanonicalValue & { keyId: string }>(
  schema: z.ZodType<{ statement: S; signature: string }>,
  signed: unknown,
  { publicKey, verify, sha256Hex }: ReceiptCrypto & { publicKey: string },
): Promise<Verification<S>> {
  const parsed = schema.safeParse(signed)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    return { ok: false, reason: 'malformed', message: `${issue?.path.join('.') || 'the receipt'}: ${issue?.message ?? 'is not allowed'}` }
  }
  const { statement, signature } = parsed.data
  const id = await receiptKeyId(publicKey, sha256Hex)
  if (statement.keyId !== id) {
    return { ok: false, reason: 'another-key', message: `it was signed with the key ${statement.keyId}; this one is ${id}` }
  }
  const claim = {
    publicKey: bytesOfHex(publicKey),
    signature: bytesOfHex(signature),
    message: utf8(receiptMessage(statement)),
  }
  if (await verify(claim)) return { ok: true, statement }
  return { ok: false, reason: 'bad-signature', message: 'the signature does not belong to this statement' }
}

export type RunDifference = { field: keyof ReproducibleRun; stated: string; found: string }

/** Where a run differs from what a receipt states; empty when it is the same run again. */
export function compareRun(statement: ReproducibleRun, run: ReproducibleRun): RunDifference[] {
  // The keys of a schema's shape are those of its type.
  const fields = Object.keys(reproducibleFields) as (keyof ReproducibleRun)[]
  return fields.flatMap((field) => {
    const [stated, found] = [canonicalJson(statement[field]), canonicalJson(run[field])]
    return stated === found ? [] : [{ field, stated, found }]
  })
}

export type ToldRun = Omit<ReproducibleRun, 'inputSha256' | 'outputSha256' | 'errorSha256' | 'logsSha256'> & {
  /** JSON text as the program was given it. */
  input: string
  output: string | undefined
  error: { name?: string | undefined; message: string; exitCode?: number | undefined } | undefined
  logs: { stdout: string; stderr: string; truncated: boolean }
}

/** Puts hashes in the place of what was said. */
export function reproducibleRun(
  { input, output, error, logs, program, artifacts, ...rest }: ToldRun,
  sha256Hex: (text: string) => string,
): ReproducibleRun {
  const { stdout, stderr, truncated } = logs
  return {
    ...rest,
    program: statedProgram(program),
    inputSha256: sha256Hex(input),
    outputSha256: output === undefined ? null : sha256Hex(output),
    errorSha256: error ? sha256Hex(canonicalJson({ name: error.name, message: error.message, exitCode: error.exitCode })) : null,
    logsSha256: sha256Hex(canonicalJson({ stdout, stderr, truncated })),
    artifacts: artifacts.map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 })),
  }
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  // A copy is sure to have an ArrayBuffer of its own, which platforms' types do not all say of `encode`.
  return new Uint8Array(new TextEncoder().encode(text))
}
