// Random histories of many callers at once against real Postgres: whatever they do to each other, every credit is somewhere, once.
// What a history may not meet is an error that is not a refusal: a deadlock, a lost update or a broken constraint fails it.
import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { expect, inject, test } from 'vitest'
import { z } from 'zod'
import type { BountySummary } from '../../shared/bounty.ts'
import { neonDatabase, PostgresError } from '../../workers/adapters/neon.ts'
import { neonAccountStore } from '../../workers/adapters/neon-accounts.ts'
import { neonAgentStore } from '../../workers/adapters/neon-agents.ts'
import { neonBountyStore } from '../../workers/adapters/neon-bounties.ts'
import { neonLedgerStore } from '../../workers/adapters/neon-ledger.ts'
import { neonSettlementStore } from '../../workers/adapters/neon-settlements.ts'
import { neonCaseStore } from '../../workers/adapters/neon-cases.ts'
import { neonJudgingStore } from '../../workers/adapters/neon-judging.ts'
import { neonSubmissionStore } from '../../workers/adapters/neon-submissions.ts'
import { ProblemError } from '../../shared/problem.ts'
import { idOf } from '../fakes/id-of.ts'
import { judgeByHand } from '../fakes/judge-by-hand.ts'
import { newKey } from '../fakes/new-key.ts'

const searchMs = 15_000
const accountsCount = 3

const database = neonDatabase(inject('stack').neon)
const accounts = neonAccountStore(database)
const agents = neonAgentStore(database)
const bounties = neonBountyStore(database)
const judge = judgeByHand({ submissions: neonSubmissionStore(database), judgings: neonJudgingStore(database) })
const ledger = neonLedgerStore(database)
const settlements = neonSettlementStore(database)

/** So far ahead that no sweep of the running Worker takes part. */
const at = (minute: number) => `2126-02-05T12:${String(minute).padStart(2, '0')}:00.000Z`
const deadlineMinute = 30

/** Numbers choose among what there is at that moment. */
const pick = fc.nat(999)
const minute = fc.integer({ min: 1, max: 59 })
const commandArbitrary = fc.oneof(
  fc.record({ do: fc.constant('mint' as const), account: pick, credits: fc.integer({ min: 1, max: 500 }) }),
  fc.record({
    do: fc.constant('post' as const),
    account: pick,
    rewardCredits: fc.nat(400),
    mode: fc.constantFrom('first' as const, 'best' as const),
    hasDeadline: fc.boolean(),
  }),
  fc.record({ do: fc.constant('submit' as const), account: pick, bounty: pick, passed: fc.nat(2) }),
  fc.record({ do: fc.constant('finish' as const), submission: pick, isFailed: fc.boolean(), minute }),
  fc.record({ do: fc.constant('finish' as const), submission: pick, isFailed: fc.constant(false), minute }),
  fc.record({ do: fc.constant('award' as const), bounty: pick, submission: pick, minute }),
  fc.record({ do: fc.constant('cancel' as const), bounty: pick, minute }),
  fc.record({ do: fc.constant('settle' as const), bounty: pick, minute }),
)
type Command = typeof commandArbitrary extends fc.Arbitrary<infer T> ? T : never
/** Commands of one step run at once. */
const historyArbitrary = fc.array(fc.array(commandArbitrary, { minLength: 1, maxLength: 10 }), { minLength: 1, maxLength: 8 })

type World = {
  accounts: { id: string; agentId: string }[]
  bounties: string[]
  submissions: { id: string; bountyId: string; passed: number }[]
  mintedCredits: number
  /** Bounties in the order in which callers were told that they closed them. */
  closed: string[]
}

async function newWorld(): Promise<World> {
  const make = async () => {
    const [id, agentId, name] = [idOf('account'), idOf('agent'), randomBytes(8).toString('hex')]
    await accounts.create({ id, name, createdAt: at(0) }, newKey())
    const program = { name, kind: 'script', scriptMode: 'interpreted', version: 1, sha256: '0'.repeat(64), bytes: 1 } as const
    await agents.create({ id: agentId, accountId: id, ...program, createdAt: at(0), updatedAt: at(0) }, { engine: 'engine-1' })
    return { id, agentId }
  }
  const made = await Promise.all(Array.from({ length: accountsCount }, make))
  return { accounts: made, bounties: [], submissions: [], mintedCredits: 0, closed: [] }
}

