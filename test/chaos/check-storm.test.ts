// The checker over a small world that is sound, and over the same world broken in every way that it has to see.
import { describe, expect, test } from 'vitest'
import { outcomeOf, executionRecordSchema } from '../../shared/execution.ts'
import { checkStorm } from './check-storm.ts'
import type { Deed } from './deed.ts'
import type { Held } from './held.ts'

const patron = 'acc_patron'
const author = 'acc_author'
const sha = (digit: string) => digit.repeat(64)

const record = executionRecordSchema.parse({
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
const artifactName = `${record.id}/made.txt`

function deed(key: string, aim: Deed['aim'], answer?: unknown): Deed {
  return { key, aim, answers: answer === undefined ? [] : [answer], refusal: undefined, seen: [] }
}

/** A deed of each kind, acknowledged, and what they made. */
function soundWorld(): { deeds: Record<string, Deed>; held: Held } {
  const submit = { kind: 'submit', bountyId: 'bty_won', agentId: 'agt_right', isRight: true, stopAtFirstFailure: false } as const
  const cut = { kind: 'submit', bountyId: 'bty_back', agentId: 'agt_wrong', isRight: false, stopAtFirstFailure: true } as const
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
    submit: { ...deed('k6', submit, { id: 'sub_right' }), seen: ['running', 'accepted'] } satisfies Deed,
    cut: deed('k7', cut, { id: 'sub_wrong' }),
    award: deed('k8', { kind: 'award', bountyId: 'bty_won', submissionId: 'sub_right' }, { id: 'bty_won' }),
    cancel: deed('k9', { kind: 'cancel', bountyId: 'bty_back' }, { id: 'bty_back' }),
    unanswered: deed('k10', { kind: 'post-bounty', title: 'three', hasDeadline: false }),
  }
  const bounty = { accountId: patron, isOverdue: false, awardedSubmissionId: null }
  const transfer = { reason: null }
  const transfers = [
    { id: 'trf_mint', kind: 'mint', subject: 'trf_mint', fromId: 'mint', toId: patron, credits: 100, reason: 'storm' },
    { ...transfer, id: 'trf_1', kind: 'escrow', subject: 'bty_won', fromId: patron, toId: 'bty_won', credits: 30 },
    { ...transfer, id: 'trf_2', kind: 'award', subject: 'bty_won', fromId: 'bty_won', toId: author, credits: 30 },
    { ...transfer, id: 'trf_3', kind: 'escrow', subject: 'bty_back', fromId: patron, toId: 'bty_back', credits: 20 },
    { ...transfer, id: 'trf_4', kind: 'refund', subject: 'bty_back', fromId: 'bty_back', toId: patron, credits: 20 },
    { ...transfer, id: 'trf_5', kind: 'escrow', subject: 'bty_open', fromId: patron, toId: 'bty_open', credits: 10 },
  ]
  const held: Held = {
    executions: [{ id: record.id, record }],
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
      { id: 'sub_right', bountyId: 'bty_won', agentId: 'agt_right', accountId: author, status: 'accepted', casesTotal: 2, casesPassed: 2 },
      { id: 'sub_wrong', bountyId: 'bty_back', agentId: 'agt_wrong', accountId: author, status: 'rejected', casesTotal: 2, casesPassed: 0 },
    ],
    verdicts: [
      { submissionId: 'sub_right', caseId: 'cas_1', status: 'accepted' },
      { submissionId: 'sub_right', caseId: 'cas_2', status: 'accepted' },
      { submissionId: 'sub_wrong', caseId: 'cas_3', status: 'wrong-answer' },
    ],
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
    deliveries: ['evt_1', 'evt_2', 'evt_3', 'evt_4'].map((eventId, i) => ({ id: `dlv_${i}`, eventId, status: 'delivered' })),
    events: [
      { id: 'evt_1', type: 'submission.finished', subject: 'sub_right' },
      { id: 'evt_2', type: 'submission.finished', subject: 'sub_wrong' },
      { id: 'evt_3', type: 'bounty.awarded', subject: 'bty_won' },
      { id: 'evt_4', type: 'bounty.cancelled', subject: 'bty_back' },
    ],
    heardEventIds: ['evt_1', 'evt_2', 'evt_3', 'evt_4'],
    artifacts: { [artifactName]: { api: sha('b'), bucket: sha('b') } },
  }
  return { deeds, held }
}

