// What admission holds to, and what whoever is refused is told.
import { assert } from '../shared/assert.ts'
import { ProblemError } from '../shared/problem.ts'

export type AdmissionLimits = {
  /** Runs reserve all that their tier allows, whatever they use: memory is never overbooked. */
  memoryBytesBudget: number
  /** Threads that run guests: with as many begun, beginning more makes nothing faster, it only lets short runs pass long ones. */
  threads: number
  /** Runs that are begun and not ended. */
  runningMax: number
  /** Of one account, while another account has anything running or waiting. */
  accountRunningMax: number
  /** Runs that wait, of all accounts and of one. */
  queueMax: number
  accountQueueMax: number
  /** Inputs that wait. */
  queueBytesMax: number
}

export function assertRelations({ threads, runningMax, accountRunningMax, queueMax, accountQueueMax }: AdmissionLimits): void {
  assert(runningMax > threads, 'runs of one account that fill every thread must leave a place in which another account may begin')
  assert(accountRunningMax <= runningMax, 'an account may run no more than all may')
  assert(accountQueueMax <= queueMax, 'an account may have no more waiting than all may')
}

export const refusalReasons = ['account-queue-full', 'queue-full', 'pushed-out', 'waited-too-long', 'caller-gone'] as const
export type RefusalReason = (typeof refusalReasons)[number]

const retryAfterSecondsMax = 30

/** @param workMicros time on a thread that the work before a next run takes */
export function refusal(reason: RefusalReason, { limits, workMicros }: { limits: AdmissionLimits; workMicros: number }): ProblemError {
  const seconds = Math.ceil(workMicros / limits.threads / 1e6)
  return new ProblemError('overloaded', {
    detail: detailOf(reason, limits),
    retryAfterSeconds: Math.min(retryAfterSecondsMax, Math.max(1, seconds)),
  })
}

function detailOf(reason: RefusalReason, { queueMax, accountQueueMax, queueBytesMax }: AdmissionLimits): string {
  switch (reason) {
    case 'account-queue-full':
      return `the account has ${accountQueueMax} runs waiting, which is as many as it may`
    case 'queue-full':
    case 'pushed-out':
      return `the host is full: at most ${queueMax} runs with ${queueBytesMax} bytes of input may wait, and this account has the most of them`
    case 'waited-too-long':
      return 'there was no place for the run within the time that it may wait; it was not begun'
    case 'caller-gone':
      return 'the caller went away before the run was begun'
  }
}