function oneOf<T>(items: T[], number: number): T | undefined {
  return items[number % Math.max(items.length, 1)]
}

async function perform(world: World, command: Command): Promise<void> {
  switch (command.do) {
    case 'mint': {
      const accountId = oneOf(world.accounts, command.account)?.id ?? ''
      await ledger.mint({ id: idOf('transfer'), accountId, credits: command.credits, reason: null, at: at(0) })
      world.mintedCredits += command.credits
      return
    }
    case 'post': {
      const { rewardCredits, mode, hasDeadline } = command
      const accountId = oneOf(world.accounts, command.account)?.id ?? ''
      const dates = {
        deadline: hasDeadline ? at(deadlineMinute) : null,
        createdAt: at(0),
        closedAt: null,
        awardedSubmissionId: null,
        checker: null,
      }
      const head = { id: idOf('bounty'), accountId, title: 't', rewardCredits, mode, tier: 'basic', status: 'open', caseCount: 2 } as const
      const cases = [0, 1].map((position) => {
        return { id: idOf('case'), position, name: null, input: '1', expected: '1', hidden: false, salt: `${position}` }
      })
      await bounties.create({ summary: { ...head, ...dates }, description: '', cases })
      world.bounties.push(head.id)
      return
    }
    case 'submit': {
      const [bountyId, by] = [oneOf(world.bounties, command.bounty), oneOf(world.accounts, command.account)]
      if (!bountyId || !by) return
      const submission = { id: idOf('submission'), bountyId, passed: command.passed }
      const of = { bountyId, accountId: by.id, agentId: by.agentId, version: 1, casesTotal: 2, createdAt: at(1) }
      await judge.begin({ id: submission.id, ...of })
      const usage = { fuel: 1, wallMicros: 1, memoryBytesPeak: 1 }
      const verdicts = (await neonCaseStore(database).list(bountyId, { after: -1, limit: 2 })).map(({ id: caseId }, i) => {
        return { caseId, status: i < command.passed ? ('accepted' as const) : ('wrong-answer' as const), usage, outputSha256: null }
      })
      await judge.record(submission.id, { engine: 'engine-1', verdicts })
      world.submissions.push(submission)
      return
    }
    case 'finish': {
      const submission = oneOf(world.submissions, command.submission)
      if (!submission) return
      const judged = submission.passed === 2 ? 'accepted' : 'rejected'
      await judge.finish(submission.id, { status: command.isFailed ? 'failed' : judged, at: at(command.minute) })
      return
    }
    case 'award': {
      const [bountyId, submission] = [oneOf(world.bounties, command.bounty), oneOf(world.submissions, command.submission)]
      if (!bountyId || !submission) return
      told(world, await settlements.award(bountyId, { submissionId: submission.id, at: at(command.minute) }))
      return
    }
    case 'cancel': {
      const bountyId = oneOf(world.bounties, command.bounty)
      if (bountyId) told(world, await settlements.cancel(bountyId, { at: at(command.minute) }))
      return
    }
    case 'settle': {
      const bountyId = oneOf(world.bounties, command.bounty)
      if (bountyId) told(world, await settlements.settle(bountyId, { at: at(command.minute) }))
    }
  }
}

function told(world: World, closed: BountySummary | undefined): void {
  if (closed) world.closed.push(closed.id)
}

/** What a caller may be told in a history like these; all else is a fault. */
function isRefusal(error: unknown): boolean {
  if (error instanceof ProblemError) return error.code === 'insufficient-credits' || error.code === 'bounty-closed'
  // The flow looks first, the database has the last word: an award to a submission of another bounty, or to one that was not judged.
  return error instanceof PostgresError && error.code.startsWith('23') && /awarded_to_own_submission|cannot win/.test(error.message)
}

const entriesText = `select e.holder_id || ' ' || e.number as key, e.transfer_id || ' ' || e.credits || ' ' || e.balance_after as entry
  from ledger_entries e where e.holder_id = any($1::text[])`
async function entriesOf(world: World): Promise<Map<string, string>> {
  const holders = [...world.accounts.map(({ id }) => id), ...world.bounties]
  const rows = await database.query(z.object({ key: z.string(), entry: z.string() }), {
    text: entriesText,
    parameters: [`{${holders.join(',')}}`],
  })
  return new Map(rows.map(({ key, entry }) => [key, entry]))
}

