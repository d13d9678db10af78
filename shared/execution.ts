// What the Worker and the sandbox host say to each other about runs; the one file where the two meet. A failing guest is a successful
// answer with another status: only requests and our own parts fail with problems.
import { z } from 'zod'
import { guestStatuses, guestStatusSchema, type GuestStatus } from './guest-status.ts'
import { idSchema } from './ids.ts'
import { programSchema, scriptModeOf, sha256Schema, versionSchema } from './agent.ts'
import { checkerMessageCharsMax } from './checker.ts'
import { functionReportSchema } from './function-report.ts'
import { jsonValueSchema } from './json-value.ts'
import { pageQuerySchema } from './page.ts'
import { judgementReceiptSchema, saltSchema } from './judgement-receipt.ts'
import { receiptKeySchema, receiptSchema } from './receipt.ts'
import { scriptModeSchema } from './script-mode.ts'
import { tierSchema } from './tiers.ts'

export { guestStatuses, guestStatusSchema, type GuestStatus }

/** `failed` is our fault, after every retry. */
export const executionStatuses = ['queued', 'running', ...guestStatuses, 'cancelled', 'failed'] as const
export const executionStatusSchema = z.enum(executionStatuses)
export type ExecutionStatus = z.infer<typeof executionStatusSchema>

/** The instant at which a run's virtual clock starts when the caller names none. */
export const startTimeDefault = '2000-01-01T00:00:00Z'

const seedSchema = z
  .number()
  .int()
  .min(0)
  .max(Number.MAX_SAFE_INTEGER)
  .meta({ description: 'Seed of everything random that the program sees' })
const startTimeSchema = z.iso.datetime().meta({
  // The format alone would allow offsets.
  pattern: z.regexes.datetime({}).source,
  description: 'Instant, in UTC, at which the virtual clock of the run starts',
  example: startTimeDefault,
})

/** Body of POST /agents/:id/executions. */
export const executionCreateSchema = z.strictObject({
  input: jsonValueSchema.meta({ description: 'Any JSON; handed to the program', example: { text: 'to be or not' } }),
  tier: tierSchema.default('basic'),
  seed: seedSchema.default(0),
  startTime: startTimeSchema.default(startTimeDefault),
  version: versionSchema.optional().meta({ description: 'Version of the agent; the latest when absent' }),
})
export type ExecutionCreate = z.infer<typeof executionCreateSchema>

export const usageSchema = z.object({
  fuel: z.number().int().nullable().meta({ description: 'Metered instructions; null on the fallback engine' }),
  wallMicros: z.number().int().meta({ description: 'Microseconds from claim to result, queueing excluded' }),
  memoryBytesPeak: z.number().int(),
})
export type Usage = z.infer<typeof usageSchema>

/** Of an execution; a judged case has no cost of its own. */
export const executionUsageSchema = usageSchema.extend({
  costMicroUsd: z.number().nonnegative().nullable().default(null).meta({
    description:
      'Estimated cost at list prices in millionths of a US dollar, to three decimals; null for executions from before there were estimates',
    example: 1.762,
  }),
})
export type ExecutionUsage = z.infer<typeof executionUsageSchema>

export const guestErrorSchema = z.object({
  name: z.string().optional(),
  message: z.string(),
  stack: z.string().optional().meta({ description: "Of a script; files and lines are the author's" }),
  exitCode: z.number().int().optional(),
})
export type GuestError = z.infer<typeof guestErrorSchema>

export const logsSchema = z.object({ stdout: z.string(), stderr: z.string(), truncated: z.boolean() })
export type Logs = z.infer<typeof logsSchema>

export const artifactSchema = z.object({ name: z.string(), bytes: z.number().int(), sha256: sha256Schema })
export type Artifact = z.infer<typeof artifactSchema>

/** Answer of GET /executions/:id/artifact-urls/:name. */
export const artifactUrlSchema = z.object({ url: z.url(), expiresAt: z.iso.datetime() })

/** Name of a bundle: the host that wrote it and the number of its journal segment. */
export const bundleNameSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}\/[0-9]{12}$/)

/** Key of a bundle in the bucket. */
export function bundleKey(bundle: string): string {
  return `bundles/${bundle}`
}

/** An artifact with more bytes is an object of its own in the bucket; all others lie in bundles. */
export const bundledArtifactBytesMax = 1024 * 1024

