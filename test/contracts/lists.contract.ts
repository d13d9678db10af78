// What lists with filters and the quotas of accounts promise, whatever holds the data.
import { randomBytes } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import type { ExecutionRecord } from '../../shared/execution.ts'
import type { AgentStore } from '../../shared/agent-ports.ts'
import type {
  AccountStore,
  BountyStore,
  ExecutionStore,
  JudgingStore,
  KeyStore,
  Listed,
  SettlementStore,
  SubmissionStore,
} from '../../shared/ports.ts'
import { searchWords } from '../../shared/search-words.ts'
import { limits } from '../../shared/tiers.ts'
import { idOf } from '../fakes/id-of.ts'
import { judgeByHand } from '../fakes/judge-by-hand.ts'
import { newKey } from '../fakes/new-key.ts'

export type ListStores = {
  accounts: AccountStore
  keys: KeyStore
  agents: AgentStore
  bounties: BountyStore
  submissions: SubmissionStore
  judgings: JudgingStore
  executions: ExecutionStore
  settlements: SettlementStore
}

const at = '2026-11-23T12:00:00.000Z'
const unique = () => randomBytes(6).toString('hex')
const page = { limit: 100 }
const idsOf = ({ items }: Listed<{ id: string }>) => items.map(({ id }) => id)
const newestFirst = (...ids: string[]) => ids.toSorted((a, b) => (a < b ? 1 : -1))

