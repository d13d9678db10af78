// Turns of asynchronous executions over fakes: what is waited for, what is tried again, what is given up, and what each attempt leaves behind.
import { beforeEach, describe, expect, test } from 'vitest'
import { isRecorded } from '../../shared/async-execution.ts'
import { ProblemError, type ProblemCode } from '../../shared/problem.ts'
import { queueExecution } from '../../workers/flows/queue-execution.ts'
import { runExecution } from '../../workers/flows/run-execution.ts'
import { sweepExecutions } from '../../workers/flows/sweep-executions.ts'
import { attemptsMax } from '../../workers/flows/turns.ts'
import { firstAttempt } from '../../workers/idempotency.ts'
import { takeMessages } from '../../workers/take-messages.ts'
import { executionOf } from '../fakes/memory-event-log.ts'
import { testEdge, type TestEdge } from '../fakes/test-edge.ts'

let edge: TestEdge
let id: string
beforeEach(async () => {
  edge = testEdge()
  const owner = await edge.account('ada')
  const agentId = await edge.deploy(owner.key, { name: 'echo' })
  const execution = { input: 1, tier: 'basic', seed: 0, startTime: '2000-01-01T00:00:00Z' } as const
  const asked = { accountId: owner.id, agentId, execution, attempt: firstAttempt(edge.services.now) }
  id = (await queueExecution(edge.services, asked)).execution.id
})

const down = (code: ProblemCode) => new ProblemError(code, { detail: `the host says ${code}` })
async function find() {
  return (await edge.database.executions.find(id)) ?? expect.fail('it is gone')
}
async function attempts() {
  const found = await find()
  return isRecorded(found) ? expect.fail('it is recorded') : found.attempts
}
/** Takes the one message that there is, when it arrives. @returns seconds for which it was held back */
async function takeNext(): Promise<number> {
  const [next, ...others] = edge.eventLog.messages.splice(0)
  if (!next) throw new Error('there is no message')
  expect(others).toEqual([])
  edge.clock.now += next.delaySeconds * 1_000
  await runExecution(edge.services, executionOf(next.message))
  return next.delaySeconds
}

describe('a host', () => {
  test.each([['sandbox-unavailable'], ['overloaded'], ['draining'], ['artifacts-unavailable']] as const)(
    'that says %s is waited for, longer each time, and is no attempt',
    async (code) => {
      edge.sandbox.failure = down(code)
      const waited = []
      for (let i = 0; i < 9; i++) waited.push(await takeNext())
      expect(waited).toEqual([0, 1, 2, 4, 8, 16, 30, 30, 30])
      expect(await find()).toMatchObject({ status: 'running', failure: null, attempts: [] })
      edge.sandbox.failure = undefined
      await takeNext()
      expect(await find()).toMatchObject({ status: 'completed', output: '1' })
    },
  )

  test('that is away for an hour is waited for no longer', async () => {
    edge.sandbox.failure = down('sandbox-unavailable')
    await takeNext()
    edge.clock.now += 3_590_000
    await takeNext()
    expect(await find()).toMatchObject({ status: 'running' })
    edge.clock.now += 10_000
    await takeNext()
    expect(await find()).toMatchObject({ status: 'failed', failure: expect.stringContaining('for an hour') })
    expect(edge.eventLog.messages).toEqual([])
  })

  test(`that breaks off is tried ${attemptsMax} times, 1, 2, 4, 8 s after each other, and each attempt is kept`, async () => {
    edge.sandbox.brokenOff = down('execution-broken-off')
    const waited = []
    for (let i = 0; i < attemptsMax; i++) waited.push(await takeNext())
    expect(waited).toEqual([0, 1, 2, 4, 8])
    expect(await find()).toMatchObject({ status: 'failed', failure: expect.stringContaining(`begun ${attemptsMax} times`) })
    const kept = await attempts()
    expect(kept).toHaveLength(attemptsMax)
    expect(kept[0]).toEqual({
      beganAt: expect.any(String),
      endedAt: expect.any(String),
      host: null,
      end: expect.stringContaining('broken-off'),
    })
    expect(edge.eventLog.messages).toEqual([])
  })

  test('whose answer was lost has what it ran, and does not run it again', async () => {
    const { runAsync } = edge.sandbox
    edge.sandbox.runAsync = async (execution) => {
      await runAsync(execution)
      throw down('execution-broken-off')
    }
    await takeNext()
    edge.sandbox.runAsync = runAsync
    await takeNext()
    expect([edge.sandbox.runs, (await find()).status]).toEqual([1, 'completed'])
  })

  test.each([['tier-unavailable'], ['engine-unsupported']] as const)('that says %s ends the execution with that reason', async (code) => {
    edge.sandbox.failure = down(code)
    await takeNext()
    expect(await find()).toMatchObject({ status: 'failed', failure: `the host says ${code}` })
  })

  test('that was not told of a cancellation is told when the turn is over', async () => {
    edge.sandbox.runAsync = async () => {
      await edge.database.asyncExecutions.cancel(id, { at: new Date(edge.clock.now).toISOString() })
      throw down('execution-broken-off')
    }
    await takeNext()
    expect(await find()).toMatchObject({ status: 'cancelled' })
    expect(edge.eventLog.messages).toEqual([])
  })
})

