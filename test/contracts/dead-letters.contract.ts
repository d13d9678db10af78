// What the store of dead letters promises, and that whatever ends work as failed leaves one. Runs over maps in the fast run and over Postgres in
// the full one.
import { describe, expect, test } from 'vitest'
import { refusedMessagesMax, type RefusedMessage } from '../../shared/dead-letter.ts'
import type { DeadLetterStore } from '../../shared/dead-letter-ports.ts'
import type { AsyncExecutionStore } from '../../shared/async-execution-ports.ts'
import type { ExecutionStore } from '../../shared/ports.ts'
import { idOf } from '../fakes/id-of.ts'
import { at, unique, useJudgingWorld, type JudgingStores } from './judging-world.ts'

export type DeadLetterStores = JudgingStores & {
  deadLetters: DeadLetterStore
  executions: ExecutionStore
  asyncExecutions: AsyncExecutionStore
}

const program = { kind: 'script', sha256: '0'.repeat(64) } as const

export function deadLettersContract(name: string, open: () => DeadLetterStores): void {
  describe(`${name} keeps dead letters as the port promises`, () => {
    const world = useJudgingWorld(open)
    const stores = () => world.stores as DeadLetterStores
    const { submitted, take, record, finish } = world
    const letters = (cut: object = {}) =>
      stores()
        .deadLetters.list({ accountId: world.accountId, limit: 100, ...cut })
        .then(({ items }) => items)
    const back = { at: at(5), dueAt: at(20), isWaiting: false }
    const fail = (id: string, end: { turn: number; why?: string; second?: number }) =>
      stores().judgings.finish(id, { status: 'failed', failure: 'the reason', turn: end.turn, why: end.why, at: at(end.second ?? 9) })

    async function failedExecution(agentId: string): Promise<string> {
      const { asyncExecutions } = stores()
      const id = idOf('execution')
      const run = {
        id,
        accountId: world.accountId,
        agentId,
        version: 1,
        tier: 'basic',
        seed: 7,
        startTime: '2000-01-01T00:00:00Z',
      } as const
      await asyncExecutions.create({ ...run, program, input: '{"b":1.50}', createdAt: at(1), dueAt: at(16) })
      await asyncExecutions.take(id, { turn: 1, at: at(2), dueAt: at(17), host: 'host-1' })
      expect(await asyncExecutions.fail(id, { turn: 2, at: at(4), failure: 'it broke' })).toBe(true)
      return id
    }

    test('a submission that fails leaves one, with each attempt since its last progress', async () => {
      const { judgings } = stores()
      const { id, agentId } = await submitted()
      await take(id)
      await judgings.putBack(id, { ...back, turn: 2, why: 'before the progress' })
      await take(id, 3)
      await record(id, { turn: 4, count: 1 })
      await judgings.putBack(id, { ...back, turn: 4, why: 'the host died' })
      await judgings.take(id, { turn: 5, at: at(6), dueAt: at(21), host: 'host-2' })
      // Its time was over; and then there was no host: neither is an attempt that failed.
      await judgings.putBack(id, { ...back, turn: 6 })
      await take(id, 7)
      await judgings.putBack(id, { ...back, turn: 8, isWaiting: true, why: 'away' })
      // The message was lost: nobody had begun.
      await judgings.putBack(id, { ...back, turn: 9, why: 'nothing was heard of it' })
      await judgings.take(id, { turn: 10, at: at(7), dueAt: at(22), host: 'host-3' })
      expect(await letters()).toEqual([])
      expect(await fail(id, { turn: 11, why: 'again' })).toBe(true)
      const left = {
        id: expect.stringMatching(/^dlt_/),
        kind: 'submission',
        accountId: world.accountId,
        submissionId: id,
        executionId: null,
        agentId,
        version: 1,
        reason: 'the reason',
        attempts: [
          { beganAt: at(2), endedAt: at(5), host: null, end: 'the host died' },
          { beganAt: at(7), endedAt: at(9), host: 'host-3', end: 'again' },
        ],
        message: null,
        replayedAs: null,
        createdAt: at(9),
      }
      expect(await letters()).toEqual([left])
      expect(await stores().deadLetters.find((await letters())[0]?.id ?? '', world.accountId)).toEqual(left)
    })

    test('one that ends otherwise, or fails twice in the same turn, leaves none more', async () => {
      const { id } = await submitted()
      await take(id)
      await record(id, { turn: 2 })
      await finish(id, { turn: 2 })
      const { id: failed } = await submitted()
      await take(failed)
      expect(await Promise.all([fail(failed, { turn: 2 }), fail(failed, { turn: 2 })])).toContain(false)
      expect((await letters()).map(({ submissionId }) => submissionId)).toEqual([failed])
    })

    test('an execution that fails leaves one, and is replayed with what it was asked for', async () => {
      const { asyncExecutions, executions } = stores()
      const { agentId } = await submitted()
      const id = await failedExecution(agentId)
      expect(await letters()).toMatchObject([
        { kind: 'execution', executionId: id, submissionId: null, agentId, reason: 'it broke', createdAt: at(4) },
      ])
      expect((await letters())[0]?.attempts).toEqual([{ beganAt: at(2), endedAt: at(4), host: 'host-1', end: 'it broke' }])
      const times = { createdAt: at(30), dueAt: at(45) }
      const replay = idOf('execution')
      const made = await Promise.all([0, 1].map(() => asyncExecutions.replay(replay, { replayOf: id, ...times })))
      expect(made.filter(Boolean)).toHaveLength(1)
      expect(await executions.find(replay)).toMatchObject({ status: 'queued', replayOf: id, agentId, seed: 7, createdAt: at(30) })
      expect(await asyncExecutions.take(replay, { turn: 1, at: at(31), dueAt: at(46) })).toMatchObject({
        input: '{"b":1.50}',
        tier: 'basic',
        attempts: 1,
      })
      // Only what has failed.
      expect(await asyncExecutions.replay(idOf('execution'), { replayOf: replay, ...times })).toBe(false)
      expect(await asyncExecutions.replay(idOf('execution'), { replayOf: idOf('execution'), ...times })).toBe(false)
    })

    test('a submission replays another as it was asked for', async () => {
      const { submissions, progress } = stores()
      const { id, agentId } = await submitted()
      const replay = idOf('submission')
      const of = { bountyId: world.bountyId, agentId, version: 1, accountId: world.accountId }
      await submissions.create({ id: replay, ...of, createdAt: at(30), stopAtFirstFailure: true, dueAt: at(45), replayOf: id })
      expect(await submissions.find(replay)).toMatchObject({ status: 'queued', replayOf: id })
      expect(await submissions.find(id)).toMatchObject({ replayOf: null })
      // What it replays did not stop at the first failure.
      await take(replay)
      await record(replay, { turn: 2, count: 1, passed: 0 })
      expect((await world.openCases(replay)).length).toBe(3)
      expect(await progress.find(replay, { after: 0, limit: 0 })).toMatchObject({ replayOf: id })
    })

    test('lists, newest first, are of one account or of all, by kind and by agent', async () => {
      const first = await submitted()
      await take(first.id)
      await fail(first.id, { turn: 2, second: 11 })
      await failedExecution(first.agentId)
      const second = await submitted()
      await take(second.id)
      await fail(second.id, { turn: 2, second: 12 })
      const all = await letters()
      expect(all).toHaveLength(3)
      expect(all.map(({ id }) => id)).toEqual(all.map(({ id }) => id).toSorted((a, b) => (a < b ? 1 : -1)))
      expect((await letters({ kind: 'execution' })).map(({ kind }) => kind)).toEqual(['execution'])
      expect(await letters({ kind: 'message' })).toEqual([])
      expect((await letters({ agentId: second.agentId })).map(({ submissionId }) => submissionId)).toEqual([second.id])
      expect(await letters({ agentId: second.agentId, kind: 'execution' })).toEqual([])
      const [newest] = all
      expect(await letters({ limit: 1 })).toEqual([newest])
      expect(await letters({ after: newest?.id })).toEqual(all.slice(1))
      expect(await letters({ accountId: idOf('account') })).toEqual([])
      const ofAll = await stores().deadLetters.list({ agentId: second.agentId, limit: 10 })
      expect(ofAll.items.map(({ submissionId }) => submissionId)).toEqual([second.id])
    })

    test("a letter is its account's: others neither find nor delete it", async () => {
      const { deadLetters } = stores()
      const { id } = await submitted()
      await take(id)
      await fail(id, { turn: 2 })
      const [letter] = await letters()
      const letterId = letter?.id ?? ''
      const stranger = idOf('account')
      expect([await deadLetters.find(letterId, stranger), await deadLetters.remove(letterId, stranger)]).toEqual([undefined, false])
      expect(await deadLetters.find(letterId)).toEqual(letter)
      expect([await deadLetters.remove(letterId, world.accountId), await deadLetters.remove(letterId)]).toEqual([true, false])
      expect(await letters()).toEqual([])
    })

    test('of many who replay at once one claims it', async () => {
      const { deadLetters } = stores()
      const { id } = await submitted()
      await take(id)
      await fail(id, { turn: 2 })
      const letterId = (await letters())[0]?.id ?? ''
      const ids = [idOf('submission'), idOf('submission'), idOf('submission')]
      const claims = await Promise.all(ids.map((to) => deadLetters.replay(letterId, { from: null, to })))
      expect(claims.filter(Boolean)).toHaveLength(1)
      const winner = ids[claims.indexOf(true)] ?? ''
      expect(await deadLetters.find(letterId)).toMatchObject({ replayedAs: winner })
      expect(await deadLetters.replay(letterId, { from: winner, to: null })).toBe(true)
      expect(await deadLetters.find(letterId)).toMatchObject({ replayedAs: null })
      expect(await deadLetters.replay(idOf('deadLetter'), { from: null, to: winner })).toBe(false)
    })

    test("a message that was refused is kept once, however often it is told, and is nobody's", async () => {
      const { deadLetters } = stores()
      const topic = `judgings-${unique()}`
      const message: RefusedMessage = {
        host: 'host-1',
        topic,
        partition: 3,
        offset: 7,
        refusal: 'forged',
        detail: 'no signature',
        bytes: 2,
        text: '{}',
        sha256: '1'.repeat(64),
      }
      const [first, second, other] = [idOf('deadLetter'), idOf('deadLetter'), idOf('deadLetter')]
      await Promise.all([first, second].map((id) => deadLetters.keepRefused(message, { id, at: at(3) })))
      await deadLetters.keepRefused({ ...message, offset: 8 }, { id: other, at: at(4) })
      const found = [await deadLetters.find(first), await deadLetters.find(second)].filter(Boolean)
      const { host: _host, detail: _detail, sha256: _hash, ...shown } = message
      expect(found).toMatchObject([{ kind: 'message', accountId: null, message: shown, attempts: [], agentId: null }])
      expect(found[0]?.reason).toBe('forged: no signature; refused by host-1')
      expect(await deadLetters.find(other)).toMatchObject({ message: { offset: 8 }, createdAt: at(4) })
      expect(await deadLetters.find(other, world.accountId)).toBeUndefined()
    })

    test('of messages that were refused a bounded number is kept', async () => {
      const { deadLetters } = stores()
      const message: Omit<RefusedMessage, 'offset'> = {
        host: 'host-1',
        topic: `judgings-${unique()}`,
        partition: 0,
        refusal: 'forged',
        detail: 'no signature',
        bytes: 2,
        text: '{}',
        sha256: '2'.repeat(64),
      }
      const keep = async (offset: number) => {
        const id = idOf('deadLetter')
        await deadLetters.keepRefused({ ...message, offset }, { id, at: at(3) })
        return deadLetters.find(id)
      }
      for (let from = 0; from < refusedMessagesMax; from += 50) await Promise.all(Array.from({ length: 50 }, (_, i) => keep(from + i)))
      expect(await keep(refusedMessagesMax)).toBeUndefined()
      await deadLetters.forgetOld({ before: at(4), limit: 100_000 })
      expect(await keep(refusedMessagesMax + 1)).toMatchObject({ kind: 'message' })
    })

    test('each is announced until that is noted, and old ones are forgotten', async () => {
      const { deadLetters } = stores()
      const { id } = await submitted()
      await take(id)
      await fail(id, { turn: 2 })
      const [letter] = await letters()
      const waiting = async () => (await deadLetters.unannounced(100_000)).filter((found) => found.submissionId === id)
      expect(await waiting()).toEqual([letter])
      await deadLetters.announced([letter?.id ?? '', idOf('deadLetter')], at(50))
      expect(await waiting()).toEqual([])
      await deadLetters.forgetOld({ before: at(9), limit: 100_000 })
      expect(await letters()).toEqual([letter])
      expect(await deadLetters.forgetOld({ before: at(10), limit: 100_000 })).toBeGreaterThan(0)
      expect(await letters()).toEqual([])
    })
  })
}
