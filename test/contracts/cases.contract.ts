// What changes of cases and judging again promise, whatever holds them. Runs over maps in the fast run and over Postgres in the full one.
import { describe, expect, test } from 'vitest'
import type { JudgementReceipt } from '../../shared/judgement-receipt.ts'
import { limits } from '../../shared/tiers.ts'
import { idOf } from '../fakes/id-of.ts'
import { at, unique, useJudgingWorld, type JudgingStores } from './judging-world.ts'

export function casesContract(name: string, open: () => JudgingStores): void {
  describe(`${name} changes cases, and judges by them again, as the port promises`, () => {
    const world = useJudgingWorld(open)
    const { newBounty, submitted, take, openCases, record, finish, judged, find, isDue } = world

    test('a fixed case has the next revision, unless nothing changed; place and visibility stay', async () => {
      const before = await world.stores.cases.list(world.bountyId, { after: -1, limit: 9 })
      const fixed = before[1] ?? expect.fail('no case')
      const fix = (more: object, caseId = fixed.id) =>
        world.stores.cases.fix(caseId, { bountyId: world.bountyId, salt: unique(), at: at(3), ...more })
      expect(await fix({ expected: '1', input: '{"b":1,"a":1.50}' })).toEqual(fixed)
      expect(await fix({ expected: '"other"' })).toEqual({ ...fixed, revision: 2 })
      expect(await fix({ input: '2' })).toEqual({ ...fixed, revision: 3 })
      expect(await fix({ input: '2' }, idOf('case'))).toBeUndefined()
      const { id } = await submitted({ second: 4 })
      expect((await openCases(id))[1]).toMatchObject({ input: '2', expected: '"other"', revision: 3 })
      await world.stores.settlements.cancel(world.bountyId, { at: at(5) })
      expect(await fix({ input: '3' })).toBeUndefined()
      expect(await world.stores.cases.list(world.bountyId, { after: 0, limit: 1 })).toEqual([{ ...fixed, revision: 3 }])
    })

    test('cases are added behind the others, up to the bounds, also at once, and not to a closed bounty', async () => {
      const one = () => ({ id: idOf('case'), name: 'n', input: '1', expected: '2', hidden: true, salt: unique() })
      const added = await world.stores.cases.add(world.bountyId, { cases: [one(), one()], at: at(3) })
      expect(added?.map(({ position, name: called, hidden, revision }) => [position, called, hidden, revision])).toEqual([
        [4, 'n', true, 1],
        [5, 'n', true, 1],
      ])
      expect(await world.stores.bounties.findSummary(world.bountyId)).toMatchObject({ caseCount: 6 })
      const many = Array.from({ length: limits.casesPerBountyMax - 7 }, one)
      const answers = await Promise.all([1, 2, 3].map(() => world.stores.cases.add(world.bountyId, { cases: many, at: at(3) })))
      expect(answers.filter(Boolean)).toHaveLength(1)
      expect(await world.stores.cases.totals(world.bountyId)).toMatchObject({ count: limits.casesPerBountyMax - 1 })
      const large = { ...one(), input: `"${'x'.repeat(limits.caseBytesMax)}"` }
      expect(await world.stores.cases.add(world.bountyId, { cases: [large], at: at(3) })).toBeUndefined()
      expect(await world.stores.cases.add(world.bountyId, { cases: [one()], at: at(3) })).toHaveLength(1)
      expect(await world.stores.cases.add(world.bountyId, { cases: [one()], at: at(3) })).toBeUndefined()
      const late = await newBounty({ deadline: at(9) })
      expect(await world.stores.cases.add(late, { cases: [one()], at: at(9) })).toBeUndefined()
      expect(await world.stores.cases.add(late, { cases: [one()], at: at(8) })).toHaveLength(1)
    })

    test('a submission that comes while cases are added is judged by all of them', async () => {
      const one = () => ({ id: idOf('case'), name: null, input: '1', expected: '2', hidden: true, salt: unique() })
      const agentId = idOf('agent')
      const ids = [(await submitted({ agentId })).id]
      for (let round = 0; round < 8; round++) {
        const grow = async () => {
          await world.stores.cases.add(world.bountyId, { cases: [one()], at: at(3) })
          await world.stores.cases.rejudge(world.bountyId, { id: idOf('rejudging'), at: at(3) })
        }
        const [, ...made] = await Promise.all([grow(), ...Array.from({ length: 6 }, () => submitted({ agentId }))])
        ids.push(...made.map(({ id }) => id))
      }
      const totals = await Promise.all(ids.map(async (id) => (await find(id))?.casesTotal))
      expect(totals).toEqual(ids.map(() => 12))
    })

    test('judging again runs what changed, keeps the rank until the end, and tells of new verdicts behind the old ones', async () => {
      const { id } = await judged({ passed: 3 })
      expect(await find(id)).toMatchObject({ status: 'rejected', casesPassed: 3 })
      expect(await world.stores.cases.rejudge(world.bountyId, { id: idOf('rejudging'), at: at(60) })).toBe(0)
      const [first, , , last] = await world.stores.cases.list(world.bountyId, { after: -1, limit: 9 })
      if (!first || !last) throw new Error('no cases')
      for (const { id: caseId } of [first, last])
        await world.stores.cases.fix(caseId, { bountyId: world.bountyId, expected: '"x"', salt: unique(), at: at(61) })
      const made = { id: idOf('case'), name: null, input: '1', expected: '1', hidden: false, salt: unique() }
      await world.stores.cases.add(world.bountyId, { cases: [made], at: at(61) })
      expect(
        await Promise.all([1, 2].map(() => world.stores.cases.rejudge(world.bountyId, { id: idOf('rejudging'), at: at(62) }))),
      ).toEqual(expect.arrayContaining([0, 1]))
      expect(await find(id)).toMatchObject({ status: 'queued', round: 2, casesTotal: 5, casesPassed: 3, finishedAt: null })
      const rank = async () => (await world.stores.submissions.rankAgents(world.bountyId, { limit: 9 }))?.[0]
      expect(await rank()).toMatchObject({ submissionId: id, casesPassed: 3 })
      expect(await isDue(id, 62)).toMatchObject({ turn: 3, attempts: 0 })
      await take(id, 3)
      expect((await openCases(id)).map(({ position, revision }) => [position, revision])).toEqual([
        [0, 2],
        [3, 2],
        [4, 1],
      ])
      await record(id, { turn: 4, passed: 0 })
      expect(await rank()).toMatchObject({ casesPassed: 3 })
      expect(await finish(id, { turn: 4, second: 70 })).toBe(true)
      // The second and third case passed before, and are as they were.
      expect(await find(id)).toMatchObject({
        status: 'rejected',
        casesPassed: 2,
        casesTotal: 5,
        fuelTotal: 35,
        round: 2,
        finishedAt: at(70),
      })
      expect(await rank()).toMatchObject({ submissionId: id, casesPassed: 2, finishedAt: at(70) })
      const progress = await world.stores.progress.find(id, { after: 4, limit: 9 })
      expect(progress).toMatchObject({ upTo: 7, hasMore: false, casesJudged: 5 })
      expect(progress?.verdicts.map(({ number, caseId, status }) => [number, caseId, status])).toEqual([
        [5, first.id, 'wrong-answer'],
        [7, made.id, 'wrong-answer'],
      ])
      expect((await find(id)).verdicts).toHaveLength(4)
    })

    test('what is running when a case is fixed is judged by it as it is then', async () => {
      const { id } = await submitted()
      await take(id)
      await record(id, { turn: 2 })
      const [first] = await world.stores.cases.list(world.bountyId, { after: -1, limit: 1 })
      await world.stores.cases.fix(first?.id ?? '', { bountyId: world.bountyId, input: '9', salt: unique(), at: at(3) })
      expect(await finish(id, { turn: 2 })).toBe(false)
      expect((await openCases(id)).map(({ position, revision }) => [position, revision])).toEqual([[0, 2]])
      await record(id, { turn: 2 })
      expect(await finish(id, { turn: 2 })).toBe(true)
      expect(await find(id)).toMatchObject({ casesPassed: 4, fuelTotal: 28 })
    })

    test('what is running when submissions are judged again is judged by what was added, too, in the same round', async () => {
      const { id } = await submitted()
      await take(id)
      await record(id, { turn: 2 })
      const made = { id: idOf('case'), name: null, input: '1', expected: '1', hidden: false, salt: unique() }
      await world.stores.cases.add(world.bountyId, { cases: [made], at: at(3) })
      expect(await find(id)).toMatchObject({ casesTotal: 4 })
      expect(await world.stores.cases.rejudge(world.bountyId, { id: idOf('rejudging'), at: at(4) })).toBe(0)
      expect(await finish(id, { turn: 2 })).toBe(false)
      expect((await openCases(id)).map(({ position, revision }) => [position, revision])).toEqual([[4, 1]])
      await record(id, { turn: 2 })
      expect(await finish(id, { turn: 2 })).toBe(true)
      expect(await find(id)).toMatchObject({ casesPassed: 5, casesTotal: 5, round: 1 })
    })

    test('an agent whose best submission got worse ranks with its next best, or nowhere', async () => {
      const { id: best, agentId } = await judged({ end: 50 })
      const { id: second } = await judged({ agentId, passed: 2, end: 51 })
      const [first] = await world.stores.cases.list(world.bountyId, { after: -1, limit: 1 })
      await world.stores.cases.fix(first?.id ?? '', { bountyId: world.bountyId, input: '9', salt: unique(), at: at(60) })
      expect(await world.stores.cases.rejudge(world.bountyId, { id: idOf('rejudging'), at: at(61) })).toBe(2)
      const rank = async () =>
        (await world.stores.submissions.rankAgents(world.bountyId, { limit: 9 }))?.map((found) => [found.submissionId, found.casesPassed])
      await take(second, 3)
      await record(second, { turn: 4 })
      await finish(second, { turn: 4, second: 62 })
      expect(await rank()).toEqual([[best, 4]])
      await take(best, 3)
      expect(await world.stores.judgings.finish(best, { turn: 4, status: 'failed', failure: 'x', at: at(63) })).toBe(true)
      expect(await rank()).toEqual([[second, 2]])
      const [account] = (await world.stores.submissions.rankAccounts({ limit: 10_000 })).filter(
        (found) => found.accountId === world.accountId,
      )
      expect(account).toMatchObject({ casesPassed: 2 })
      await world.stores.cases.fix(first?.id ?? '', { bountyId: world.bountyId, input: '10', salt: unique(), at: at(64) })
      await world.stores.cases.rejudge(world.bountyId, { id: idOf('rejudging'), at: at(65) })
      await take(second, 5)
      await world.stores.judgings.finish(second, { turn: 6, status: 'failed', failure: 'x', at: at(66) })
      expect(await rank()).toEqual([])
    })

    test('of several full passes after judging again the one that was created first wins, whichever ends first', async () => {
      const first = await newBounty({ mode: 'first' })
      const [older, newer] = [await judged({ to: first, second: 2, passed: 3 }), await judged({ to: first, second: 3, passed: 3 })]
      const [, , , last] = await world.stores.cases.list(first, { after: -1, limit: 9 })
      await world.stores.cases.fix(last?.id ?? '', { bountyId: first, expected: '"x"', salt: unique(), at: at(60) })
      expect(await world.stores.cases.rejudge(first, { id: idOf('rejudging'), at: at(61) })).toBe(2)
      for (const { id } of [newer, older]) {
        await take(id, 3)
        await record(id, { turn: 4 })
      }
      expect(await finish(newer.id, { turn: 4, second: 62 })).toBe(true)
      expect(await world.stores.bounties.findSummary(first)).toMatchObject({ status: 'open' })
      expect(await world.stores.settlements.cancel(first, { at: at(63) })).toBeUndefined()
      expect(await finish(older.id, { turn: 4, second: 64 })).toBe(true)
      expect(await world.stores.bounties.findSummary(first)).toMatchObject({ status: 'awarded', awardedSubmissionId: older.id })
      expect(await world.stores.cases.rejudge(first, { id: idOf('rejudging'), at: at(65) })).toBeUndefined()
    })

    test('judging again under the same id has one effect, and one answer also when the bounty has closed', async () => {
      const { id } = await judged({ passed: 3 })
      const [, , , last] = await world.stores.cases.list(world.bountyId, { after: -1, limit: 9 })
      const rejudging = { id: idOf('rejudging'), at: at(60) }
      await world.stores.cases.fix(last?.id ?? '', { bountyId: world.bountyId, expected: '"x"', salt: unique(), at: at(59) })
      const rejudge = () => world.stores.cases.rejudge(world.bountyId, rejudging)
      expect(await Promise.all([rejudge(), rejudge()])).toEqual([1, 1])
      expect(await find(id)).toMatchObject({ round: 2, status: 'queued' })
      await take(id, 3)
      await world.stores.judgings.finish(id, { turn: 4, status: 'failed', failure: 'x', at: at(61) })
      await world.stores.settlements.cancel(world.bountyId, { at: at(62) })
      expect(await rejudge()).toBe(1)
      expect(await find(id)).toMatchObject({ round: 2, status: 'failed' })
    })

    test('and the next one wins when that one fails, or the deadline comes before', async () => {
      const [one, two] = [await newBounty({ mode: 'first' }), await newBounty({ mode: 'first', deadline: at(90) })]
      for (const to of [one, two]) {
        const [older, newer] = [await judged({ to, second: 2, passed: 3 }), await judged({ to, second: 3, passed: 3 })]
        const [, , , last] = await world.stores.cases.list(to, { after: -1, limit: 9 })
        await world.stores.cases.fix(last?.id ?? '', { bountyId: to, expected: '"x"', salt: unique(), at: at(60) })
        await world.stores.cases.rejudge(to, { id: idOf('rejudging'), at: at(61) })
        await take(newer.id, 3)
        await record(newer.id, { turn: 4 })
        await finish(newer.id, { turn: 4, second: 62 })
        await take(older.id, 3)
        if (to === one) await world.stores.judgings.finish(older.id, { turn: 4, status: 'failed', failure: 'x', at: at(63) })
        else await world.stores.settlements.settle(to, { at: at(90) })
        expect(await world.stores.bounties.findSummary(to)).toMatchObject({ status: 'awarded', awardedSubmissionId: newer.id })
      }
    })

    test('at the deadline a submission that is being judged again does not win by its old rank', async () => {
      const best = await newBounty({ deadline: at(90) })
      const { id } = await judged({ to: best })
      const { id: other } = await judged({ to: best, passed: 2 })
      const [, , , last] = await world.stores.cases.list(best, { after: -1, limit: 9 })
      await world.stores.cases.fix(last?.id ?? '', { bountyId: best, expected: '"x"', salt: unique(), at: at(60) })
      await world.stores.cases.rejudge(best, { id: idOf('rejudging'), at: at(61) })
      const dueIds = (second: number) => world.stores.settlements.findDue({ at: at(second), judgingMsMax: 10_000, limit: 10_000 })
      expect(await dueIds(91)).not.toContain(best)
      expect(await dueIds(100)).toContain(best)
      await take(other, 3)
      await record(other, { turn: 4, passed: 0 })
      await finish(other, { turn: 4, second: 95 })
      await world.stores.settlements.settle(best, { at: at(100) })
      expect(await world.stores.bounties.findSummary(best)).toMatchObject({ status: 'awarded', awardedSubmissionId: other })
      await take(id, 3)
      await record(id, { turn: 4 })
      expect(await finish(id, { turn: 4, second: 110 })).toBe(true)
    })

    test('receipts of every revision stay, with what opens them', async () => {
      const { id } = await submitted()
      await take(id)
      const [first] = await openCases(id)
      if (!first) throw new Error('no case')

      const part1 = receiptOf(id, first.id)
      await record(id, { turn: 2 })
      expect(await world.stores.judgings.recordReceipt(part1, { turn: 2, firstRevision: 1 })).toBe(true)
      expect(await world.stores.judgings.recordReceipt(part1, { turn: 9, firstRevision: 1 })).toBe(false)
      await finish(id, { turn: 2 })
      const salt = unique()
      await world.stores.cases.fix(first.id, { bountyId: world.bountyId, input: '9', salt, at: at(60) })
      await world.stores.cases.rejudge(world.bountyId, { id: idOf('rejudging'), at: at(61) })
      await take(id, 3)
      await record(id, { turn: 4, passed: 0 })
      const part2 = { ...receiptOf(id, first.id), signature: '1'.repeat(128) }
      expect(await world.stores.judgings.recordReceipt(part2, { turn: 4, firstRevision: 2 })).toBe(true)
      expect(await world.stores.judgementReceipts.list(id)).toEqual([part1, part2])
      const stated = (await world.stores.judgementReceipts.statedCases(id, { withHidden: true })).filter((found) => found.id === first.id)
      expect(stated).toEqual([
        { id: first.id, input: first.input, expected: first.expected, salt: first.salt, status: 'accepted', fuel: 7, outputSha256: null },
        { id: first.id, input: '9', expected: first.expected, salt, status: 'wrong-answer', fuel: 7, outputSha256: null },
      ])
    })

    test('a part of the receipt is kept for each engine that judged its first case', async () => {
      const { id } = await submitted()
      await take(id)
      const [first] = await openCases(id)
      if (!first) throw new Error('no case')
      const parts = ['e', 'e+compiled-1'].map((engine) => receiptOf(id, first.id, engine))
      for (const receipt of parts) {
        await record(id, { turn: 2, count: 1, engine: receipt.statement.engine })
        expect(await world.stores.judgings.recordReceipt(receipt, { turn: 2, firstRevision: 1 })).toBe(true)
      }
      expect(await world.stores.judgementReceipts.list(id)).toEqual(parts)
    })
  })
}

function receiptOf(submissionId: string, caseId: string, engine = 'e'): JudgementReceipt {
  const program = { kind: 'script', sha256: '0'.repeat(64) } as const
  const run = { tier: 'basic', seed: 0, startTime: '2000-01-01T00:00:00Z', engine, finishedAt: at(3) } as const
  const entries = [{ caseId, commitment: '0'.repeat(64) }]
  const statement = {
    type: 'judgement',
    receiptVersion: 1,
    submissionId,
    program,
    casesPassed: 1,
    entries,
    keyId: '0'.repeat(32),
    ...run,
  } as const
  return { statement, signature: '0'.repeat(128) }
}