/** Key of an artifact that is an object of its own: the host that keeps it before it is uploaded, the execution, the place in its list. */
export const artifactKeyForm = /^artifacts\/([a-z0-9][a-z0-9-]{0,62})\/(exe_[0-9a-z]{26})\/([0-9]{1,3})$/
export const artifactKeySchema = z.string().regex(artifactKeyForm)
export function artifactKey({ host, execution, position }: { host: string; execution: string; position: number }): string {
  return `artifacts/${host}/${execution}/${position}`
}

/** Where an artifact's bytes lie: a range of a bundle, or a whole object. Internal; callers read through the Worker. */
export const storedArtifactSchema = z.union([
  artifactSchema.extend({ bundle: bundleNameSchema, offset: z.number().int().nonnegative() }),
  artifactSchema.extend({ object: artifactKeySchema }),
])
export type StoredArtifact = z.infer<typeof storedArtifactSchema>

/** The object in the bucket that holds an artifact, and where in it the bytes begin. */
export function placeOf(stored: StoredArtifact): { key: string; offset: number } {
  return 'object' in stored ? { key: stored.object, offset: 0 } : { key: bundleKey(stored.bundle), offset: stored.offset }
}

const runSchema = z.object({
  id: idSchema('execution'),
  agentId: idSchema('agent'),
  version: versionSchema,
  tier: tierSchema,
  seed: seedSchema,
  startTime: startTimeSchema,
})

/** Records from before there were receipts have none. */
const receiptFieldSchema = receiptSchema.nullable().default(null)

/** What a caller sees of an execution. */
export const outcomeSchema = runSchema.extend({
  status: executionStatusSchema,
  output: jsonValueSchema.optional().meta({ description: 'Present when the status is completed', example: 4 }),
  error: guestErrorSchema.optional(),
  logs: logsSchema,
  artifacts: z.array(artifactSchema),
  usage: executionUsageSchema,
  engine: z.string().meta({ description: 'Engine and version that ran it, of a compiled script with that of the compiler' }),
  scriptMode: scriptModeSchema.nullable().meta({ description: 'How the script ran; null: it is no script' }),
  finishedAt: z.iso.datetime(),
  receipt: receiptFieldSchema.meta({
    description: 'Signed by the host; null where the run cannot be repeated: a deadline, the fallback engine',
  }),
})
export type Outcome = z.infer<typeof outcomeSchema>

/** How a run ended, and its Outcome as JSON text, which nobody need parse on its way to the caller. */
export type RunAnswer = { status: GuestStatus; outcome: string }

/** What a caller sees of an execution that may not have ended, or ended without a run: there is nothing in it then but what was asked for. */
export const executionSchema = outcomeSchema.extend({
  engine: outcomeSchema.shape.engine.nullable(),
  finishedAt: z.iso.datetime().nullable(),
  replayOf: idSchema('execution').optional().meta({ description: 'The failed one whose dead letter this one replays' }),
})
export type Execution = z.infer<typeof executionSchema>

/** Query of GET /executions. */
export const executionListQuerySchema = pageQuerySchema.extend({
  agent: idSchema('agent').optional().describe('Executions of this agent'),
  status: executionStatusSchema.optional(),
})

/** An execution as lists show it. */
export const executionSummarySchema = z.object({
  id: idSchema('execution'),
  agentId: idSchema('agent'),
  version: z.number().int(),
  status: executionStatusSchema,
  fuel: z.number().int().nullable(),
  costMicroUsd: z.number().nullable(),
  finishedAt: z.iso.datetime().nullable(),
})
export type ExecutionSummary = z.infer<typeof executionSummarySchema>

/** POST /v1/executions at the host. */
export const hostExecutionSchema = z.strictObject({
  ...runSchema.shape,
  accountId: idSchema('account'),
  program: programSchema,
  input: z.unknown(),
})
export type HostExecution = z.infer<typeof hostExecutionSchema>

/** A finished execution as the journal, the outcome batches and the database hold it. */
export const executionRecordSchema = runSchema.extend({
  accountId: idSchema('account'),
  program: programSchema,
  status: guestStatusSchema,
  /** JSON text, so that the bytes that were hashed are the bytes that are kept. */
  output: z.string().optional(),
  error: guestErrorSchema.optional(),
  logs: logsSchema,
  artifacts: z.array(storedArtifactSchema),
  usage: executionUsageSchema,
  engine: z.string(),
  finishedAt: z.iso.datetime(),
  receipt: receiptFieldSchema,
})
export type ExecutionRecord = z.infer<typeof executionRecordSchema>

/** POST /internal/outcomes at the Worker: at least once, in journal order. Recording one twice changes nothing. */
export const outcomeBatchSchema = z.strictObject({
  host: z.string().max(63),
  receiptKey: receiptKeySchema.optional(),
  records: z.array(executionRecordSchema).min(1).max(500),
})
export type OutcomeBatch = z.infer<typeof outcomeBatchSchema>

