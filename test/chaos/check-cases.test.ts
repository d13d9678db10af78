// Cases, verdicts and ranks of a small world, broken in every way that the check has to see.
import { byId, findsEach, of, one, remove, seen } from './sound-world.ts'

findsEach([
  [
    'a right answer that the checker of the bounty refused',
    ({ held }) => {
      one(held.bounties, byId('bty_won')).hasChecker = true
      one(held.cases, (found) => found.id === 'cas_2').expected = 5
      one(held.verdicts, ({ caseId }) => caseId === 'cas_2').status = 'wrong-answer'
    },
    { kind: 'wrong', what: /verdict is wrong-answer; accepted is due/ },
  ],
  [
    'a verdict that was changed',
    ({ held }) => (one(held.verdicts, ({ caseId }) => caseId === 'cas_1').status = 'accepted'),
    { kind: 'wrong', what: /verdict was wrong-answer, then accepted/ },
  ],
  ['a verdict that is no more', ({ held }) => held.verdicts.shift(), { kind: 'lost', what: /^verdict$/ }],
  [
    'a verdict of a revision that never was',
    ({ held }) => (one(held.verdicts, ({ caseId }) => caseId === 'cas_3').revision = 2),
    { kind: 'wrong', what: /revision 2, which the case never had/ },
  ],
  [
    'a fix undone',
    ({ held }) => (one(held.cases, ({ id, isCurrent }) => id === 'cas_1' && isCurrent).expected = -7),
    { kind: 'lost', what: /acknowledged fix/ },
  ],
  [
    'a fix done twice',
    ({ held }) => (one(held.cases, ({ id, isCurrent }) => id === 'cas_1' && isCurrent).revision = 3),
    { kind: 'doubled', what: /fix of a case/ },
  ],
  [
    'a fix refused and done',
    (world) => Object.assign(of(world, 'fix'), { answers: [], refusal: 'bounty-closed' }),
    { kind: 'wrong', what: /fix was refused/ },
  ],
  ['a fixed case removed', ({ held }) => held.cases.splice(0, 2), { kind: 'lost', what: /^case$/ }],
  ['an added case removed', ({ held }) => remove(held.cases, byId('cas_2')), { kind: 'lost', what: /acknowledged case, key k17/ }],
  [
    'a case added twice',
    ({ held }) => held.cases.push({ ...one(held.cases, byId('cas_2')), id: 'cas_again' }),
    { kind: 'doubled', what: /case under the key k17/ },
  ],
  [
    'an added case refused and there',
    (world) => Object.assign(of(world, 'add'), { answers: [], refusal: 'bounty-closed' }),
    { kind: 'wrong', what: /case was refused/ },
  ],
  [
    'a submission that was not judged again',
    ({ held }) => remove(held.verdicts, ({ caseId, revision }) => caseId === 'cas_1' && revision === 2),
    { kind: 'lost', what: /judging by the cases as they are/ },
  ],
  [
    'a submission that was judged again twice',
    ({ held }) => (one(held.submissions, byId('sub_right')).round = 3),
    { kind: 'doubled', what: /round 3, and 2 were asked for/ },
  ],
  [
    'a round that went back',
    (world) => of(world, 'submit').seen.push(seen('accepted', 3)),
    { kind: 'wrong', what: /accepted in round 3, then accepted in round 2/ },
  ],
  [
    'a rank that is no sum of verdicts',
    ({ held }) => (one(held.agentRanks, ({ agentId }) => agentId === 'agt_right').casesPassed = 1),
    { kind: 'wrong', what: /rank of an agent says 1 cases passed; its verdicts say 2/ },
  ],
  ['a rank removed', ({ held }) => held.agentRanks.pop(), { kind: 'lost', what: /rank of an agent/ }],
  [
    "an account's rank that is no sum of its agents'",
    ({ held }) => (one(held.accountRanks).casesPassed = 3),
    { kind: 'wrong', what: /rank of an account says 3/ },
  ],
])
