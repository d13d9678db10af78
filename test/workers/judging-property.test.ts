// Judging under random misfortune: every await on a store, the host or the event log may be the last of its process, messages are lost, doubled and
// out of order, sweeps come whenever they like. In the end every submission has ended, with one verdict a case and sums that add up.
import { idOf } from '../fakes/id-of.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { EventMessage } from '../../shared/event-log.ts'
import { ProblemError } from '../../shared/problem.ts'
import { judgeSubmission } from '../../workers/flows/judge-submission.ts'
import { attemptsMax } from '../../workers/flows/turns.ts'
import { sweepJudgings } from '../../workers/flows/sweep-judgings.ts'
import { submitAgent } from '../../workers/flows/submit-agent.ts'
import { firstAttempt } from '../../workers/idempotency.ts'
import { judgingOf } from '../fakes/memory-event-log.ts'
import { dieWithin, type Fate } from '../fakes/mortal-services.ts'
import { testEdge } from '../fakes/test-edge.ts'

type Step =
  /** Takes one of the messages; the process dies at its n-th await, or lives. */
  | { kind: 'take'; which: number; diesAt: number | null; isFrozen: boolean; keeps: boolean; isTwice: boolean }
  | { kind: 'wake' }
  | { kind: 'lose'; which: number }
  | { kind: 'sweep'; diesAt: number | null }
  | { kind: 'wait'; seconds: number }
  | { kind: 'host'; state: 'fine' | 'away' | 'dies'; after: number }
  | { kind: 'fix'; which: number }

const awaits = fc.option(fc.integer({ min: 0, max: 25 }), { nil: null })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('take' as const),
      which: fc.nat(9),
      diesAt: awaits,
      isFrozen: fc.boolean(),
      keeps: fc.boolean(),
      isTwice: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wake' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose' as const), which: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('sweep' as const), diesAt: awaits }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 40 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('host' as const),
      state: fc.constantFrom('fine' as const, 'away' as const, 'dies' as const),
      after: fc.nat(70),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fix' as const), which: fc.nat(70) }) },
)

/** A judge that is believed dead and then goes on. Without turns it stores verdicts a second time. */
const frozenJudge: Step[] = [
  { kind: 'take', which: 0, diesAt: 1, isFrozen: true, keeps: false, isTwice: false },
  { kind: 'wait', seconds: 15 },
  { kind: 'sweep', diesAt: null },
  { kind: 'take', which: 0, diesAt: null, isFrozen: false, keeps: false, isTwice: false },
  { kind: 'take', which: 0, diesAt: null, isFrozen: false, keeps: false, isTwice: false },
  { kind: 'take', which: 0, diesAt: null, isFrozen: false, keeps: false, isTwice: false },
  { kind: 'wake' },
]

/** Any call to these may be the last one. */
const ports = ['judgings', 'submissions', 'eventLog', 'sandbox'] as const
/** More than a chunk. */
const casesTotal = 70