type World = ReturnType<typeof soundWorld>

function findingsIn({ deeds, held }: World, { mustBeAnswered = false } = {}) {
  return checkStorm({ deeds: Object.values(deeds), held, listening: new Set([patron, author]), mustBeAnswered })
}

/** The only item, or the one that is meant: a world that has none is no test. */
function one<T>(items: T[], isMeant: (item: T) => boolean = () => true): T {
  const found = items.find(isMeant)
  if (found === undefined) throw new Error('the world has no such thing')
  return found
}
const byId = (id: string) => (item: { id: string }) => item.id === id
const remove = <T>(items: T[], isMeant: (item: T) => boolean) => items.splice(items.indexOf(one(items, isMeant)), 1)
const of = (world: World, name: string) => one(Object.entries(world.deeds), ([key]) => key === name)[1]

test('a sound world: nothing is found', () => {
  expect(findingsIn(soundWorld())).toEqual([])
})

describe.each<[what: string, breakIt: (world: World) => unknown, finding: { kind: string; what: RegExp }]>([
  ['an execution removed', ({ held }) => held.executions.pop(), { kind: 'lost', what: /execution is not in Postgres/ }],
  [
    'an execution among the rejected',
    ({ held }) => held.rejectedOutcomes.push(one(held.executions.splice(0)).id),
    { kind: 'lost', what: /rejected outcomes/ },
  ],
  [
    'the status of an execution changed',
    ({ held }) => (held.executions = [{ id: record.id, record: { ...record, status: 'threw' } }]),
    { kind: 'wrong', what: /differs from its answer/ },
  ],
  [
    'the usage of an execution changed',
    ({ held }) => (held.executions = [{ id: record.id, record: { ...record, usage: { ...record.usage, wallMicros: 10 } } }]),
    { kind: 'wrong', what: /differs from its answer/ },
  ],
  [
    'the same request executed twice',
    ({ held }) => held.executions.push({ id: 'exe_02', record: { ...record, id: 'exe_02' } }),
    { kind: 'doubled', what: /k2/ },
  ],
  [
    'two answers to one execution',
    (world) => of(world, 'execute').answers.push({ ...outcomeOf(record), finishedAt: 'later' }),
    { kind: 'doubled', what: /k2/ },
  ],
  [
    'an execution that threw',
    (world) => {
      world.held.executions = [{ id: record.id, record: { ...record, status: 'threw' } }]
      of(world, 'execute').answers = [{ ...outcomeOf(record), status: 'threw' }]
    },
    { kind: 'wrong', what: /ended as threw/ },
  ],
  [
    'a right agent rejected',
    (world) => {
      one(world.held.submissions, byId('sub_right')).status = 'rejected'
      of(world, 'submit').seen = []
    },
    { kind: 'wrong', what: /the agent is right/ },
  ],
  ['an artifact gone from the bucket', ({ held }) => (held.artifacts = {}), { kind: 'lost', what: /artifact, bucket/ }],
  [
    'other bytes in an artifact',
    ({ held }) => (held.artifacts = { [artifactName]: { api: sha('f'), bucket: sha('b') } }),
    { kind: 'lost', what: /artifact, api/ },
  ],
  ['an agent removed', ({ held }) => held.agents.pop(), { kind: 'lost', what: /agent/ }],
  [
    'an agent made twice',
    ({ held }) => held.agents.push({ ...one(held.agents), id: 'agt_again' }),
    { kind: 'doubled', what: /agent under the key k3/ },
  ],
  ['a version removed', ({ held }) => held.versions.pop(), { kind: 'lost', what: /version/ }],
  [
    'a version made twice',
    ({ held }) => held.versions.push({ agentId: 'agt_right', version: 3, sha256: sha('c') }),
    { kind: 'doubled', what: /version under the key k4/ },
  ],
  ['a bounty removed', ({ held }) => remove(held.bounties, byId('bty_won')), { kind: 'lost', what: /acknowledged bounty/ }],
  [
    'a bounty posted twice',
    ({ held }) => held.bounties.push({ ...one(held.bounties, byId('bty_open')), id: 'bty_again', title: 'one' }),
    { kind: 'doubled', what: /bounty under the key k5/ },
  ],
  ['an award undone', ({ held }) => (one(held.bounties, byId('bty_won')).status = 'open'), { kind: 'lost', what: /acknowledged award/ }],
  [
    'an award to another',
    ({ held }) => (one(held.bounties, byId('bty_won')).awardedSubmissionId = 'sub_wrong'),
    { kind: 'lost', what: /acknowledged award/ },
  ],
  [
    'a cancellation undone',
    ({ held }) => (one(held.bounties, byId('bty_back')).status = 'open'),
    { kind: 'lost', what: /acknowledged cancel/ },
  ],
  [
    'a refused cancellation that was done',
    (world) => Object.assign(of(world, 'cancel'), { answers: [], refusal: 'bounty-closed' }),
    { kind: 'wrong', what: /refused \(bounty-closed\) and done/ },
  ],
  [
    'a refused bounty that is there',
    (world) => Object.assign(of(world, 'post'), { answers: [], refusal: 'invalid-request' }),
    { kind: 'wrong', what: /bounty was refused/ },
  ],
  [
    'a refused submission that is there',
    (world) => Object.assign(of(world, 'submit'), { answers: [], refusal: 'bounty-closed' }),
    { kind: 'wrong', what: /submission was refused/ },
  ],
  [
    'a refusal without a reason',
    (world) => (of(world, 'unanswered').refusal = 'name-taken'),
    { kind: 'wrong', what: /refused: name-taken/ },
  ],
  [
    'refused and acknowledged',
    (world) => (of(world, 'submit').refusal = 'bounty-closed'),
    { kind: 'wrong', what: /acknowledged and refused/ },
  ],
  [
    'a bounty open behind its deadline',
    ({ held }) => (one(held.bounties, byId('bty_open')).isOverdue = true),
    { kind: 'stuck', what: /behind its deadline/ },
  ],
  ['a submission removed', ({ held }) => remove(held.submissions, byId('sub_wrong')), { kind: 'lost', what: /acknowledged submission/ }],
  [
    'a submission made twice',
    ({ held }) => held.submissions.push({ ...one(held.submissions, byId('sub_wrong')), id: 'sub_again' }),
    { kind: 'doubled', what: /submission under the key k7/ },
  ],
  [
    'a submission left running',
    ({ held }) => (one(held.submissions, byId('sub_wrong')).status = 'running'),
    { kind: 'stuck', what: /running/ },
  ],
  [
    'a submission that ended twice',
    (world) => (of(world, 'cut').seen = ['running', 'failed']),
    { kind: 'wrong', what: /was failed, then rejected/ },
  ],
  [
    'a state that went back',
    (world) => (of(world, 'submit').seen = ['running', 'queued']),
    { kind: 'wrong', what: /was running, then queued/ },
  ],
  ['a verdict removed', ({ held }) => held.verdicts.shift(), { kind: 'wrong', what: /1 accepted verdicts, 2 counted/ }],
  [
    'a case judged twice',
    ({ held }) => held.verdicts.push({ submissionId: 'sub_right', caseId: 'cas_1', status: 'accepted' }),
    { kind: 'doubled', what: /verdict of a case/ },
  ],
  [
    'verdicts missing from a rejected submission that was not cut short',
    (world) => Object.assign(of(world, 'cut').aim, { stopAtFirstFailure: false }),
    { kind: 'wrong', what: /1 verdicts of 2 cases/ },
  ],
  [
    'a wrong agent accepted',
    (world) => Object.assign(of(world, 'submit').aim, { isRight: false }),
    { kind: 'wrong', what: /the agent is wrong/ },
  ],
  ['a mint removed', ({ held }) => remove(held.transfers, byId('trf_mint')), { kind: 'lost', what: /acknowledged mint/ }],
  [
    'a mint done twice',
    ({ held }) => held.transfers.push({ ...one(held.transfers, byId('trf_mint')), id: 'trf_again' }),
    { kind: 'doubled', what: /mint under the key k1/ },
  ],
  ['a mint of another amount', ({ held }) => (one(held.transfers, byId('trf_mint')).credits = 99), { kind: 'wrong', what: /mint differs/ }],
  ['a balance that was changed', ({ held }) => (one(held.holders, byId(author)).balance = 31), { kind: 'wrong', what: /transfers say 30/ }],
  [
    'a sum that is off',
    ({ held }) => (one(held.holders, byId(author)).balance = 31),
    { kind: 'wrong', what: /are 1 beside what was minted/ },
  ],
  ['an entry removed', ({ held }) => held.entries.pop(), { kind: 'wrong', what: /entries of a transfer/ }],
  [
    'a bounty paid twice',
    ({ held }) => held.transfers.push({ ...one(held.transfers, byId('trf_2')), id: 'trf_again' }),
    { kind: 'doubled', what: /payment of a bounty/ },
  ],
  ['a bounty never paid', ({ held }) => remove(held.transfers, byId('trf_2')), { kind: 'wrong', what: /paid nothing/ }],
  [
    'a bounty paid to somebody else',
    ({ held }) => (one(held.transfers, byId('trf_2')).toId = patron),
    { kind: 'wrong', what: /award of 30 to acc_patron; award of 30 to acc_author is due/ },
  ],
  [
    'an escrow spent early',
    ({ held }) => (one(held.holders, byId('bty_open')).balance = 0),
    { kind: 'wrong', what: /escrow of the open bounty/ },
  ],
  ['an event never written', ({ held }) => held.events.pop(), { kind: 'lost', what: /event bounty.cancelled/ }],
  [
    'an event written twice',
    ({ held }) => held.events.push({ ...one(held.events, byId('evt_1')), id: 'evt_5' }),
    { kind: 'doubled', what: /event submission.finished/ },
  ],
  ['a delivery that waits', ({ held }) => (one(held.deliveries, byId('dlv_0')).status = 'pending'), { kind: 'stuck', what: /delivery/ }],
  ['a delivery given up', ({ held }) => (one(held.deliveries, byId('dlv_0')).status = 'failed'), { kind: 'lost', what: /given up/ }],
  ['an event never heard', ({ held }) => held.heardEventIds.pop(), { kind: 'lost', what: /never heard/ }],
])('%s', (_what, breakIt, { kind, what }) => {
  test(`is found ${kind}`, () => {
    const world = soundWorld()
    breakIt(world)
    expect(findingsIn(world)).toContainEqual(expect.objectContaining({ kind, what: expect.stringMatching(what) }))
  })
})

test('a host that stood still: an execution has no artifact and a right agent is rejected by its deadline, and nothing is found', () => {
  const world = soundWorld()
  world.held.executions = [{ id: record.id, record: { ...record, status: 'deadline', artifacts: [] } }]
  of(world, 'execute').answers = [JSON.parse(JSON.stringify(outcomeOf({ ...record, status: 'deadline', artifacts: [] })))]
  Object.assign(one(world.held.submissions, byId('sub_wrong')), { status: 'rejected' })
  Object.assign(of(world, 'cut').aim, { isRight: true })
  one(world.held.verdicts, ({ submissionId }) => submissionId === 'sub_wrong').status = 'deadline'
  expect(findingsIn(world)).toEqual([])
})

test('a request without an answer is stuck, where every answer is asked for', () => {
  expect(findingsIn(soundWorld(), { mustBeAnswered: true })).toEqual([{ kind: 'stuck', what: 'post-bounty is not answered', ids: ['k10'] }])
})
