// A small world that is sound: a deed of each kind, acknowledged, and what they made; and how it is broken in every way that the check has to
// see.
import { describe, expect, test } from 'vitest'
import { outcomeOf, executionRecordSchema } from '../../shared/execution.ts'
import { checkStorm } from './check-storm.ts'
import type { Deed, Seen } from './deed.ts'
import type { Held } from './held.ts'

export const patron = 'acc_patron'
export const author = 'acc_author'
export const sha = (digit: string) => digit.repeat(64)

export const record = executionRecordSchema.parse({
  id: 'exe_01kb0000000000000000000001',
  agentId: 'agt_01kb0000000000000000000001',
  version: 1,
  tier: 'basic',
  seed: 5,
  startTime: '2000-01-01T00:00:00Z',
  accountId: 'acc_01kb0000000000000000000001',
  program: { kind: 'script', sha256: sha('a') },
  status: 'completed',
  output: '10',
  logs: { stdout: '', stderr: '', truncated: false },
  artifacts: [{ name: 'made.txt', bytes: 3, sha256: sha('b'), bundle: 'host-1/000000000001', offset: 40 }],
  usage: { fuel: 7, wallMicros: 9, memoryBytesPeak: 11, costMicroUsd: 2.375 },
  engine: 'test',
  finishedAt: '2026-01-01T00:00:00.000Z',
})
export const artifactName = `${record.id}/made.txt`

export const seen = (status: Seen['status'], round = 1): Seen => ({ round, status })

function deed(key: string, aim: Deed['aim'], answer?: unknown): Deed {
  return { key, aim, answers: answer === undefined ? [] : [answer], refusal: undefined, seen: [] }
}

