// What says when a sweep has something to do, whatever holds the data. In a database of its own: it is about all that there is.
import { expect, test } from 'vitest'
import type { AsyncExecutionStore } from '../../shared/async-execution-ports.ts'
import type { AgentStore } from '../../shared/agent-ports.ts'
import type { AccountStore, BountyStore, JudgingStore, SettlementStore, SubmissionStore } from '../../shared/ports.ts'
import type { DueTimes } from '../../shared/sweep-ports.ts'
import type { WebhookStore } from '../../shared/webhook-ports.ts'
import { idOf } from '../fakes/id-of.ts'
import { newKey } from '../fakes/new-key.ts'

export type DueStores = {
  accounts: AccountStore
  agents: AgentStore
  bounties: BountyStore
  submissions: SubmissionStore
  judgings: JudgingStore
  settlements: SettlementStore
  asyncExecutions: AsyncExecutionStore
  webhooks: WebhookStore
  dueTimes: DueTimes
}

const at = (minute: number) => `2126-05-05T12:${String(minute).padStart(2, '0')}:00.000Z`

export function dueTimesContract(name: string, open: () => DueStores | Promise<DueStores>): void {
  test(`${name} knows when the first of all that waits is due`, async () => {
    const { accounts, agents, bounties, submissions, judgings, settlements, asyncExecutions, webhooks, dueTimes } = await open()
    const [accountId, agentId, bountyId] = [idOf('account'), idOf('agent'), idOf('bounty')]
    const [submissionId, executionId, webhookId] = [idOf('submission'), idOf('execution'), idOf('webhook')]
    const program = { kind: 'script', scriptMode: 'interpreted', sha256: '0'.repeat(64) } as const
    await accounts.create({ id: accountId, name: 'ada', createdAt: at(0) }, newKey())
    await agents.create(
      { id: agentId, accountId, name: 'a', ...program, version: 1, bytes: 1, createdAt: at(0), updatedAt: at(0) },
      { engine: 'e', functions: undefined },
    )
    const money = { rewardCredits: 0, mode: 'best', tier: 'basic', status: 'open' } as const
    const dates = { createdAt: at(1), closedAt: null, awardedSubmissionId: null, checker: null }
    const bounty = { accountId, title: 't', ...money, ...dates, caseCount: 1 }
    const cases = () => [{ id: idOf('case'), position: 0, name: null, input: '1', expected: '1', hidden: false, salt: '0'.repeat(32) }]
    await bounties.create({ summary: { id: idOf('bounty'), ...bounty, deadline: null }, description: '', cases: cases() })
    expect(await dueTimes.earliest()).toBeUndefined()

    await bounties.create({ summary: { id: bountyId, ...bounty, deadline: at(50) }, description: '', cases: cases() })
    expect(await dueTimes.earliest()).toBe(at(50))

    const work = { agentId, accountId, version: 1, createdAt: at(2) }
    await submissions.create({ id: submissionId, bountyId, ...work, stopAtFirstFailure: false, dueAt: at(40) })
    expect(await dueTimes.earliest()).toBe(at(40))

    const run = { tier: 'basic', seed: 0, startTime: '2000-01-01T00:00:00Z', program, input: '1' } as const
    await asyncExecutions.create({ id: executionId, ...work, ...run, dueAt: at(30) })
    expect(await dueTimes.earliest()).toBe(at(30))

    await webhooks.create(accountId, {
      id: webhookId,
      url: 'https://a.example',
      events: ['submission.finished'],
      createdAt: at(3),
      sealedSecret: 's',
    })
    await webhooks.ping(webhookId, { accountId, eventId: idOf('event'), deliveryId: idOf('delivery'), at: at(20) })
    expect(await dueTimes.earliest()).toBe(at(20))

    const delivery = await webhooks.claimDelivery({ claim: 'c', at: at(20), leaseMs: 1_000 })
    await webhooks.endAttempt({ id: delivery?.id ?? '', claim: 'c' }, { status: 'delivered', dueAt: null, answerStatus: 200, error: null })
    expect(await dueTimes.earliest()).toBe(at(30))

    await asyncExecutions.cancel(executionId, { at: at(21) })
    expect(await dueTimes.earliest()).toBe(at(40))

    await webhooks.remove(webhookId, accountId)
    await judgings.take(submissionId, { turn: 1, at: at(22), dueAt: at(41) })
    await judgings.finish(submissionId, { turn: 2, status: 'failed', failure: 'f', at: at(23) })
    expect(await dueTimes.earliest()).toBe(at(50))

    await settlements.cancel(bountyId, { at: at(24) })
    expect(await dueTimes.earliest()).toBeUndefined()
  })
}
