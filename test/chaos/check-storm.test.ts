// The checker over a small world that is sound, and over the same world broken in every way that it has to see. Cases and what follows from
// them: check-cases.test.ts; asynchronous executions: check-async-executions.test.ts.
import { expect, test } from 'vitest'
import { outcomeOf } from '../../shared/execution.ts'
import { artifactName, author, byId, findingsIn, findsEach, of, one, patron, record, remove, seen, sha, soundWorld } from './sound-world.ts'

test('a sound world: nothing is found', () => {
  expect(findingsIn(soundWorld())).toEqual([])
})

findsEach([
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
    'a submission rejected that passed every case',
    (world) => {
      one(world.held.submissions, byId('sub_right')).status = 'rejected'
      of(world, 'submit').seen = []
    },
    { kind: 'wrong', what: /rejected: 2 of 2 cases passed/ },
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
    (world) => (of(world, 'cut').seen = [seen('running'), seen('failed')]),
    { kind: 'wrong', what: /was failed, then rejected/ },
  ],
  [
    'a state that went back',
    (world) => (of(world, 'submit').seen = [seen('running'), seen('queued')]),
    { kind: 'wrong', what: /was running in round 1, then queued in round 1/ },
  ],
  [
    'a verdict removed',
    ({ held }) => remove(held.verdicts, ({ caseId }) => caseId === 'cas_2'),
    { kind: 'wrong', what: /1 accepted verdicts, 2 counted/ },
  ],
  [
    'a case judged twice',
    ({ held }) => held.verdicts.push({ submissionId: 'sub_right', caseId: 'cas_2', revision: 1, status: 'accepted' }),
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
    { kind: 'wrong', what: /verdict is accepted; wrong-answer is due/ },
  ],
  [
    'a cancelled execution that was seen completed',
    (world) => of(world, 'cancelled').seen.push(seen('completed')),
    { kind: 'wrong', what: /was cancelled, then completed/ },
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
    ({ held }) => held.events.push({ ...one(held.events, byId('evt_1')), id: 'evt_more' }),
    { kind: 'doubled', what: /event submission.finished/ },
  ],
  ['a second end never told', ({ held }) => remove(held.events, byId('evt_2')), { kind: 'lost', what: /event submission.finished/ }],
  ['a delivery that waits', ({ held }) => (one(held.deliveries, byId('dlv_0')).status = 'pending'), { kind: 'stuck', what: /delivery/ }],
  ['a delivery given up', ({ held }) => (one(held.deliveries, byId('dlv_0')).status = 'failed'), { kind: 'lost', what: /given up/ }],
  ['an event never heard', ({ held }) => held.heardEventIds.pop(), { kind: 'lost', what: /never heard/ }],
])

test('a host that stood still: an execution has no artifact and a right agent is rejected by its deadline, and nothing is found', () => {
  const world = soundWorld()
  world.held.executions = [{ id: record.id, record: { ...record, status: 'deadline', artifacts: [] } }]
  of(world, 'execute').answers = [JSON.parse(JSON.stringify(outcomeOf({ ...record, status: 'deadline', artifacts: [] })))]
  Object.assign(one(world.held.submissions, byId('sub_wrong')), { status: 'rejected' })
  Object.assign(of(world, 'cut').aim, { isRight: true })
  for (const verdicts of [world.held.verdicts, world.held.earlierVerdicts])
    one(verdicts, ({ submissionId }) => submissionId === 'sub_wrong').status = 'deadline'
  one(world.held.asyncExecutions, byId('exe_done')).status = 'deadline'
  of(world, 'async').seen = []
  expect(findingsIn(world)).toEqual([])
})

test('a request without an answer is stuck, where every answer is asked for', () => {
  expect(findingsIn(soundWorld(), { mustBeAnswered: true })).toEqual([{ kind: 'stuck', what: 'post-bounty is not answered', ids: ['k10'] }])
})
