// The part of stores.contract.ts about modes of versions and what their fuel is compared with: leaderboards.
import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Account } from '../../shared/account.ts'
import type { Agent } from '../../shared/agent.ts'
import type { NewBounty } from '../../shared/ports.ts'
import { idOf } from '../fakes/id-of.ts'
import { judgeByHand } from '../fakes/judge-by-hand.ts'
import type { Stores } from './stores.contract.ts'

export type Submitted = { agent: Agent; passed: number; fuel: number | null; second: number; engine?: string }

export type RanksWorld = {
  stores: () => Stores
  account: () => Account
  newAgent: (more?: Partial<Agent>) => Promise<Agent>
  newBounty: (count: number) => Promise<NewBounty>
  submitted: (bounty: NewBounty, of: Submitted) => Promise<string>
}

const at = (second: number) => `2026-11-23T12:00:${String(second).padStart(2, '0')}.000Z`
const hash = () => randomBytes(32).toString('hex')
const unique = () => randomBytes(6).toString('hex')

export function describeRanks({ stores, account, newAgent, newBounty, submitted }: RanksWorld): void {
  test('a version has one mode, whatever the next one has, and tells what became of its functions', async () => {
    const functions = {
      compiled: 3,
      interpretedCount: 30,
      interpreted: [{ name: 'wälk', place: 'agent.ts:3:1', reason: 'it is a generator' }],
      reason: null,
    }
    const program = {
      id: idOf('agent'),
      accountId: account().id,
      name: unique(),
      kind: 'script',
      version: 1,
      sha256: hash(),
      bytes: 7,
    } as const
    const agent: Agent = { ...program, scriptMode: 'compiled', createdAt: at(0), updatedAt: at(0) }
    await stores().agents.create(agent, { engine: 'engine-1+compiled-1', functions })
    expect(await stores().agents.find(agent.id)).toEqual(agent)
    const { id: agentId, accountId, kind } = agent
    const first = { agentId, accountId, kind, version: 1, sha256: agent.sha256, bytes: 7, scriptMode: 'compiled', functions }
    expect(await stores().agents.findVersion(agentId, 1)).toEqual({ ...first, engine: 'engine-1+compiled-1', createdAt: at(0) })
    const next = { agentId, sha256: agent.sha256, bytes: 7, engine: 'engine-1', askedAt: at(8), at: at(9) }
    const added = await stores().agents.addVersion({ ...next, scriptMode: 'interpreted' })
    expect(added).toMatchObject({ version: 2, scriptMode: 'interpreted', functions: null })
    // Tried again the host may decide otherwise; what was made stays.
    expect(await stores().agents.addVersion({ ...next, scriptMode: 'compiled', functions })).toEqual(added)
    expect(await stores().agents.find(agentId)).toMatchObject({ version: 2, scriptMode: 'interpreted' })
    const modeOf = async (version: number) => (await stores().agents.findRunnable(agentId, version))?.program.scriptMode
    expect([await modeOf(1), await modeOf(2)]).toEqual(['compiled', 'interpreted'])
    expect(await stores().agents.findVersion(agentId, 3)).toBeUndefined()
    const module = await newAgent({ kind: 'command', scriptMode: null })
    expect((await stores().agents.findRunnable(module.id))?.program).toEqual({ kind: 'command', sha256: module.sha256 })
  })

  test('agents rank by cases, then fuel with unmetered last, then time; the best submission of each counts', async () => {
    const bounty = await newBounty(3)
    const [a, b, c, d] = [await newAgent(), await newAgent(), await newAgent(), await newAgent()]
    const first = await submitted(bounty, { agent: a, passed: 3, fuel: 20, second: 9 })
    const unmetered = await submitted(bounty, { agent: b, passed: 3, fuel: null, second: 1 })
    await submitted(bounty, { agent: c, passed: 1, fuel: 1, second: 1 })
    const better = await submitted(bounty, { agent: c, passed: 3, fuel: 20, second: 10 })
    await submitted(bounty, { agent: c, passed: 3, fuel: 20, second: 11 })
    const worst = await submitted(bounty, { agent: d, passed: 2, fuel: 1, second: 1 })
    const bountyId = bounty.summary.id
    const all = (await stores().submissions.rankAgents(bountyId, { limit: 10 })) ?? []
    expect(all.map(({ submissionId }) => submissionId)).toEqual([first, better, unmetered, worst])
    expect(all[0]).toEqual({
      agentId: a.id,
      agentName: a.name,
      accountId: account().id,
      accountName: account().name,
      submissionId: first,
      casesPassed: 3,
      casesTotal: 3,
      enginePlace: 1,
      fuelTotal: 60,
      engine: 'engine-1',
      scriptMode: 'interpreted',
      finishedAt: at(9),
    })
    for (const [i, after] of all.entries()) {
      expect(await stores().submissions.rankAgents(bountyId, { limit: 1, after })).toEqual(all.slice(i + 1, i + 2))
    }
  })

  test('fuel compares within one engine: with as many cases those of the engine that came first rank first', async () => {
    const bounty = await newBounty(3)
    const [a, b, c, d] = [await newAgent(), await newAgent(), await newAgent(), await newAgent()]
    const [interpreted, compiled] = ['engine-1', 'engine-1+compiled-1'] as const
    const dear = await submitted(bounty, { agent: a, passed: 2, fuel: 30, second: 5, engine: interpreted })
    const cheapest = await submitted(bounty, { agent: b, passed: 2, fuel: 1, second: 6, engine: compiled })
    const cheap = await submitted(bounty, { agent: c, passed: 2, fuel: 20, second: 7, engine: interpreted })
    const full = await submitted(bounty, { agent: d, passed: 3, fuel: 90, second: 8, engine: compiled })
    await submitted(bounty, { agent: a, passed: 2, fuel: 1, second: 9, engine: compiled })
    const all = (await stores().submissions.rankAgents(bounty.summary.id, { limit: 10 })) ?? []
    expect(all.map(({ submissionId, enginePlace, engine }) => [submissionId, enginePlace, engine])).toEqual([
      [full, 2, compiled],
      [cheap, 1, interpreted],
      [dear, 1, interpreted],
      [cheapest, 2, compiled],
    ])
    for (const [i, after] of all.entries()) {
      expect(await stores().submissions.rankAgents(bounty.summary.id, { limit: 1, after })).toEqual(all.slice(i + 1, i + 2))
    }
  })

  test('a failed submission ranks nowhere', async () => {
    const [bounty, agent] = [await newBounty(1), await newAgent()]
    const id = idOf('submission')
    const of = { bountyId: bounty.summary.id, agentId: agent.id, version: 1, accountId: account().id }
    await judgeByHand(stores()).begin({ id, ...of, createdAt: at(2) })
    await judgeByHand(stores()).finish(id, { status: 'failed', at: at(3) })
    expect(await stores().submissions.rankAgents(bounty.summary.id, { limit: 1 })).toEqual([])
    expect(await stores().submissions.rankAgents(idOf('bounty'), { limit: 1 })).toBeUndefined()
  })

  test('accounts rank by the cases that their best submissions pass', async () => {
    const bounty = await newBounty(40)
    const [mine, second] = [await newAgent(), await newAgent()]
    await Promise.all([
      submitted(bounty, { agent: mine, passed: 30, fuel: 1, second: 3 }),
      submitted(bounty, { agent: second, passed: 5, fuel: 1, second: 3 }),
    ])
    const own = { accountId: account().id, accountName: account().name, creditsWon: 0, bountiesWon: 0, casesPassed: 35 }
    const justAbove = { creditsWon: 0, bountiesWon: 0, casesPassed: 36, accountId: account().id }
    expect(
      (await stores().submissions.rankAccounts({ limit: 100, after: justAbove })).find((rank) => rank.accountId === account().id),
    ).toEqual(own)
    const behind = await stores().submissions.rankAccounts({ limit: 100, after: own })
    expect(behind.map(({ accountId }) => accountId)).not.toContain(account().id)
  })
}
