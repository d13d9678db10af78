// Asynchronous executions under random misfortune: every await on a store, the host or the event log may be the last of its process, messages are
// lost, doubled and out of order, answers of the host are lost, its batches come whenever they like, callers cancel, sweeps come whenever they
// like. What was acknowledged ends once, and stays as it ended.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hasEnded, isRecorded } from '../../shared/async-execution.ts'
import { ProblemError, type ProblemCode } from '../../shared/problem.ts'
import { cancelExecution, tellHostOfCancellation } from '../../workers/flows/cancel-execution.ts'
import { queueExecution } from '../../workers/flows/queue-execution.ts'
import { runExecution } from '../../workers/flows/run-execution.ts'
import { sweepExecutions } from '../../workers/flows/sweep-executions.ts'
import { attemptsMax } from '../../workers/flows/turns.ts'
import { firstAttempt } from '../../workers/idempotency.ts'
import { executionOf } from '../fakes/memory-event-log.ts'
import { dieWithin, type Fate } from '../fakes/mortal-services.ts'
import { testEdge } from '../fakes/test-edge.ts'

/** How the host takes a run: `loses` has the outcome, and its answer does not arrive; `dies` has none. */
type HostState = 'fine' | 'away' | 'loses' | 'dies'
type Step =
  | { kind: 'post'; diesAt: number | null }
  /** Takes one of the messages; the process dies at its n-th await, or lives. */
  | { kind: 'take'; which: number; diesAt: number | null; isFrozen: boolean; keeps: boolean; isTwice: boolean }
  | { kind: 'wake' }
  | { kind: 'lose'; which: number }
  | { kind: 'sweep'; diesAt: number | null }
  | { kind: 'wait'; seconds: number }
  | { kind: 'host'; state: HostState }
  | { kind: 'deliver' }
  | { kind: 'cancel'; which: number; diesAt: number | null }

const diesAt = fc.option(fc.integer({ min: 0, max: 8 }), { nil: null })
const which = fc.nat(9)
const kind = <K extends string>(name: K) => fc.constant(name)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: kind('post'), diesAt }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: kind('take'), which, diesAt, isFrozen: fc.boolean(), keeps: fc.boolean(), isTwice: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ kind: kind('wake') }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('lose'), which }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('sweep'), diesAt }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('wait'), seconds: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('host'), state: fc.constantFrom<HostState>('fine', 'away', 'loses', 'dies') }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('deliver') }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('cancel'), which, diesAt }) },
)

const take = { kind: 'take', which: 0, diesAt: null, isFrozen: false, keeps: false, isTwice: false } as const
/** The outcome is with the host when its caller is told that it was cancelled. */
const lateRecord: Step[] = [
  { kind: 'post', diesAt: null },
  { kind: 'host', state: 'loses' },
  take,
  { kind: 'cancel', which: 0, diesAt: null },
  { kind: 'deliver' },
]
/** A runner that is believed dead, and goes on when another has the turn. */
const frozenRunner: Step[] = [
  { kind: 'post', diesAt: null },
  { ...take, diesAt: 2, isFrozen: true },
  { kind: 'wait', seconds: 15 },
  { kind: 'sweep', diesAt: null },
  { kind: 'host', state: 'dies' },
  take,
  { kind: 'wake' },
]

const ports = ['executions', 'asyncExecutions', 'eventLog', 'sandbox'] as const
const down = (code: ProblemCode) => new ProblemError(code, { detail: 'down' })

