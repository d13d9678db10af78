// Turns of judging over fakes: what is waited for, what is tried again, what is given up, and what arrives from the event log.
import { beforeEach, describe, expect, test } from 'vitest'
import { ProblemError, type ProblemCode } from '../../shared/problem.ts'
import { judgeSubmission } from '../../workers/flows/judge-submission.ts'
import { attemptsMax } from '../../workers/flows/turns.ts'
import { sweepJudgings } from '../../workers/flows/sweep-judgings.ts'
import { submitAgent } from '../../workers/flows/submit-agent.ts'
import { firstAttempt } from '../../workers/idempotency.ts'
import { takeMessages } from '../../workers/take-messages.ts'
import { judgingOf } from '../fakes/memory-event-log.ts'
import { testEdge, type TestEdge } from '../fakes/test-edge.ts'

let edge: TestEdge
let id: string
beforeEach(async () => {
  edge = testEdge()
  const owner = await edge.account('ada')
  const agentId = await edge.deploy(owner.key, { name: 'echo' })
  const cases = [1, 2, 3].map((n) => ({ input: n, expected: n }))
  const { body } = await edge.call('POST', '/api/bounties', { key: owner.key, body: { title: 't', rewardCredits: 1, cases } })
  const submission = { agentId, stopAtFirstFailure: false }
  const attempt = firstAttempt(edge.services.now)
  id = (await submitAgent(edge.services, { accountId: owner.id, bountyId: body.id, submission, attempt })).id
})

const find = () => edge.database.submissions.find(id)
const down = (code: ProblemCode) => new ProblemError(code, { detail: `the host says ${code}` })
/** Takes the one message that there is, when it arrives. @returns seconds for which it was held back */
async function takeNext(): Promise<number> {
  const [next, ...others] = edge.eventLog.messages.splice(0)
  if (!next) throw new Error('there is no message')
  expect(others).toEqual([])
  edge.clock.now += next.delaySeconds * 1_000
  await judgeSubmission(edge.services, judgingOf(next.message))
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
      expect(await find()).toMatchObject({ status: 'running', failure: null })
      edge.sandbox.failure = undefined
      await takeNext()
      expect(await find()).toMatchObject({ status: 'accepted', casesPassed: 3 })
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

  test(`that breaks off is tried ${attemptsMax} times without a verdict; each verdict begins the count anew`, async () => {
    edge.sandbox.judgedMax = 0
    const waited = [await takeNext(), await takeNext()]
    edge.sandbox.judgedMax = 1
    waited.push(await takeNext())
    expect(await find()).toMatchObject({ status: 'running', casesPassed: 1 })
    edge.sandbox.judgedMax = 0
    for (let i = 0; i < attemptsMax; i++) waited.push(await takeNext())
    expect(waited).toEqual([0, 1, 2, 1, 1, 2, 4, 8])
    expect(await find()).toMatchObject({ status: 'failed', casesPassed: 1, failure: expect.stringContaining(`begun ${attemptsMax} times`) })
  })

  test.each([['tier-unavailable'], ['engine-unsupported'], ['invalid-program']] as const)(
    'that says %s ends the submission with that reason',
    async (code) => {
      edge.sandbox.failure = down(code)
      await takeNext()
      expect(await find()).toMatchObject({ status: 'failed', failure: `the host says ${code}` })
    },
  )
})

describe('the sweep', () => {
  test('takes up what a lost message left behind, after 15 s', async () => {
    edge.eventLog.messages.splice(0)
    edge.clock.now += 14_999
    expect(await sweepJudgings(edge.services)).toBe(0)
    edge.clock.now += 1
    expect(await Promise.all([sweepJudgings(edge.services), sweepJudgings(edge.services)])).toEqual([1, 1])
    await takeNext()
    expect(await find()).toMatchObject({ status: 'accepted' })
  })

  test(`ends what died ${attemptsMax} times`, async () => {
    // The process dies: nothing is written any more.
    edge.sandbox.judge = () => new Promise(() => {})
    for (let i = 0; i < attemptsMax; i++) {
      const [next] = edge.eventLog.messages.splice(0)
      if (next) void judgeSubmission(edge.services, judgingOf(next.message))
      await new Promise((resolve) => setTimeout(resolve, 5))
      edge.clock.now += 60_000
      await sweepJudgings(edge.services)
    }
    expect(await find()).toMatchObject({ status: 'failed', failure: expect.stringContaining(`begun ${attemptsMax} times`) })
  })

  test('goes on while the event log is down, and heals when it is back', async () => {
    edge.eventLog.messages.splice(0)
    edge.eventLog.failure = new Error('the queue is down')
    edge.clock.now += 15_000
    await sweepJudgings(edge.services)
    edge.eventLog.failure = undefined
    edge.clock.now += 15_000
    await sweepJudgings(edge.services)
    await takeNext()
    expect(await find()).toMatchObject({ status: 'accepted' })
  })
})

describe('what arrives', () => {
  async function arrive(body: unknown) {
    const told: string[] = []
    await takeMessages(edge.services, [{ id: 'm', body, ack: () => told.push('ack'), retry: () => told.push('retry') }])
    return told
  }

  test.each([
    [null],
    ['text'],
    [{}],
    [{ topic: 'surprise' }],
    [{ topic: 'judgings', submissionId: 'sub_1', turn: 1 }],
    [{ topic: 'judgings', submissionId: 'sub_01000000000000000000000000', turn: 0 }],
    [{ topic: 'judgings', submissionId: 'sub_01000000000000000000000000', turn: 1, more: true }],
  ])('and is nonsense, such as %j, is logged and let go', async (body) => {
    expect(await arrive(body)).toEqual(['ack'])
    expect(edge.log.at(-1)).toMatchObject({ level: 'error', event: 'message not understood', fields: { messageId: 'm' } })
  })

  test('twice is judged once', async () => {
    const message = { topic: 'judgings', submissionId: id, turn: 1 }
    expect(await Promise.all([arrive(message), arrive(message)])).toEqual([['ack'], ['ack']])
    expect(edge.sandbox.judged).toEqual([3])
    expect(await find()).toMatchObject({ status: 'accepted' })
  })

  test('while the database is away comes again', async () => {
    edge.services.judgings = { ...edge.database.judgings, take: () => Promise.reject(down('database-unavailable')) }
    expect(await arrive({ topic: 'judgings', submissionId: id, turn: 1 })).toEqual(['retry'])
  })
})