/**
 * POST /v1/programs at the host: fetch from the bucket, validate, compile, snapshot. `isNew`: for a version that is being made; a script without
 * a mode is given one then, and none is compiled where the host's SCRIPT_COMPILER is off.
 */
export const prepareRequestSchema = z.strictObject({
  program: programSchema,
  accountId: idSchema('account'),
  isNew: z.boolean().default(false),
})
export const manifestSchema = z.object({
  /** With the mode that it was given. */
  program: programSchema,
  /** Of a script that was compiled. */
  functions: functionReportSchema.optional(),
  engine: z.string(),
  prepareMicros: z.number().int(),
  snapshotBytes: z.number().int().meta({ description: 'Pages of a script that differ from the initialised engine; 0 for the other kinds' }),
})
export type Manifest = z.infer<typeof manifestSchema>

const judgedCaseSchema = z.strictObject({
  id: idSchema('case'),
  input: z.unknown(),
  expected: z.unknown(),
  salt: saltSchema,
  /** What a checker says about a hidden case goes no further than the host. */
  hidden: z.boolean().default(true),
})
export type JudgedCase = z.infer<typeof judgedCaseSchema>

/** POST /v1/judgements at the host: many cases, one load of the programs. Nothing of a case is kept by the host. */
export const judgementRequestSchema = z.strictObject({
  submissionId: idSchema('submission'),
  program: programSchema,
  /** Judges outputs in the place of JSON equality. */
  checker: programSchema.optional(),
  accountId: idSchema('account'),
  tier: tierSchema,
  /** Cases after the first one, in their order, that is not accepted are not begun any more. */
  stopAtFirstFailure: z.boolean().default(false),
  /** Cases that have not begun by then are not begun any more. */
  beginMsMax: z.number().int().positive().optional(),
  cases: z.array(judgedCaseSchema).min(1).max(2_000),
})
export type JudgementRequest = z.infer<typeof judgementRequestSchema>

/** `checker-failed`: the bounty's checker gave no answer about the output; neither right nor wrong, and no fault of the author's. */
export const verdictStatuses = ['accepted', 'wrong-answer', 'checker-failed', ...guestStatuses.filter((s) => s !== 'completed')] as const
export const verdictStatusSchema = z.enum(verdictStatuses)
export type VerdictStatus = z.infer<typeof verdictStatusSchema>

export const verdictSchema = z.object({
  caseId: idSchema('case'),
  status: verdictStatusSchema,
  /** Of the author's program alone. */
  usage: usageSchema,
  /** Of the exact JSON text that the program gave; null when there is none. */
  outputSha256: sha256Schema.nullable(),
  /** Of the checker, about a public case. */
  message: z.string().max(checkerMessageCharsMax).optional(),
})
export type Verdict = z.infer<typeof verdictSchema>
export type Judgement = { engine: string; verdicts: Verdict[] }

/**
 * `notRun` are the cases without a verdict, in their order: those that a first failure made pointless, or that were too late. The receipt is of the others; it is
 * null where none of them can be repeated.
 */
export const judgementEndSchema = z.object({ notRun: z.array(idSchema('case')), receipt: judgementReceiptSchema.nullable() })
export type JudgementEnd = z.infer<typeof judgementEndSchema>

/**
 * The answer to POST /v1/judgements, one JSON object a line: the engine once the program is loaded, each verdict as soon as it is there, and at
 * last the end or the problem that ended it. An answer without a last line has broken off. What fails before the first line is an ordinary
 * problem.
 */
export const judgementLineSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('engine'), engine: z.string() }),
  verdictSchema.extend({ type: z.literal('verdict') }),
  judgementEndSchema.extend({ type: z.literal('end') }),
  z.object({
    type: z.literal('problem'),
    code: z.string(),
    detail: z.string().max(20_000),
    retryAfterSeconds: z.number().optional(),
  }),
])
export type JudgementLine = z.infer<typeof judgementLineSchema>

/** Strips what is internal from a record. */
export function outcomeOf(record: ExecutionRecord): Outcome {
  const { accountId: _account, program, output, artifacts, ...rest } = record
  return {
    ...rest,
    scriptMode: scriptModeOf(program),
    // The record's output is JSON text that the host has parsed before it wrote it.
    ...(output === undefined ? {} : { output: JSON.parse(output) }),
    artifacts: artifacts.map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 })),
  }
}