/** A deed of each kind, acknowledged, and what they made. */
export function soundWorld(): { deeds: Record<string, Deed>; held: Held } {
  const submit = { kind: 'submit', bountyId: 'bty_won', agentId: 'agt_right', isRight: true, stopAtFirstFailure: false } as const
  const cut = { kind: 'submit', bountyId: 'bty_back', agentId: 'agt_wrong', isRight: false, stopAtFirstFailure: true } as const
  const runAsync = (seed: number) =>
    ({ kind: 'execute-async', agentId: 'agt_right', seed, isDoomed: false, artifact: undefined }) satisfies Deed['aim']
  const deeds = {
    mint: deed('k1', { kind: 'mint', accountId: patron, credits: 100, reason: 'storm' }, { id: 'trf_mint' }),
    execute: deed(
      'k2',
      { kind: 'execute', agentId: record.agentId, seed: 5, artifact: { name: 'made.txt', sha256: sha('b') } },
      JSON.parse(JSON.stringify(outcomeOf(record))),
    ),
    deploy: deed('k3', { kind: 'deploy', accountId: author, name: 'right' }, { id: 'agt_right' }),
    version: deed('k4', { kind: 'deploy-version', agentId: 'agt_right', sha256: sha('c') }, { id: 'agt_right' }),
    post: deed('k5', { kind: 'post-bounty', title: 'one', hasDeadline: false }, { id: 'bty_won' }),
    async: { ...deed('k11', runAsync(21), { id: 'exe_done' }), seen: [seen('queued'), seen('completed')] } satisfies Deed,
    cancelled: { ...deed('k12', runAsync(22), { id: 'exe_cancelled' }), seen: [seen('queued'), seen('cancelled')] } satisfies Deed,
    cancelRun: deed('k13', { kind: 'cancel-execution', executionId: 'exe_cancelled' }, { id: 'exe_cancelled' }),
    doomed: deed('k14', { ...runAsync(23), isDoomed: true }, { id: 'exe_failed' }),
    replay: deed('k15', { kind: 'replay', executionId: 'exe_failed' }, { id: 'exe_again' }),
    fix: deed('k16', { kind: 'fix-case', bountyId: 'bty_won', caseId: 'cas_1', expected: 2 }, { id: 'cas_1' }),
    add: deed('k17', { kind: 'add-case', bountyId: 'bty_won', name: 'added' }, { items: [] }),
    rejudge: deed('k18', { kind: 'rejudge', bountyId: 'bty_won' }, { submissions: 1 }),
    submit: {
      ...deed('k6', submit, { id: 'sub_right' }),
      seen: [seen('running'), seen('rejected'), seen('running', 2), seen('accepted', 2)],
    } satisfies Deed,
    cut: deed('k7', cut, { id: 'sub_wrong' }),
    award: deed('k8', { kind: 'award', bountyId: 'bty_won', submissionId: 'sub_right' }, { id: 'bty_won' }),
    cancel: deed('k9', { kind: 'cancel', bountyId: 'bty_back' }, { id: 'bty_back' }),
    unanswered: deed('k10', { kind: 'post-bounty', title: 'three', hasDeadline: false }),
  }
  const bounty = { accountId: patron, isOverdue: false, awardedSubmissionId: null, hasChecker: false }
  const transfer = { reason: null }
  const transfers = [
    { id: 'trf_mint', kind: 'mint', subject: 'trf_mint', fromId: 'mint', toId: patron, credits: 100, reason: 'storm' },
    { ...transfer, id: 'trf_1', kind: 'escrow', subject: 'bty_won', fromId: patron, toId: 'bty_won', credits: 30 },
    { ...transfer, id: 'trf_2', kind: 'award', subject: 'bty_won', fromId: 'bty_won', toId: author, credits: 30 },
    { ...transfer, id: 'trf_3', kind: 'escrow', subject: 'bty_back', fromId: patron, toId: 'bty_back', credits: 20 },
    { ...transfer, id: 'trf_4', kind: 'refund', subject: 'bty_back', fromId: 'bty_back', toId: patron, credits: 20 },
    { ...transfer, id: 'trf_5', kind: 'escrow', subject: 'bty_open', fromId: patron, toId: 'bty_open', credits: 10 },
  ]
  const right = { agentId: 'agt_right', accountId: author }
  const wrong = { agentId: 'agt_wrong', accountId: author }
  const verdicts = [
    { submissionId: 'sub_right', caseId: 'cas_1', revision: 1, status: 'wrong-answer' },
    { submissionId: 'sub_right', caseId: 'cas_1', revision: 2, status: 'accepted' },
    { submissionId: 'sub_right', caseId: 'cas_2', revision: 1, status: 'accepted' },
    { submissionId: 'sub_wrong', caseId: 'cas_3', revision: 1, status: 'wrong-answer' },
  ]
  const events = [
    { id: 'evt_1', type: 'submission.finished', subject: 'sub_right' },
    { id: 'evt_2', type: 'submission.finished', subject: 'sub_right' },
    { id: 'evt_3', type: 'submission.finished', subject: 'sub_wrong' },
    ...['exe_done', 'exe_cancelled', 'exe_failed', 'exe_again'].map((subject, i) => ({
      id: `evt_${4 + i}`,
      type: 'execution.finished',
      subject,
    })),
    { id: 'evt_8', type: 'bounty.awarded', subject: 'bty_won' },
    { id: 'evt_9', type: 'bounty.cancelled', subject: 'bty_back' },
  ]
  const async = { accountId: author, replayOf: null, output: null }
  const held: Held = {
    executions: [{ id: record.id, record }],
    asyncExecutions: [
      { ...async, id: 'exe_done', seed: 21, status: 'completed', output: '42' },
      { ...async, id: 'exe_cancelled', seed: 22, status: 'cancelled' },
      { ...async, id: 'exe_failed', seed: 23, status: 'failed' },
      { ...async, id: 'exe_again', seed: 23, status: 'failed', replayOf: 'exe_failed' },
    ],
    waiting: [{ accountId: author, count: 0 }],
    deadLetters: [
      { id: 'dlt_1', executionId: 'exe_failed', submissionId: null, attempts: 1 },
      { id: 'dlt_2', executionId: 'exe_again', submissionId: null, attempts: 1 },
    ],
    rejectedOutcomes: [],
    agents: [{ id: 'agt_right', accountId: author, name: 'right', version: 2 }],
    versions: [
      { agentId: 'agt_right', version: 1, sha256: sha('a') },
      { agentId: 'agt_right', version: 2, sha256: sha('c') },
    ],
    bounties: [
      { ...bounty, id: 'bty_won', title: 'one', status: 'awarded', rewardCredits: 30, awardedSubmissionId: 'sub_right' },
      { ...bounty, id: 'bty_back', title: 'two', status: 'cancelled', rewardCredits: 20 },
      { ...bounty, id: 'bty_open', title: 'three', status: 'open', rewardCredits: 10 },
    ],
    submissions: [
      { ...right, id: 'sub_right', bountyId: 'bty_won', status: 'accepted', round: 2, casesTotal: 2, casesPassed: 2 },
      { ...wrong, id: 'sub_wrong', bountyId: 'bty_back', status: 'rejected', round: 1, casesTotal: 2, casesPassed: 0 },
    ],
    verdicts,
    earlierVerdicts: verdicts.map((verdict) => ({ ...verdict })),
    cases: [
      { id: 'cas_1', bountyId: 'bty_won', name: null, revision: 1, isCurrent: false, n: 1, expected: -7 },
      { id: 'cas_1', bountyId: 'bty_won', name: null, revision: 2, isCurrent: true, n: 1, expected: 2 },
      { id: 'cas_2', bountyId: 'bty_won', name: 'added', revision: 1, isCurrent: true, n: 2, expected: 4 },
      { id: 'cas_3', bountyId: 'bty_back', name: null, revision: 1, isCurrent: true, n: 2, expected: 4 },
      { id: 'cas_4', bountyId: 'bty_back', name: null, revision: 1, isCurrent: true, n: 3, expected: 6 },
    ],
    agentRanks: [
      { ...right, bountyId: 'bty_won', submissionId: 'sub_right', casesPassed: 2 },
      { ...wrong, bountyId: 'bty_back', submissionId: 'sub_wrong', casesPassed: 0 },
    ],
    accountRanks: [{ accountId: author, casesPassed: 2 }],
    holders: [
      { id: 'mint', balance: -100 },
      { id: patron, balance: 60 },
      { id: author, balance: 30 },
      { id: 'bty_won', balance: 0 },
      { id: 'bty_back', balance: 0 },
      { id: 'bty_open', balance: 10 },
    ],
    transfers,
    entries: transfers.flatMap(({ id, fromId, toId, credits }) => [
      { holderId: fromId, transferId: id, credits: -credits },
      { holderId: toId, transferId: id, credits },
    ]),
    deliveries: events.map(({ id }, i) => ({ id: `dlv_${i}`, eventId: id, status: 'delivered' })),
    events,
    heardEventIds: events.map(({ id }) => id),
    artifacts: { [artifactName]: { api: sha('b'), bucket: sha('b') } },
  }
  return { deeds, held }
}

