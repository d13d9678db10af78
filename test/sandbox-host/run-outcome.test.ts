import { expect, test } from 'vitest'
import { acceptOutcome } from '../../sandbox-host/run-outcome.ts'
import { completed } from '../fakes/fake-engine.ts'

test('output keeps its bytes', () => expect(acceptOutcome(completed('{"b":1.0,"a":"\\u0000"}')).output).toBe('{"b":1.0,"a":"\\u0000"}'))

test.each(['', '{', 'undefined', '1 2', '"\n"'])('output %j is not JSON', (output) => {
  const outcome = acceptOutcome(completed(output))
  expect(outcome.status).toBe('threw')
  expect(outcome).not.toHaveProperty('output')
})

test('output nests at most as deep as everybody behind can take', () => {
  const nested = (depth: number) => '['.repeat(depth) + ' '.repeat(200) + ']'.repeat(depth)
  expect(acceptOutcome(completed(nested(200))).status).toBe('completed')
  expect(acceptOutcome(completed(nested(201))).status).toBe('output-limit')
})

test('a run that did not complete has no output', () => {
  expect(acceptOutcome({ ...completed('1'), status: 'deadline' })).not.toHaveProperty('output')
})

test('text that Postgres refuses is replaced', () => {
  const { error, artifacts, logs } = acceptOutcome({
    ...completed('1'),
    status: 'threw',
    error: { message: 'a\0\ud800', name: '\0', stack: '\0', exitCode: 3 },
    artifacts: [{ name: 'a\0', bytes: Buffer.from('\0') }],
    stdout: Buffer.from([0x61, 0xff, 0]),
  })
  expect(error).toEqual({ message: 'a\uFFFD\uFFFD', name: '\uFFFD', stack: '\uFFFD', exitCode: 3 })
  expect(artifacts).toEqual([{ name: 'a\uFFFD', bytes: Buffer.from('\0') }])
  expect(logs.stdout).toBe('a\uFFFD\uFFFD')
})

test('a message is cut', () => {
  expect(acceptOutcome({ ...completed('1'), status: 'threw', error: { message: 'x'.repeat(10_000) } }).error?.message).toHaveLength(4_096)
})
