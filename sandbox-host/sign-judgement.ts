// The receipt of a chunk of cases: what of it can be run again is committed to, case by case, and signed. Salts come with the request and
// are forgotten with it.
import { statedProgram } from '../shared/agent.ts'
import type { JudgedCase, JudgementRequest, Verdict } from '../shared/execution.ts'
import { startTimeDefault } from '../shared/execution.ts'
import { commitmentText } from '../shared/judgement-receipt.ts'
import type { CommitmentScope, JudgementReceipt } from '../shared/judgement-receipt.ts'
import type { SigningKey } from './receipt-key.ts'
import { inputText } from './runner.ts'
import { sha256Hex, signStatement } from './sign-receipt.ts'

/** Seed of every case; with the start time it makes a case as repeatable as an execution. */
export const judgementSeed = 0

export type JudgementSigner = (judgement: {
  request: JudgementRequest
  engine: string
  /** Those that another run would give again, as far as the checker decides that. */
  verdicts: ReadonlyMap<string, Verdict>
}) => JudgementReceipt | null

/** The signer returns null when no case can be run again with the same end: a deadline is time, and without fuel it was the fallback engine. */
export function createJudgementSigner(key: SigningKey, now: () => number = Date.now): JudgementSigner {
  return ({ request, engine, verdicts }) => {
    const { submissionId, program, checker, tier, cases } = request
    const scope = { submissionId, checker: checker ? statedProgram(checker) : null }
    let casesPassed = 0
    const entries = cases.flatMap((judged) => {
      const verdict = verdicts.get(judged.id)
      const commitment = verdict && commitmentOf(scope, { judged, verdict })
      if (commitment === undefined) return []
      if (verdict?.status === 'accepted') casesPassed++
      return { caseId: judged.id, commitment }
    })
    if (entries.length === 0) return null
    const conditions = {
      program: statedProgram(program),
      tier,
      seed: judgementSeed,
      startTime: startTimeDefault,
      engine,
    }
    const finishedAt = new Date(now()).toISOString()
    const statement = {
      type: 'judgement',
      receiptVersion: 2,
      ...scope,
      ...conditions,
      casesPassed,
      entries,
      finishedAt,
      keyId: key.id,
    } as const
    return signStatement(statement, key.privateKey)
  }
}

function commitmentOf(scope: CommitmentScope, { judged, verdict }: { judged: JudgedCase; verdict: Verdict }): string | undefined {
  const { status, outputSha256, usage } = verdict
  if (usage.fuel === null || status === 'deadline') return undefined
  const hashes = { inputSha256: sha256Hex(inputText(judged.input)), expectedSha256: sha256Hex(JSON.stringify(judged.expected ?? null)) }
  const opening = { caseId: judged.id, salt: judged.salt, ...hashes, outputSha256, status, fuel: usage.fuel }
  return sha256Hex(commitmentText(scope, opening))
}
