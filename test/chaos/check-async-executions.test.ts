// Asynchronous executions of a small world, their cancellations and dead letters, broken in every way that the check has to see.
import { byId, findsEach, of, one, remove, seen, sha } from './sound-world.ts'

findsEach([
  [
    'an asynchronous execution removed',
    ({ held }) => remove(held.asyncExecutions, byId('exe_done')),
    { kind: 'lost', what: /acknowledged asynchronous execution/ },
  ],
  [
    'an asynchronous execution made twice',
    ({ held }) => held.asyncExecutions.push({ ...one(held.asyncExecutions, byId('exe_done')), id: 'exe_twice' }),
    { kind: 'doubled', what: /asynchronous execution under the key k11/ },
  ],
  [
    'two answers with two executions',
    (world) => of(world, 'async').answers.push({ id: 'exe_other' }),
    { kind: 'doubled', what: /asynchronous execution under the key k11/ },
  ],
  [
    'an asynchronous execution left queued',
    ({ held }) => (one(held.asyncExecutions, byId('exe_done')).status = 'queued'),
    { kind: 'stuck', what: /execution is queued/ },
  ],
  [
    'an asynchronous execution left running',
    ({ held }) => (one(held.asyncExecutions, byId('exe_done')).status = 'running'),
    { kind: 'stuck', what: /execution is running/ },
  ],
  [
    'an asynchronous execution that ended twice',
    (world) => (of(world, 'async').seen = [seen('failed')]),
    { kind: 'wrong', what: /was failed, then completed/ },
  ],
  [
    'another output',
    ({ held }) => (one(held.asyncExecutions, byId('exe_done')).output = '43'),
    { kind: 'wrong', what: /output is 43; 42 is due/ },
  ],
  [
    'an asynchronous execution that threw',
    ({ held }) => (one(held.asyncExecutions, byId('exe_done')).status = 'threw'),
    { kind: 'wrong', what: /its program is right/ },
  ],
  [
    'an artifact of an asynchronous execution that is nowhere',
    (world) => Object.assign(of(world, 'async').aim, { artifact: { name: 'made.txt', sha256: sha('b') } }),
    { kind: 'lost', what: /artifact, bucket/ },
  ],
  [
    'a cancelled execution that completed',
    ({ held }) => Object.assign(one(held.asyncExecutions, byId('exe_cancelled')), { status: 'completed', output: '44' }),
    { kind: 'lost', what: /acknowledged cancellation: the execution is completed/ },
  ],
  [
    'a cancellation refused and done',
    (world) => Object.assign(of(world, 'cancelRun'), { answers: [], refusal: 'execution-finished' }),
    { kind: 'wrong', what: /cancellation was refused/ },
  ],
  [
    'an execution that nobody cancelled',
    ({ held }) => (one(held.asyncExecutions, byId('exe_done')).status = 'cancelled'),
    { kind: 'wrong', what: /nobody asked for that/ },
  ],
  [
    'an execution given up early',
    (world) => Object.assign(of(world, 'doomed').aim, { isDoomed: false }),
    { kind: 'wrong', what: /it was begun 1 times/ },
  ],
  [
    'an execution that ran where it cannot',
    ({ held }) => Object.assign(one(held.asyncExecutions, byId('exe_failed')), { status: 'completed', output: '46' }),
    { kind: 'wrong', what: /no host offers its tier/ },
  ],
  ['a dead letter removed', ({ held }) => held.deadLetters.pop(), { kind: 'lost', what: /dead letter/ }],
  [
    'two dead letters of one failure',
    ({ held }) => held.deadLetters.push({ ...one(held.deadLetters, byId('dlt_1')), id: 'dlt_3' }),
    { kind: 'doubled', what: /2 dead letters of an execution that is failed/ },
  ],
  [
    'a dead letter of what completed',
    ({ held }) => (one(held.deadLetters, byId('dlt_2')).executionId = 'exe_done'),
    { kind: 'doubled', what: /1 dead letters of an execution that is completed/ },
  ],
  ['a replay removed', ({ held }) => remove(held.asyncExecutions, byId('exe_again')), { kind: 'lost', what: /acknowledged replay/ }],
  [
    'a replay done twice',
    ({ held }) => held.asyncExecutions.push({ ...one(held.asyncExecutions, byId('exe_again')), id: 'exe_more' }),
    { kind: 'doubled', what: /replay under the key k15/ },
  ],
  [
    'an account charged with what has ended',
    ({ held }) => (one(held.waiting).count = 1),
    { kind: 'wrong', what: /0 executions waiting and counts 1/ },
  ],
  [
    'an event of an asynchronous execution never written',
    ({ held }) => remove(held.events, byId('evt_4')),
    { kind: 'lost', what: /event execution.finished/ },
  ],
])