describe('the sweep', () => {
  test('takes up what a lost message left behind, after 15 s', async () => {
    edge.eventLog.messages.splice(0)
    edge.clock.now += 14_999
    expect(await sweepExecutions(edge.services)).toBe(0)
    edge.clock.now += 1
    expect(await Promise.all([sweepExecutions(edge.services), sweepExecutions(edge.services)])).toEqual([1, 1])
    await takeNext()
    expect(await find()).toMatchObject({ status: 'completed' })
  })

  test(`ends what died ${attemptsMax} times, and says so of each`, async () => {
    // The process dies: nothing is written any more.
    edge.sandbox.runAsync = () => new Promise(() => {})
    for (let i = 0; i < attemptsMax; i++) {
      const [next] = edge.eventLog.messages.splice(0)
      if (next) void runExecution(edge.services, executionOf(next.message))
      await new Promise((resolve) => setTimeout(resolve, 5))
      edge.clock.now += 15_000
      expect(await sweepExecutions(edge.services)).toBe(1)
    }
    expect(await find()).toMatchObject({ status: 'failed', failure: expect.stringContaining(`begun ${attemptsMax} times`) })
    expect((await attempts()).map(({ end }) => end)).toEqual(
      Array.from({ length: attemptsMax }, () => expect.stringContaining('nothing was heard')),
    )
    expect(await sweepExecutions(edge.services)).toBe(0)
  })

  test('ends what nobody has begun for an hour: its messages go nowhere', async () => {
    edge.eventLog.failure = new Error('away')
    for (let minutes = 0; minutes < 59; minutes++) {
      edge.clock.now += 60_000
      expect(await sweepExecutions(edge.services)).toBe(1)
    }
    expect(await find()).toMatchObject({ status: 'queued' })
    edge.clock.now += 60_000
    await sweepExecutions(edge.services)
    expect(await find()).toMatchObject({ status: 'failed', failure: expect.stringContaining('for an hour'), attempts: [] })
  })
})

test('messages are taken as they arrive, and one for a turn that is over is let go', async () => {
  const [sent] = edge.eventLog.messages.splice(0)
  const told: string[] = []
  const arrived = { id: 'm', body: sent?.message, ack: () => told.push('ack'), retry: () => told.push('retry') }
  await takeMessages(edge.services, [arrived])
  await takeMessages(edge.services, [arrived])
  edge.database.asyncExecutions.take = () => Promise.reject(down('database-unavailable'))
  await takeMessages({ ...edge.services, asyncExecutions: edge.database.asyncExecutions }, [arrived])
  expect([told, edge.sandbox.runs]).toEqual([['ack', 'ack', 'retry'], 1])
})
