// What the turns of judging promise, whatever holds them. Runs over maps in the fast run and over Postgres in the full one.
import { describe, expect, test } from 'vitest'
import { idOf } from '../fakes/id-of.ts'
import { at, useJudgingWorld, type JudgingStores } from './judging-world.ts'

export function judgingContract(name: string, open: () => JudgingStores): void {
  describe(`${name} judges in turns as the port promises`, () => {
    const world = useJudgingWorld(open)
    const { submitted, take, openCases, record, finish, find, isDue } = world

    test('a turn is taken once, whoever else holds the same message', async () => {
      const { id, agentId } = await submitted()
      expect(await find(id)).toMatchObject({ status: 'queued', round: 1, failure: null })
      const taken = await Promise.all([take(id), take(id), take(id)])
      expect(taken.filter(Boolean)).toEqual([
        {
          id,
          bountyId: world.bountyId,
          agentId,
          accountId: world.accountId,
          version: 1,
          turn: 2,
          mode: 'best',
          tier: 'basic',
          program: { kind: 'script', sha256: '0'.repeat(64), scriptMode: 'interpreted' },
          stopAtFirstFailure: false,
          attempts: 1,
          waits: 0,
          waitingSince: null,
        },
      ])
      expect(await find(id)).toMatchObject({ status: 'running' })
      expect([await take(id, 3), await take(idOf('submission'))]).toEqual([undefined, undefined])
    })

    test('whoever has lost the turn writes nothing', async () => {
      const { id } = await submitted()
      await take(id)
      expect(await record(id, { turn: 2, count: 1 })).toBe(true)
      expect(await world.stores.judgings.putBack(id, { turn: 2, at: at(5), dueAt: at(20), isWaiting: false })).toBe(3)
      expect(await take(id, 3)).toMatchObject({ turn: 4, attempts: 1 })
      const lost = { turn: 2 }
      expect(await record(id, lost)).toBe(false)
      expect(await finish(id, lost)).toBe(false)
      expect(await world.stores.judgings.finish(id, { turn: 2, status: 'failed', failure: 'x', at: at(9) })).toBe(false)
      expect(await world.stores.judgings.renew(id, { turn: 2, dueAt: at(9_999) })).toBe(false)
      expect(await world.stores.judgings.putBack(id, { turn: 2, at: at(5), dueAt: at(20), isWaiting: false })).toBeUndefined()
      expect(await find(id)).toMatchObject({ status: 'running', casesPassed: 1 })
      expect(await record(id, { turn: 4 })).toBe(true)
      expect(await finish(id, { turn: 4 })).toBe(true)
      for (const turn of [4, 5]) {
        expect(await record(id, { turn })).toBe(false)
        expect(await take(id, turn)).toBeUndefined()
        expect(await finish(id, { turn })).toBe(false)
      }
      expect(await find(id)).toMatchObject({ status: 'accepted', casesPassed: 4, fuelTotal: 28 })
    })

    test('cases are those without a verdict, in their order and with their bytes', async () => {
      const { id } = await submitted()
      await take(id)
      const all = await openCases(id)
      expect(all.map(({ position, input, expected, hidden, revision }) => [position, input, expected, hidden, revision])).toEqual(
        [0, 1, 2, 3].map((n) => [n, `{"b":${n},"a":1.50}`, `${n}`, n === 3, 1]),
      )
      expect(await world.stores.judgings.nextCases(id, { after: 0, limit: 2 })).toEqual(all.slice(1, 3))
      await record(id, { turn: 2, count: 2 })
      expect(await openCases(id)).toEqual(all.slice(2))
      expect(await finish(id, { turn: 2 })).toBe(false)
      await record(id, { turn: 2 })
      expect(await openCases(id)).toEqual([])
    })

    test('another engine judges all anew: its verdicts alone add up, and count again when it comes back', async () => {
      const { id } = await submitted()
      await take(id)
      const positions = async () => (await openCases(id)).map(({ position }) => position)
      await record(id, { turn: 2, count: 2 })
      expect(await find(id)).toMatchObject({ engine: 'e', casesPassed: 2, fuelTotal: 14 })
      await record(id, { turn: 2, count: 1, engine: 'e+compiled-1' })
      expect(await find(id)).toMatchObject({ engine: 'e+compiled-1', casesPassed: 1, fuelTotal: 7, verdicts: [{ status: 'accepted' }] })
      expect(await world.stores.progress.find(id, { after: 0, limit: 9 })).toMatchObject({ casesJudged: 1, upTo: 3 })
      expect(await positions()).toEqual([0, 1, 3])
      expect(await finish(id, { turn: 2 })).toBe(false)
      await world.stores.judgings.record(id, { turn: 2, dueAt: at(100), engine: 'e', verdicts: [] })
      expect(await find(id)).toMatchObject({ engine: 'e', casesPassed: 2, fuelTotal: 14 })
      expect(await positions()).toEqual([2, 3])
      await record(id, { turn: 2 })
      expect(await finish(id, { turn: 2 })).toBe(true)
      expect(await find(id)).toMatchObject({ status: 'accepted', engine: 'e', casesPassed: 4, fuelTotal: 28 })
    })

    test('a mode of the agent’s version, and of the checker’s, is taken with the programs', async () => {
      const { id } = await submitted({ scriptMode: 'compiled' })
      expect(await find(id)).toMatchObject({ scriptMode: 'compiled' })
      expect((await take(id))?.program).toMatchObject({ scriptMode: 'compiled' })
    })

    test('one that stops at a failure has no further cases, and is rejected', async () => {
      const { id } = await submitted({ stopAtFirstFailure: true })
      await take(id)
      await record(id, { turn: 2, count: 2, passed: 1 })
      expect(await openCases(id)).toEqual([])
      expect(await finish(id, { turn: 2 })).toBe(true)
      expect(await find(id)).toMatchObject({ status: 'rejected', casesPassed: 1 })
    })

    test('is due when its turn is over, and counts attempts and waiting until a verdict comes', async () => {
      const { id } = await submitted()
      expect(await isDue(id, 16)).toBeUndefined()
      expect(await isDue(id, 17)).toEqual({ id, turn: 1, attempts: 0, bountyId: world.bountyId, mode: 'best' })
      await take(id)
      expect(await isDue(id, 99)).toBeUndefined()
      expect(await world.stores.judgings.renew(id, { turn: 2, dueAt: at(200) })).toBe(true)
      expect(await isDue(id, 199)).toBeUndefined()
      expect(await isDue(id, 200)).toMatchObject({ turn: 2, attempts: 1 })
      await world.stores.judgings.putBack(id, { turn: 2, at: at(30), dueAt: at(60), isWaiting: false })
      expect(await isDue(id, 60)).toMatchObject({ turn: 3, attempts: 1 })
      expect(await take(id, 3)).toMatchObject({ attempts: 2, waits: 0 })
      await world.stores.judgings.putBack(id, { turn: 4, at: at(31), dueAt: at(61), isWaiting: true })
      expect(await take(id, 5)).toMatchObject({ attempts: 2, waits: 1, waitingSince: at(31) })
      await world.stores.judgings.putBack(id, { turn: 6, at: at(40), dueAt: at(61), isWaiting: true })
      expect(await take(id, 7)).toMatchObject({ attempts: 2, waits: 2, waitingSince: at(31) })
      await world.stores.judgings.record(id, { turn: 8, dueAt: at(100), engine: 'e', verdicts: [] })
      await world.stores.judgings.putBack(id, { turn: 8, at: at(41), dueAt: at(61), isWaiting: false })
      expect(await take(id, 9)).toMatchObject({ attempts: 3, waits: 2, waitingSince: at(31) })
      await record(id, { turn: 10, count: 1 })
      await world.stores.judgings.putBack(id, { turn: 10, at: at(42), dueAt: at(61), isWaiting: false })
      expect(await take(id, 11)).toMatchObject({ attempts: 1, waits: 0, waitingSince: null })
      expect(await world.stores.judgings.finish(id, { turn: 12, status: 'failed', failure: 'the reason', at: at(45) })).toBe(true)
      expect(await find(id)).toMatchObject({ status: 'failed', failure: 'the reason', casesPassed: 1, finishedAt: at(45) })
      expect(await isDue(id, 9_999)).toBeUndefined()
      expect(await world.stores.submissions.rankAgents(world.bountyId, { limit: 9 })).toEqual([])
    })
  })
}
