// What the progress store says to whoever follows a judging. Runs over maps in the fast run and over Postgres in the full one.
import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { AgentStore } from '../../shared/agent-ports.ts'
import type { AccountStore, BountyStore, JudgingStore, ProgressStore, SubmissionStore } from '../../shared/ports.ts'
import { idOf } from '../fakes/id-of.ts'
import { scriptAgent } from '../fakes/script-agent.ts'
import { judgeByHand } from '../fakes/judge-by-hand.ts'
import { newKey } from '../fakes/new-key.ts'

export type ProgressStores = {
  accounts: AccountStore
  agents: AgentStore
  bounties: BountyStore
  submissions: SubmissionStore
  judgings: JudgingStore
  progress: ProgressStore
}

const at = (second: number) => `2126-03-05T12:00:0${second}.000Z`
const unique = () => randomBytes(6).toString('hex')

export function progressContract(name: string, open: () => ProgressStores): void {
  describe(`${name} tells of a submission as the port promises`, () => {
    /** Six cases, of which the second and the last are hidden. */
    async function begun() {
      const { accounts, agents, bounties, submissions, judgings, progress } = open()
      const judge = judgeByHand({ submissions, judgings })
      const [accountId, agentId, bountyId, id] = [idOf('account'), idOf('agent'), idOf('bounty'), idOf('submission')]
      await accounts.create({ id: accountId, name: `a ${unique()}`, createdAt: at(0) }, newKey())
      await agents.create(scriptAgent({ id: agentId, accountId, createdAt: at(1) }), { engine: 'engine-1' })
      const money = { rewardCredits: 0, mode: 'best', tier: 'basic', status: 'open' } as const
      const dates = { deadline: null, createdAt: at(1), closedAt: null, awardedSubmissionId: null, checker: null }
      const cases = Array.from({ length: 6 }, (_, position) => {
        return { id: idOf('case'), position, name: null, input: '1', expected: '1', hidden: position % 4 === 1, salt: unique() }
      })
      await bounties.create({ summary: { id: bountyId, accountId, title: 't', ...money, caseCount: 6, ...dates }, description: '', cases })
      const of = { bountyId, agentId, version: 1, accountId }
      await judge.begin({ id, ...of, createdAt: at(2) })
      const usage = { fuel: 9_000_000_000, wallMicros: 3, memoryBytesPeak: 65_536 }
      const verdict = (i: number) => {
        return { caseId: cases[i]?.id ?? '', status: i === 3 ? ('wrong-answer' as const) : ('accepted' as const), usage }
      }
      const judged = (...places: number[]) =>
        judge.record(id, { engine: 'engine-1', verdicts: places.map((i) => ({ ...verdict(i), outputSha256: null })) })
      const after = (number: number, limit = 100) => progress.find(id, { after: number, limit })
      return { id, of, judge, submissions, progress, judged, after, verdict }
    }

    test('nothing at first; nothing of a submission that there is not', async () => {
      const { id, of, after, submissions, progress } = await begun()
      const none = { status: 'running', casesPassed: 0, fuelTotal: 0, engine: null, finishedAt: null }
      const expected = { id, ...of, ...none, casesTotal: 6, createdAt: at(2), verdicts: [], upTo: 0, casesJudged: 0 }
      const { verdicts: _verdicts, ...found } = (await submissions.find(id)) ?? {}
      expect(await after(0)).toMatchObject({ ...found, verdicts: [], upTo: 0, casesJudged: 0 })
      expect(await after(0)).toMatchObject(expected)
      expect(await progress.find(idOf('submission'), { after: 0, limit: 1 })).toBeUndefined()
    })

    test('public verdicts by their numbers, in the order in which they were stored, and hidden ones only counted', async () => {
      const { judged, after, verdict } = await begun()
      await judged(2, 1)
      await judged(0, 2, 3)
      const all = [
        { number: 1, ...verdict(2) },
        { number: 3, ...verdict(0) },
        { number: 4, ...verdict(3) },
      ]
      expect(await after(0)).toMatchObject({ verdicts: all, upTo: 4, casesJudged: 4, casesPassed: 3 })
      expect((await after(1))?.verdicts).toEqual(all.slice(1))
      expect((await after(3))?.verdicts).toEqual(all.slice(2))
      expect(await after(4)).toMatchObject({ verdicts: [], upTo: 4 })
      await judged(5)
      expect(await after(4)).toMatchObject({ verdicts: [], upTo: 5, casesJudged: 5, casesPassed: 4 })
    })

    test('what a checker says, of public cases', async () => {
      const { id, judge, after, verdict } = await begun()
      const told = [0, 1, 2].map((i) => ({ ...verdict(i), outputSha256: null, ...(i < 2 ? { message: `case ${i}` } : {}) }))
      await judge.record(id, { engine: 'engine-1', verdicts: told })
      const shown = [
        { number: 1, ...verdict(0), message: 'case 0' },
        { number: 3, ...verdict(2) },
      ]
      expect((await after(0))?.verdicts).toEqual(shown)
    })

    test('numbers without gaps, also when verdicts are stored at once', async () => {
      const { judged, after } = await begun()
      await Promise.all([judged(0, 2), judged(3), judged(0, 4), judged(1, 5)])
      const found = await after(0)
      const numbers = found?.verdicts.map(({ number }) => number) ?? []
      expect([found?.casesJudged, numbers.length]).toEqual([6, 4])
      expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b))
      for (const number of [1, 2, 3, 4, 5, 6]) expect((await after(number - 1, 1))?.upTo).toBe(number)
    })

    test('no more at once than was asked for', async () => {
      const { judged, after, verdict } = await begun()
      await judged(0, 1, 2, 3)
      expect(await after(0, 2)).toMatchObject({ verdicts: [{ number: 1, ...verdict(0) }], upTo: 2, casesJudged: 4 })
      expect(await after(2, 1)).toMatchObject({ verdicts: [{ number: 3, ...verdict(2) }], upTo: 3, casesJudged: 4 })
    })

    test('the end, with all that was judged before it', async () => {
      const { id, judged, after, judge } = await begun()
      await judged(0)
      await judge.finish(id, { status: 'failed', at: at(5) })
      expect(await after(0)).toMatchObject({ status: 'failed', finishedAt: at(5), casesJudged: 1 })
    })
  })
}