export type World = ReturnType<typeof soundWorld>

export function findingsIn({ deeds, held }: World, { mustBeAnswered = false } = {}) {
  return checkStorm({ deeds: Object.values(deeds), held, listening: new Set([patron, author]), mustBeAnswered })
}

/** The only item, or the one that is meant: a world that has none is no test. */
export function one<T>(items: T[], isMeant: (item: T) => boolean = () => true): T {
  const found = items.find(isMeant)
  if (found === undefined) throw new Error('the world has no such thing')
  return found
}
export const byId = (id: string) => (item: { id: string }) => item.id === id
export const remove = <T>(items: T[], isMeant: (item: T) => boolean) => items.splice(items.indexOf(one(items, isMeant)), 1)
export const of = (world: World, name: string) => one(Object.entries(world.deeds), ([key]) => key === name)[1]

export type Breakage = [what: string, breakIt: (world: World) => unknown, finding: { kind: string; what: RegExp }]

export function findsEach(breakages: Breakage[]): void {
  describe.each(breakages)('%s', (_what, breakIt, { kind, what }) => {
    test(`is found ${kind}`, () => {
      const world = soundWorld()
      breakIt(world)
      expect(findingsIn(world)).toContainEqual(expect.objectContaining({ kind, what: expect.stringMatching(what) }))
    })
  })
}
