// What the callers of a storm did, and what they were told: the evidence that the cloud is held to afterwards. A deed is one request under
// one Idempotency-Key, however often it was sent.
import { z } from 'zod'
import type { ExecutionStatus, Outcome } from '../../shared/execution.ts'
import type { SubmissionStatus } from '../../shared/submission.ts'

/** By what a deed is recognised in the database, whether or not it was answered. */
export type Aim =
  | { kind: 'execute'; agentId: string; seed: number; artifact: { name: string; sha256: string } | undefined }
  /** `isDoomed`: no host offers what it asks for. */
  | { kind: 'execute-async'; agentId: string; seed: number; isDoomed: boolean; artifact: { name: string; sha256: string } | undefined }
  | { kind: 'cancel-execution'; executionId: string }
  /** Of the dead letter of a failed execution. */
  | { kind: 'replay'; executionId: string }
  | { kind: 'deploy'; accountId: string; name: string }
  | { kind: 'deploy-version'; agentId: string; sha256: string }
  | { kind: 'post-bounty'; title: string; hasDeadline: boolean }
  | { kind: 'add-case'; bountyId: string; name: string }
  | { kind: 'fix-case'; bountyId: string; caseId: string; expected: number }
  /** Behind every acknowledged change of the bounty's cases. */
  | { kind: 'rejudge'; bountyId: string }
  | { kind: 'submit'; bountyId: string; agentId: string; isRight: boolean; stopAtFirstFailure: boolean }
  | { kind: 'award'; bountyId: string; submissionId: string }
  | { kind: 'cancel'; bountyId: string }
  | { kind: 'mint'; accountId: string; credits: number; reason: string }

export type Deed<A extends Aim = Aim> = {
  key: string
  aim: A
  /** Bodies of its 2xx answers; the same one again is left out. */
  answers: unknown[]
  /** A final no: the problem's code. */
  refusal: string | undefined
  /** Of a submission or an asynchronous execution: the states that its owner saw, in order. */
  seen: Seen[]
}

/** `round` of judging; an execution has one. */
export type Seen = { round: number; status: SubmissionStatus | ExecutionStatus }

export type DeedOf<K extends Aim['kind']> = Deed<Extract<Aim, { kind: K }>>

export function deedsOf<K extends Aim['kind']>(deeds: readonly Deed[], kind: K): DeedOf<K>[] {
  return deeds.filter((deed): deed is DeedOf<K> => deed.aim.kind === kind)
}

export function isAcknowledged({ answers }: Deed): boolean {
  return answers.length > 0
}

const identifiedSchema = z.object({ id: z.string() })

/** Of what an answer names; undefined without an answer. */
export function idOf({ answers }: Deed): string | undefined {
  return answers.length > 0 ? identifiedSchema.parse(answers[0]).id : undefined
}

export function outcomesOf({ answers }: DeedOf<'execute'>): Outcome[] {
  // The API's own schema was its answer's; what is compared are all of its fields, known here or not.
  return answers as Outcome[]
}