test('every acknowledged execution ends once, whatever dies', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const edge = testEdge()
      const { services, database, sandbox, eventLog, clock } = edge
      const owner = await edge.account('ada')
      const agentId = await edge.deploy(owner.key, { name: 'a' })
      const ids: string[] = []
      const acknowledged = new Set<string>()
      const ends = new Map<string, string>()
      let host: HostState = 'fine'
      const { runAsync } = sandbox
      sandbox.runAsync = async (execution) => {
        if (host === 'away') throw down('sandbox-unavailable')
        if (host === 'dies') throw down('execution-broken-off')
        const record = await runAsync(execution)
        if (host === 'loses') throw down('execution-broken-off')
        return record
      }
      let frozen = Promise.withResolvers<void>()
      const wake = async () => {
        frozen.resolve()
        frozen = Promise.withResolvers<void>()
        await new Promise((resolve) => setTimeout(resolve, 0))
      }
      const deliver = async () => {
        const records = [...sandbox.records.values()]
        if (records.length > 0) await database.executions.record(records)
      }
      /** Whoever was told an end, or could have been, is told no other. */
      const look = async () => {
        for (const id of ids) {
          const found = await database.executions.find(id)
          if (!found || !hasEnded(found.status)) continue
          const end = JSON.stringify(found)
          expect(end).toBe(ends.get(id) ?? end)
          ends.set(id, end)
        }
      }
      const post = async (given: Fate) => {
        const attempt = firstAttempt(services.now)
        const id = attempt.newId('execution')
        ids.push(id)
        const execution = { input: 1, tier: 'basic', seed: 0, startTime: '2000-01-01T00:00:00Z' } as const
        const asked = { accountId: owner.id, agentId, execution, attempt: { ...attempt, newId: () => id } }
        await dieWithin(services, { ports, ...given }, async (mortal) => {
          await queueExecution(mortal, asked)
          acknowledged.add(id)
        })
      }
      const cancel = async (id: string, given: Fate) => {
        await dieWithin(services, { ports, ...given }, async (mortal) => {
          try {
            await cancelExecution(mortal, { id, accountId: owner.id })
          } catch (error) {
            if (!(error instanceof ProblemError)) throw error
            expect(['execution-finished', 'execution-not-found']).toContain(error.code)
            return
          }
          expect((await database.executions.find(id))?.status).toBe('cancelled')
          await tellHostOfCancellation(mortal, id)
        })
      }
      const messages = () => eventLog.messages
      const takeOne = async ({ which: n, keeps, isTwice, isFrozen, diesAt: at }: Extract<Step, { kind: 'take' }>) => {
        const place = n % Math.max(messages().length, 1)
        const found = messages()[place]
        if (!found) return
        if (!keeps) messages().splice(place, 1)
        const run = (fate: Fate) => dieWithin(services, { ports, ...fate }, (mortal) => runExecution(mortal, executionOf(found.message)))
        await Promise.all([run({ diesAt: at, wakeUp: isFrozen ? frozen.promise : undefined }), ...(isTwice ? [run({ diesAt: null })] : [])])
      }

      for (const doing of steps) {
        clock.now += 50
        if (doing.kind === 'post') await post(doing)
        else if (doing.kind === 'take') await takeOne(doing)
        else if (doing.kind === 'lose') messages().splice(doing.which % Math.max(messages().length, 1), 1)
        else if (doing.kind === 'sweep') await dieWithin(services, { ports, diesAt: doing.diesAt }, sweepExecutions)
        else if (doing.kind === 'wake') await wake()
        else if (doing.kind === 'wait') clock.now += doing.seconds * 1_000
        else if (doing.kind === 'deliver') await deliver()
        else if (doing.kind === 'host') host = doing.state
        else if (ids.length > 0) await cancel(ids[doing.which % ids.length] ?? '', doing)
        await look()
      }

      // From here on the world is well, and what is owed is found by the sweep alone.
      host = 'fine'
      messages().splice(0)
      await wake()
      for (let round = 0; round < 2 * attemptsMax; round++) {
        clock.now += 60_000
        await sweepExecutions(services)
        for (const { message } of messages().splice(0)) await runExecution(services, executionOf(message))
        await look()
      }
      await deliver()
      await look()
      for (const id of ids) {
        const found = await database.executions.find(id)
        if (acknowledged.has(id)) expect(found).toBeDefined()
        if (!found) continue
        expect(hasEnded(found.status)).toBe(true)
        if (isRecorded(found)) continue
        expect(found.attempts.length).toBeLessThanOrEqual(attemptsMax)
        expect(['cancelled', 'failed']).toContain(found.status)
      }
      expect((await database.accounts.findPage(owner.id))?.used.executionsWaiting).toBe(0)
    }),
    { numRuns: 300, examples: [[lateRecord], [frozenRunner]] },
  )
}, 120_000)