test('every submission ends once, with one verdict a case, whatever dies', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), fc.boolean(), async (steps, stopAtFirstFailure) => {
      const edge = testEdge()
      const { services, database, sandbox, eventLog, clock } = edge
      const owner = await edge.account('ada')
      const agentId = await edge.deploy(owner.key, { name: 'a', output: (input) => (input === 66 ? 'wrong' : input) })
      const cases = Array.from({ length: casesTotal }, (_, n) => ({ input: n, expected: n, hidden: n % 3 === 0 }))
      const { body: bounty } = await edge.call('POST', '/api/bounties', {
        key: owner.key,
        body: { title: 't', rewardCredits: 5, mode: 'best', cases },
      })
      const ids: string[] = []
      for (let i = 0; i < 2; i++) {
        const attempt = firstAttempt(services.now)
        const of = {
          accountId: owner.id,
          bountyId: bounty.id,
          submission: { agentId, stopAtFirstFailure: i === 0 && stopAtFirstFailure },
          attempt,
        }
        ids.push((await submitAgent(services, of)).id)
      }
      const places = await database.cases.list(bounty.id, { after: -1, limit: 100 })
      let ends = 0
      const { finish } = database.judgings
      services.judgings = {
        ...database.judgings,
        finish: async (...of) => {
          const isEnded = await finish(...of)
          if (isEnded) ends++
          return isEnded
        },
      }
      let frozen = Promise.withResolvers<void>()
      const wake = async () => {
        frozen.resolve()
        frozen = Promise.withResolvers<void>()
        await new Promise((resolve) => setTimeout(resolve, 0))
      }
      const take = (message: EventMessage, fate: Fate) =>
        dieWithin(services, { ports, ...fate }, (given) => judgeSubmission(given, judgingOf(message)))

      const messages = () => eventLog.messages
      for (const doing of steps) {
        clock.now += 50
        if (doing.kind === 'take') {
          const at = doing.which % Math.max(messages().length, 1)
          const found = messages()[at]
          if (!found) continue
          if (!doing.keeps) messages().splice(at, 1)
          const fate = { diesAt: doing.diesAt, wakeUp: doing.isFrozen ? frozen.promise : undefined }
          const takes = [take(found.message, fate), ...(doing.isTwice ? [take(found.message, { diesAt: null })] : [])]
          await Promise.all(takes)
        } else if (doing.kind === 'lose') messages().splice(doing.which % Math.max(messages().length, 1), 1)
        else if (doing.kind === 'sweep') await dieWithin(services, { ports, diesAt: doing.diesAt }, sweepJudgings)
        else if (doing.kind === 'wake') await wake()
        else if (doing.kind === 'wait') clock.now += doing.seconds * 1_000
        else if (doing.kind === 'fix') {
          const n = doing.which % casesTotal
          const id = places[n]?.id ?? ''
          await database.cases.fix(id, {
            bountyId: bounty.id,
            input: `${n} `,
            salt: '0'.repeat(32),
            at: new Date(clock.now).toISOString(),
          })
        } else {
          sandbox.failure = doing.state === 'away' ? new ProblemError('sandbox-unavailable', { detail: 'away' }) : undefined
          sandbox.judgedMax = doing.state === 'dies' ? doing.after : undefined
        }
      }

      // From here on the world is well, and what is owed is found by the sweep alone.
      sandbox.failure = undefined
      sandbox.judgedMax = undefined
      messages().splice(0)
      await wake()
      const goOn = async (expectedEnds: number) => {
        for (let round = 0; round < 4 * attemptsMax; round++) {
          if (ends === expectedEnds) break
          clock.now += 60_000
          await sweepJudgings(services)
          for (const { message } of messages().splice(0)) await judgeSubmission(services, judgingOf(message))
        }
        expect(ends).toBe(expectedEnds)
      }
      await goOn(ids.length)
      // Cases that were fixed behind an end are judged when that is asked for.
      await goOn(
        ids.length + ((await database.cases.rejudge(bounty.id, { id: idOf('rejudging'), at: new Date(clock.now).toISOString() })) ?? 0),
      )
      for (const id of ids) {
        const submission = await database.submissions.find(id)
        const stated = await database.judgementReceipts.statedCases(id, { withHidden: true })
        const current = await database.judgings.nextCases(id, { after: -1, limit: 100 })
        const progress = await database.progress.find(id, { after: 0, limit: 10_000 })
        expect(progress?.upTo).toBe(stated.length)
        expect(submission?.finishedAt).not.toBeNull()
        if (submission?.status === 'failed') {
          expect(submission.failure).toMatch(/begun 5 times|an hour/)
          continue
        }
        expect(current).toEqual([])
        // One a case; more only where it was fixed in between, and then the last one counts.
        const last = new Map(stated.map((found) => [found.id, found]))
        const all = [...last.values()]
        expect(submission?.casesPassed).toBe(all.filter(({ status }) => status === 'accepted').length)
        expect(submission?.fuelTotal).toBe(all.reduce((sum, { fuel }) => sum + (fuel ?? 0), 0))
        expect(submission?.status).toBe('rejected')
        if (!(id === ids[0] && stopAtFirstFailure)) expect([all.length, submission?.casesPassed]).toEqual([casesTotal, casesTotal - 1])
        const revisions = new Map(places.map((found) => [found.id, 0]))
        for (const { id: caseId } of stated) revisions.set(caseId, (revisions.get(caseId) ?? 0) + 1)
        for (const found of await database.cases.list(bounty.id, { after: -1, limit: 100 })) {
          expect(revisions.get(found.id)).toBeLessThanOrEqual(found.revision)
        }
      }
    }),
    { numRuns: 150, examples: [[frozenJudge, false]] },
  )
}, 120_000)