/** Each counts offenders among everything that is in the database. */
const invariants: Record<string, string> = {
  'all balances together are zero': 'select abs(sum(balance)) as offenders from ledger_holders',
  'nobody but the mint is below zero': "select count(*) as offenders from ledger_holders where balance < 0 and id <> 'mint'",
  'each transfer has two entries of its amount that add up to zero': `select count(*) as offenders from ledger_transfers t
    left join lateral (select count(*), sum(credits), max(credits) as larger from ledger_entries where transfer_id = t.id) e on true
    where (e.count, e.sum, e.larger) is distinct from (2, 0, t.credits)`,
  'entries are numbered without gaps, and each balance follows from the one before': `select count(*) as offenders from (
      select *, row_number() over w as place, coalesce(lag(balance_after) over w, 0) as balance_before from ledger_entries
      window w as (partition by holder_id order by number)
    ) e where number <> place or balance_after <> balance_before + credits`,
  'a balance is that of the last entry': `select count(*) as offenders from ledger_holders h
    left join lateral (select coalesce(sum(credits), 0) as balance, count(*) as entries from ledger_entries where holder_id = h.id) e on true
    where (h.balance, h.entries) is distinct from (e.balance, e.entries)`,
  'what came and went by day is what the entries say': `select count(*) as offenders from ledger_days d
    full join (
      select holder_id, (at at time zone 'UTC')::date as day, coalesce(sum(credits) filter (where credits > 0), 0) as came,
        coalesce(-sum(credits) filter (where credits < 0), 0) as went
      from ledger_entries where holder_id like 'acc_%' group by 1, 2
    ) e on e.holder_id = d.holder_id and e.day = d.day
    where (d.came, d.went) is distinct from (e.came, e.went)`,
  'what counts against quotas is what there is': `select count(*) as offenders from account_quotas q
    where (q.agents, q.open_bounties) is distinct from ((select count(*) from agents where account_id = q.account_id)::integer,
      (select count(*) from bounties where account_id = q.account_id and status = 'open')::integer)`,
  'the escrow of an open bounty is its reward, that of a closed one nothing': `select count(*) as offenders
    from bounties b left join ledger_holders h on h.id = b.id
    where h.balance is distinct from case b.status when 'open' then b.reward_credits else 0 end`,
  'a closed bounty has paid once, to the author or back to the owner': `select count(*) as offenders from bounties b
    left join submissions s on s.id = b.awarded_submission_id
    where b.status <> 'open' and b.reward_credits > 0 and (
      select array_agg(kind || ' ' || to_id) from ledger_transfers t where t.from_id = b.id
    ) is distinct from array[case b.status when 'awarded' then 'award ' || s.account_id else 'refund ' || b.account_id end]`,
  'a bounty of mode first went to a full pass': `select count(*) as offenders from bounties b join submissions s on s.id = b.awarded_submission_id
    where b.mode = 'first' and (s.status, s.cases_passed) is distinct from ('accepted', s.cases_total)`,
  'a bounty of mode first that somebody won is not open': `select count(*) as offenders from bounties b join submissions s on s.bounty_id = b.id
    where b.mode = 'first' and b.status = 'open' and s.status = 'accepted'`,
  'the leaderboard has what was won': `select count(*) as offenders from account_ranks r
    left join lateral (
      select coalesce(sum(b.reward_credits), 0) as credits, count(*) as bounties from bounties b
      join submissions s on s.id = b.awarded_submission_id where s.account_id = r.account_id
    ) w on true where (r.credits_won, r.bounties_won) is distinct from (w.credits, w.bounties)`,
}

async function requireInvariants(): Promise<void> {
  const found = await Promise.all(
    Object.entries(invariants).map(async ([name, text]) => {
      const [row] = await database.query(z.object({ offenders: z.coerce.number() }), { text, parameters: [] })
      return [name, row?.offenders]
    }),
  )
  expect(found).toEqual(Object.keys(invariants).map((name) => [name, 0]))
}

