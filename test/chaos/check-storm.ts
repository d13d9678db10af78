// The verdict over a storm: what was acknowledged against what is there. Pure, so that broken worlds show that it can fail
// (check-storm.test.ts).
import { checkAsyncExecutions } from './check-async-executions.ts'
import { checkBounties } from './check-bounties.ts'
import { checkCases } from './check-cases.ts'
import { checkDeploys } from './check-deploys.ts'
import { checkExecutions } from './check-executions.ts'
import { checkLedger } from './check-ledger.ts'
import { checkSubmissions } from './check-submissions.ts'
import { checkWebhooks } from './check-webhooks.ts'
import type { Aim, Deed } from './deed.ts'
import { isAcknowledged } from './deed.ts'
import type { Finding } from './finding.ts'
import type { Held } from './held.ts'

export type StormCheck = {
  deeds: readonly Deed[]
  held: Held
  /** Accounts whose webhooks hear everything. */
  listening: ReadonlySet<string>
  /** Requests that are not answered by now are stuck. */
  mustBeAnswered: boolean
}

export function checkStorm({ deeds, held, listening, mustBeAnswered }: StormCheck): Finding[] {
  return [
    ...checkRefusals(deeds),
    ...(mustBeAnswered ? checkAnswered(deeds) : []),
    ...checkExecutions(deeds, held),
    ...checkAsyncExecutions(deeds, held),
    ...checkDeploys(deeds, held),
    ...checkBounties(deeds, held),
    ...checkSubmissions(deeds, held),
    ...checkCases(deeds, held),
    ...checkLedger(deeds, held),
    ...checkWebhooks(held, listening),
  ]
}

/** What a caller that does everything right may be refused with, for good. */
function mayBeRefused(aim: Aim, code: string): boolean {
  switch (aim.kind) {
    case 'post-bounty':
      // By the time that it came through, its deadline was over.
      return aim.hasDeadline && code === 'invalid-request'
    case 'submit':
    case 'cancel':
    case 'fix-case':
    case 'add-case':
    case 'rejudge':
      return code === 'bounty-closed'
    case 'cancel-execution':
      return code === 'execution-finished'
    case 'award':
    case 'execute':
    case 'execute-async':
    case 'replay':
    case 'deploy':
    case 'deploy-version':
    case 'mint':
      return false
  }
}

function checkRefusals(deeds: readonly Deed[]): Finding[] {
  return deeds.flatMap((deed): Finding[] => {
    const { aim, refusal, key } = deed
    if (refusal === undefined) return []
    if (isAcknowledged(deed)) return [{ kind: 'wrong', what: `${aim.kind} was acknowledged and refused (${refusal})`, ids: [key] }]
    return mayBeRefused(aim, refusal) ? [] : [{ kind: 'wrong', what: `${aim.kind} was refused: ${refusal}`, ids: [key] }]
  })
}

function checkAnswered(deeds: readonly Deed[]): Finding[] {
  return deeds
    .filter((deed) => deed.refusal === undefined && !isAcknowledged(deed))
    .map(({ aim, key }): Finding => ({ kind: 'stuck', what: `${aim.kind} is not answered`, ids: [key] }))
}
