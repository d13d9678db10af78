// The receipt of a judging: one signed statement for each chunk of cases, with one salted commitment for each case. A commitment binds
// the verdict to checker, input, expectation, output and fuel and tells nothing of them; whoever is given the opening can check it. Cases
// that are hidden are opened when their bounty closes.
import { z } from 'zod'
import { programSchema, sha256Schema, type Program } from './agent.ts'
import { canonicalJson } from './canonical-json.ts'
import { idSchema } from './ids.ts'
import { receiptKeyIdSchema, verifySigned, type ReceiptCrypto, type Verification } from './receipt.ts'
import { tierSchema } from './tiers.ts'

/** 32 hex digits of randomness, one for each case, known to the Worker and, while it judges, to the host. */
export const saltSchema = z.string().regex(/^[0-9a-f]{32}$/)

const statementFields = {
  type: z.literal('judgement'),
  submissionId: idSchema('submission'),
  program: programSchema,
  tier: tierSchema,
  seed: z.number().int(),
  startTime: z.iso.datetime(),
  engine: z.string(),
  casesPassed: z.number().int().min(0),
  entries: z.array(z.strictObject({ caseId: idSchema('case'), commitment: sha256Schema })).min(1),
  finishedAt: z.iso.datetime(),
  keyId: receiptKeyIdSchema,
}

/** Version 1 is from before there were checkers: JSON equality judged. In version 2 null says so. */
export const judgementStatementSchema = z.discriminatedUnion('receiptVersion', [
  z.strictObject({ ...statementFields, receiptVersion: z.literal(1) }),
  z.strictObject({ ...statementFields, receiptVersion: z.literal(2), checker: programSchema.nullable() }),
])
export type JudgementStatement = z.infer<typeof judgementStatementSchema>

export const judgementReceiptSchema = z.strictObject({
  statement: judgementStatementSchema,
  signature: z.string().regex(/^[0-9a-f]{128}$/),
})
export type JudgementReceipt = z.infer<typeof judgementReceiptSchema>

/** What a commitment commits to. Hashes are of JSON texts, as `JSON.stringify` writes the parsed input and expectation, and as the program wrote its output; the status is text, so that this file outlives a new one. */
export const openingSchema = z.strictObject({
  caseId: idSchema('case'),
  salt: saltSchema,
  inputSha256: sha256Schema,
  expectedSha256: sha256Schema,
  outputSha256: sha256Schema.nullable(),
  status: z.string(),
  fuel: z.number().int(),
})
export type Opening = z.infer<typeof openingSchema>

/** GET /api/submissions/:id/receipt: the signed parts, and the openings of the cases that the caller may look into. */
export const submissionReceiptSchema = z.strictObject({
  submissionId: idSchema('submission'),
  casesTotal: z.number().int(),
  parts: z.array(judgementReceiptSchema),
  openings: z.array(openingSchema).meta({ description: 'A case that was fixed has one for each revision that was judged' }),
  unstated: z.array(idSchema('case')).meta({
    description:
      'Judged cases, of those that you may look into, that no part states: a deadline, or a judging that broke off before it was signed',
  }),
})
export type SubmissionReceipt = z.infer<typeof submissionReceiptSchema>

/** What of a statement each of its commitments binds. `checker` is absent in version 1. */
export type CommitmentScope = { submissionId: string; checker?: Program | null }

/**
 * What is hashed into a commitment. The submission is part of it, so that equal outputs of two submissions look different, and so is the
 * checker: the verdict is its.
 */
export function commitmentText({ submissionId, checker }: CommitmentScope, opening: Opening): string {
  const judge = checker === undefined ? {} : { checkerSha256: checker?.sha256 ?? null }
  return `agent-bounty commitment\n${canonicalJson({ submissionId, ...judge, ...opening })}`
}

export function verifyJudgement(
  receipt: unknown,
  options: ReceiptCrypto & { publicKey: string },
): Promise<Verification<JudgementStatement>> {
  return verifySigned(judgementReceiptSchema, receipt, options)
}

/** @returns what is wrong with the openings: those that open nothing, and sums that the statement does not have */
export async function checkOpenings(
  statement: JudgementStatement,
  openings: readonly Opening[],
  sha256Hex: (text: string) => string | Promise<string>,
): Promise<string[]> {
  const { entries, casesPassed } = statement
  const wrong: string[] = []
  const ofCases = Map.groupBy(openings, ({ caseId }) => caseId)
  let passed = 0
  let opened = 0
  for (const { caseId, commitment } of entries) {
    // Of a case that was judged in several revisions each part states one.
    const candidates = ofCases.get(caseId) ?? []
    if (candidates.length === 0) continue
    const hashes = await Promise.all(candidates.map(async (opening) => sha256Hex(commitmentText(statement, opening))))
    const opening = candidates[hashes.indexOf(commitment)]
    opened++
    if ((opening ?? candidates[0])?.status === 'accepted') passed++
    if (!opening) wrong.push(`case ${caseId}: the opening does not belong to its commitment`)
  }
  const isComplete = opened === entries.length
  if (isComplete ? passed !== casesPassed : passed > casesPassed)
    wrong.push(`${passed} opened cases were accepted; the statement says ${casesPassed}`)
  return wrong
}