export function listsContract(name: string, open: () => ListStores): void {
  let stores: ListStores
  let owner: string
  beforeEach(async () => {
    stores = open()
    owner = await newAccount()
  })

  async function newAccount(): Promise<string> {
    const id = idOf('account')
    await stores.accounts.create({ id, name: `ada ${unique()}`, createdAt: at }, newKey())
    return id
  }

  async function newAgent({ agentName = `agent-${unique()}`, kind = 'script', by = owner }: NewAgent = {}): Promise<string> {
    const id = idOf('agent')
    const program = {
      name: agentName,
      kind,
      scriptMode: kind === 'script' ? 'interpreted' : null,
      version: 1,
      sha256: '0'.repeat(64),
      bytes: 7,
    } as const
    await stores.agents.create({ id, accountId: by, ...program, createdAt: at, updatedAt: at }, { engine: 'engine-1' })
    return id
  }
  type NewAgent = { agentName?: string; kind?: 'script' | 'command'; by?: string }

  async function newBounty({ title = 't', description = '', mode = 'first', by = owner }: NewListed = {}): Promise<string> {
    const id = idOf('bounty')
    const dates = { deadline: null, createdAt: at, closedAt: null, awardedSubmissionId: null, checker: null }
    const terms = { rewardCredits: 0, mode, tier: 'basic', status: 'open', caseCount: 1 } as const
    const cases = [{ id: idOf('case'), position: 0, name: null, input: '1', expected: '1', hidden: false, salt: unique() }]
    await stores.bounties.create({ summary: { id, accountId: by, title, ...terms, ...dates }, description, cases })
    return id
  }
  type NewListed = { title?: string; description?: string; mode?: 'first' | 'best'; by?: string }

  describe(`${name} lists what fits`, () => {
    test('bounties by status, mode, owner and words, alone and together', async () => {
      const word = `w${unique()}`
      const first = await newBounty({ title: `Render ${word}` })
      const best = await newBounty({ title: 'Parse', description: `it; has-the.${word.toUpperCase()}!`, mode: 'best' })
      const other = await newBounty({ title: word, by: await newAccount() })
      const words = [word]
      const list = async (filters: Parameters<BountyStore['list']>[0]) => idsOf(await stores.bounties.list(filters))
      expect(await list({ words, ...page })).toEqual(newestFirst(first, best, other))
      expect(await list({ owner, ...page })).toEqual(newestFirst(first, best))
      expect(await list({ owner, mode: 'best', ...page })).toEqual([best])
      expect(await list({ words: [word, 'render'], ...page })).toEqual([first])
      expect(await list({ words: [word, 'nowhere'], ...page })).toEqual([])
      expect(await list({ owner, words, status: 'open', mode: 'first', ...page })).toEqual([first])
      await stores.settlements.cancel(first, { at })
      expect(await list({ owner, status: 'open', ...page })).toEqual([best])
      expect(await list({ words, status: 'cancelled', ...page })).toEqual([first])
    })

    test('agents by kind, owner and words of their name', async () => {
      const word = `w${unique()}`
      const script = await newAgent({ agentName: `${word}-it` })
      const command = await newAgent({ agentName: `fast.${word}`, kind: 'command' })
      await newAgent({ agentName: `${word}s` })
      const list = async (filters: Parameters<AgentStore['list']>[0]) => idsOf(await stores.agents.list(filters))
      expect(await list({ words: [word], ...page })).toEqual(newestFirst(script, command))
      expect(await list({ words: [word, 'it'], ...page })).toEqual([script])
      expect(await list({ owner, kind: 'command', ...page })).toEqual([command])
      expect(await list({ owner: await newAccount(), words: [word], ...page })).toEqual([])
    })

    test.each([
      ['case', 'GRÜßE', 'grüße'],
      ['accents', 'naïve café', 'NAIVE'],
      ['compatibility forms', 'ﬁle Ⅳ', 'file'],
      ['scripts without spaces', '計算を速くする', '計算'],
      ['Greek', 'ΛΌΓΟΣ', 'λόγοσ'],
      ['Devanagari', 'हिन्दी पाठ', 'पाठ'],
      ['an astral script', '𝒽ello 𐐀𐐁', '𐐨𐐩'],
    ])('words whatever their %s', async (_, title, query) => {
      const id = await newBounty({ title })
      expect(idsOf(await stores.bounties.list({ owner, words: searchWords(query), ...page }))).toEqual([id])
    })

    test('pages of a filtered list go on behind the last item, also when something came in between', async () => {
      const word = `w${unique()}`
      const ids: string[] = []
      for (let i = 0; i < 5; i++) ids.push(await newBounty({ title: word }))
      const expected = newestFirst(...ids)
      const first = await stores.bounties.list({ owner, words: [word], limit: 2 })
      // Ids of one millisecond are in no order.
      await new Promise((resolve) => setTimeout(resolve, 2))
      await newBounty({ title: word })
      const rest = await stores.bounties.list({ owner, words: [word], limit: 10, after: expected[1] })
      expect([...idsOf(first), ...idsOf(rest)]).toEqual(expected)
    })

    test('the submissions of an account, by bounty and status', async () => {
      const [bountyId, otherId, agentId] = [await newBounty({ mode: 'best' }), await newBounty(), await newAgent()]
      const submit = async (of: string) => {
        const id = idOf('submission')
        await judgeByHand(stores).begin({ id, bountyId: of, agentId, version: 1, accountId: owner, createdAt: at })
        return id
      }
      const [a, b, c] = [await submit(bountyId), await submit(bountyId), await submit(otherId)]
      await judgeByHand(stores).finish(a, { status: 'failed', at })
      const list = async (filters: Parameters<SubmissionStore['list']>[1]) => idsOf(await stores.submissions.list(owner, filters))
      expect(await list(page)).toEqual(newestFirst(a, b, c))
      expect(await list({ bountyId, ...page })).toEqual(newestFirst(a, b))
      expect(await list({ status: 'running', ...page })).toEqual(newestFirst(b, c))
      expect(await list({ bountyId, status: 'failed', ...page })).toEqual([a])
      expect(await stores.submissions.list(await newAccount(), page)).toEqual({ items: [] })
      const { verdicts: _verdicts, ...summary } = (await stores.submissions.find(c)) ?? { verdicts: [] }
      expect(await stores.submissions.list(owner, { bountyId: otherId, ...page })).toEqual({ items: [summary] })
    })

    test('the executions of an account, by agent and status', async () => {
      const [agentId, otherId] = [await newAgent(), await newAgent()]
      const records = [recordOf({ agentId }), recordOf({ agentId, status: 'threw' }), recordOf({ agentId: otherId })]
      const [a, b, c] = records.map((record) => record.id) as [string, string, string]
      expect(await stores.executions.record(records)).toEqual([])
      const list = async (filters: Parameters<ExecutionStore['list']>[1]) => idsOf(await stores.executions.list(owner, filters))
      expect(await list(page)).toEqual(newestFirst(a, b, c))
      expect(await list({ agentId, ...page })).toEqual(newestFirst(a, b))
      expect(await list({ status: 'completed', ...page })).toEqual(newestFirst(a, c))
      expect(await stores.executions.list(owner, { agentId, status: 'threw', ...page })).toEqual({
        items: [{ id: b, agentId, version: 1, status: 'threw', fuel: 9_000_000_000, costMicroUsd: 2.375, finishedAt: at }],
      })
    })

    function recordOf(more: Pick<ExecutionRecord, 'agentId'> & Partial<ExecutionRecord>): ExecutionRecord {
      return {
        id: idOf('execution'),
        accountId: owner,
        version: 1,
        tier: 'basic',
        seed: 7,
        startTime: '2000-01-01T00:00:00Z',
        program: { kind: 'script', sha256: '0'.repeat(64) },
        status: 'completed',
        logs: { stdout: '', stderr: '', truncated: false },
        artifacts: [],
        usage: { fuel: 9_000_000_000, wallMicros: 5, memoryBytesPeak: 65_536, costMicroUsd: 2.375 },
        engine: 'engine-1',
        finishedAt: at,
        receipt: null,
        ...more,
      }
    }
  })

  describe(`${name} holds quotas`, () => {
    /** Fills all but the last two places, then wants five at once. @returns how many of those came in, and what the others were told */
    async function fillAndRace(max: number, make: () => Promise<unknown>) {
      for (let made = 0; made < max - 2; made += 50) await Promise.all(Array.from({ length: Math.min(50, max - 2 - made) }, make))
      const raced = await Promise.allSettled(Array.from({ length: 5 }, make))
      const refusals = raced.flatMap((result) =>
        result.status === 'rejected' ? [result.reason as { code?: string; detail?: string }] : [],
      )
      return { made: raced.length - refusals.length, codes: refusals.map(({ code }) => code), detail: refusals[0]?.detail }
    }
    const three = Array.from({ length: 3 }, () => 'quota-exceeded')

    test(`an account has ${limits.agentsPerAccountMax} agents at most, whoever is first`, async () => {
      const raced = await fillAndRace(limits.agentsPerAccountMax, () => newAgent())
      expect(raced).toMatchObject({ made: 2, codes: three, detail: expect.stringMatching(/1000 agents/) })
      expect((await stores.accounts.findPage(owner))?.used.agents).toBe(limits.agentsPerAccountMax)
      expect(await newAgent({ by: await newAccount() })).toMatch(/^agt_/)
    }, 120_000)

    test(`an account has ${limits.openBountiesPerAccountMax} open bounties at most; one that closes leaves its place`, async () => {
      const raced = await fillAndRace(limits.openBountiesPerAccountMax, () => newBounty())
      expect(raced).toMatchObject({ made: 2, codes: three, detail: expect.stringMatching(/1000 open bounties/) })
      const [newest = ''] = idsOf(await stores.bounties.list({ owner, limit: 1 }))
      await stores.settlements.cancel(newest, { at })
      const used = async () => (await stores.accounts.findPage(owner))?.used.openBounties
      expect(await used()).toBe(limits.openBountiesPerAccountMax - 1)
      await newBounty()
      await expect(newBounty()).rejects.toMatchObject({ code: 'quota-exceeded' })
      expect(await used()).toBe(limits.openBountiesPerAccountMax)
    }, 120_000)

    test(`an agent has ${limits.versionsPerAgentMax} versions at most`, async () => {
      const agentId = await newAgent()
      const version = { agentId, sha256: '1'.repeat(64), bytes: 1, engine: 'engine-1', scriptMode: 'interpreted' as const, at }
      let asked = Date.parse(at)
      const add = () => stores.agents.addVersion({ ...version, askedAt: new Date(asked++).toISOString() })
      // The first one came with the agent.
      const raced = await fillAndRace(limits.versionsPerAgentMax - 1, add)
      expect(raced).toMatchObject({ made: 2, codes: three, detail: expect.stringMatching(/1000 versions/) })
      expect((await stores.agents.find(agentId))?.version).toBe(limits.versionsPerAgentMax)
    }, 120_000)

    test('what an account has is counted with its balance', async () => {
      await Promise.all([newAgent(), newBounty(), newBounty(), stores.keys.create(owner, newKey())])
      expect(await stores.accounts.findPage(owner)).toMatchObject({
        id: owner,
        createdAt: at,
        balanceCredits: 0,
        used: { agents: 1, openBounties: 2, keys: 2, webhooks: 0 },
      })
      expect(await stores.accounts.findPage(idOf('account'))).toBeUndefined()
    })
  })
}