test(
  'histories of concurrent mints, posts, submissions, awards, cancellations and settlements keep every invariant',
  async () => {
    let histories = 0
    let commands = 0
    let refusals = 0
    const property = fc.asyncProperty(historyArbitrary, async (steps) => {
      const world = await newWorld()
      // Something to fight about from the beginning.
      for (const account of world.accounts.keys()) await perform(world, { do: 'mint', account, credits: 300 })
      await perform(world, { do: 'post', account: 0, rewardCredits: 100, mode: 'first', hasDeadline: true })
      await perform(world, { do: 'post', account: 1, rewardCredits: 100, mode: 'best', hasDeadline: true })
      let before = await entriesOf(world)
      for (const step of steps) {
        const settled = await Promise.allSettled(step.map((command) => perform(world, command)))
        const errors = settled.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
        expect(errors.filter((error) => !isRefusal(error))).toEqual([])
        const after = await entriesOf(world)
        for (const [key, entry] of before) expect(after.get(key)).toBe(entry)
        before = after
        commands += step.length
        refusals += errors.length
      }
      await requireInvariants()
      expect(new Set(world.closed).size).toBe(world.closed.length)
      const holders = [...world.accounts.map(({ id }) => id), ...world.bounties]
      const [row] = await database.query(z.object({ sum: z.coerce.number() }), {
        text: 'select sum(balance) as sum from ledger_holders where id = any($1::text[])',
        parameters: [`{${holders.join(',')}}`],
      })
      expect(row?.sum).toBe(world.mintedCredits)
      histories++
    })
    // What goes wrong between callers seldom goes wrong twice, so a smaller example is not looked for.
    await fc.assert(property, { numRuns: 10_000, interruptAfterTimeLimit: searchMs, endOnFailure: true })
    console.log(`${histories} histories, ${commands} commands, ${refusals} refused`)
    expect(histories).toBeGreaterThan(5)
  },
  searchMs * 4,
)

test('nothing but a transfer writes the ledger, and nothing changes what is written', async () => {
  const world = await newWorld()
  await perform(world, { do: 'mint', account: 0, credits: 300 })
  await perform(world, { do: 'post', account: 0, rewardCredits: 100, mode: 'best', hasDeadline: false })
  const [account, other] = world.accounts
  const [bountyId] = world.bounties
  if (!account || !other || !bountyId) throw new Error('nothing to try it on')
  const transfer = (kind: string, subject: string, from: string, to: string, credits = 1) =>
    `insert into ledger_transfers (id, kind, subject, from_id, to_id, credits, at)
      values ('${subject.startsWith('trf') ? subject : idOf('transfer')}', '${kind}', '${subject}', '${from}', '${to}', ${credits}, now())`
  const [someId, anotherId] = [idOf('transfer'), idOf('transfer')]
  const attempts = [
    `update ledger_holders set balance = balance + 1 where id = '${account.id}'`,
    `delete from ledger_holders where id = '${other.id}'`,
    `insert into ledger_holders (id, balance) values ('${idOf('account')}', 5)`,
    `update ledger_entries set credits = credits + 1 where holder_id = '${account.id}'`,
    `delete from ledger_entries where holder_id = '${account.id}'`,
    `insert into ledger_entries select '${other.id}', 1, id, 5, 5 from ledger_transfers limit 1`,
    `update ledger_transfers set credits = credits + 1 where to_id = '${account.id}'`,
    `delete from ledger_transfers where to_id = '${account.id}'`,
    'truncate ledger_entries',
    'truncate ledger_transfers cascade',
    transfer('escrow', bountyId, account.id, bountyId),
    transfer('award', bountyId, bountyId, other.id),
    transfer('mint', someId, account.id, other.id),
    transfer('gift', someId, account.id, other.id),
    transfer('mint', anotherId, 'mint', other.id, 0),
    transfer('mint', anotherId, 'mint', other.id, -5),
    `update bounties set reward_credits = 1 where id = '${bountyId}'`,
    `update bounties set account_id = '${other.id}' where id = '${bountyId}'`,
    `update bounties set status = 'cancelled' where id = '${bountyId}'`,
    `update bounties set status = 'awarded', closed_at = now() where id = '${bountyId}'`,
  ]
  const before = await entriesOf(world)
  for (const text of attempts) {
    const error = await database.query(z.unknown(), { text, parameters: [] }).catch((refused: unknown) => refused)
    expect(error, text).toBeInstanceOf(PostgresError)
    expect(String(error), text).toMatch(/not a way to move credits|violates|never change/)
  }
  expect(await settlements.cancel(bountyId, { at: at(1) })).toBeDefined()
  for (const change of [`status = 'open', closed_at = null`, `status = 'expired'`]) {
    const text = `update bounties set ${change} where id = '${bountyId}'`
    await expect(database.query(z.unknown(), { text, parameters: [] })).rejects.toThrow('stays so')
  }
  for (const [key, entry] of before) expect((await entriesOf(world)).get(key)).toBe(entry)
  await requireInvariants()
})
