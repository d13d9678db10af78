// Many hosts as one: who is asked, in which order, who is asked next, and when nobody is.
import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import type { ExecutionRecord } from '../../shared/execution.ts'
import { outcomeOf } from '../../shared/execution.ts'
import { rendezvousOrder } from '../../shared/placement.ts'
import type { HeardHost } from '../../shared/host-ports.ts'
import type { JudgedCases } from '../../shared/ports.ts'
import { ProblemError, type ProblemCode } from '../../shared/problem.ts'
import { HostDirectory } from '../../workers/host-directory.ts'
import { placedSandbox } from '../../workers/placed-sandbox.ts'
import { fakeSandbox, type FakeSandbox } from '../fakes/fake-sandbox.ts'
import { idOf } from '../fakes/id-of.ts'

const names = ['a-1', 'b-2', 'c-3', 'd-4', 'e-5', 'f-6']
const source = '// echo'
const sha256 = createHash('sha256').update(source).digest('hex')
const program = { kind: 'script', sha256 } as const
const problem = (code: ProblemCode, detail: string = code) => new ProblemError(code, { detail })
let rows: HeardHost[]
let hosts: Map<string, FakeSandbox>
let asked: string[]
const owner = { accountId: 'acc', isNew: true }
let recorded: Map<string, ExecutionRecord>
let behind: Promise<unknown>[]
let directory: HostDirectory
const row = (id: string): HeardHost => ({ id, instance: id, state: 'up', tiers: ['basic', 'standard'], threads: 2, load: 0, heardMs: 0 })
const host = (id: string | undefined) => {
  const found = hosts.get(id ?? '')
  if (!found) throw new Error(`there is no host ${id}`)
  return found
}

beforeEach(() => {
  rows = names.map(row)
  hosts = new Map(names.map((id) => [id, fakeSandbox()]))
  for (const fake of hosts.values()) fake.programs.set(source, (input) => ({ output: input }))
  asked = []
  recorded = new Map()
  behind = []
  directory = new HostDirectory({ store: { list: async () => rows }, now: () => 1_000, later: (work) => behind.push(work) })
})
const sandbox = () =>
  placedSandbox({
    directory,
    connect: ({ id }) => {
      asked.push(id)
      return host(id)
    },
    executions: { find: async (id) => recorded.get(id) },
    later: (work) => behind.push(work),
  })
const order = () => rendezvousOrder(sha256, rows).map(({ id }) => id)
const execution = (more = {}) => ({
  id: idOf('execution'),
  agentId: idOf('agent'),
  accountId: idOf('account'),
  version: 1,
  tier: 'basic' as const,
  seed: 0,
  startTime: '2000-01-01T00:00:00Z',
  program: program,
  input: 7,
  ...more,
})
const output = async () => JSON.parse((await sandbox().run(execution())).outcome).output
const cases = (): JudgedCases => ({
  submissionId: idOf('submission'),
  program: program,
  checker: undefined,
  accountId: idOf('account'),
  tier: 'basic',
  stopAtFirstFailure: false,
  beginMsMax: 1_000,
  cases: [1, 2].map((n) => ({ id: idOf('case'), input: `${n}`, expected: `${n}`, salt: 'ab'.repeat(16), hidden: false })),
})

test('the same program goes to the same host while that has room, then to the next', async () => {
  const [first, second] = order()
  for (let i = 0; i < 20; i++) await sandbox().run(execution())
  expect([host(first).runs, new Set(asked).size]).toEqual([20, 1])
  directory.told(first ?? '', 8)
  await sandbox().run(execution())
  expect(host(second).runs).toBe(1)
})

describe.each<ProblemCode>(['overloaded', 'draining', 'misdirected', 'artifacts-unavailable', 'tier-unavailable', 'engine-unsupported'])(
  'a host that refuses with %s',
  (code) => {
    test('has begun nothing: the next one is asked', async () => {
      host(order()[0]).failure = problem(code)
      expect(await output()).toBe(7)
      expect(asked).toEqual(order().slice(0, 2))
    })
  },
)

test('after four refusals the caller is told: that it is full rather than that another was meant', async () => {
  const [first, second, third, fourth] = order()
  host(first).failure = problem('misdirected')
  host(second).failure = problem('tier-unavailable')
  host(third).failure = new ProblemError('overloaded', { detail: 'full', retryAfterSeconds: 3 })
  host(fourth).failure = problem('draining')
  await expect(sandbox().run(execution())).rejects.toMatchObject({ code: 'overloaded', retryAfterSeconds: 3 })
  expect(asked).toEqual(order().slice(0, 4))
})

test('a version that is new gets its mode from the first host, and the second one prepares it so', async () => {
  host(order()[0]).newMode = 'compiled'
  const prepared: unknown[] = []
  const { prepare } = host(order()[1])
  host(order()[1]).prepare = (...of) => {
    prepared.push(of)
    return prepare(...of)
  }
  const compiled = { ...program, scriptMode: 'compiled' }
  expect(await sandbox().prepare(program, owner)).toMatchObject({ program: compiled, functions: { compiled: 2 } })
  await Promise.all(behind)
  expect(prepared).toEqual([[compiled, { accountId: 'acc', isNew: false }]])
})

test('nobody reached, or nobody known, is sandbox-unavailable', async () => {
  for (const id of names) host(id).failure = problem('misdirected')
  await expect(sandbox().run(execution())).rejects.toMatchObject({ code: 'sandbox-unavailable', retryAfterSeconds: 1 })
  rows = []
  directory = new HostDirectory({ store: { list: async () => rows }, now: () => 1_000, later: () => {} })
  await expect(sandbox().run(execution())).rejects.toMatchObject({ code: 'sandbox-unavailable' })
  await expect(sandbox().ping()).rejects.toMatchObject({ code: 'sandbox-unavailable' })
  await expect(sandbox().metrics()).rejects.toMatchObject({ code: 'sandbox-unavailable' })
})

test('a run that got lost is begun on one other host, and not on a third', async () => {
  const [first, second] = order()
  host(first).failure = problem('sandbox-unavailable')
  expect(await output()).toBe(7)
  expect(asked).toEqual([first, second])
  // The first one is asked last from now on.
  asked = []
  for (const id of order().slice(1, 3)) host(id).failure = problem('sandbox-unavailable')
  await expect(sandbox().run(execution())).rejects.toMatchObject({ code: 'sandbox-unavailable' })
  expect(asked).toEqual(order().slice(1, 3))
})

test('a run that was lost and is recorded by now is answered so, and not begun again', async () => {
  const lost = execution()
  const record = await host(order()[1]).runAsync(lost)
  recorded.set(lost.id, record)
  host(order()[1]).runs = 0
  host(order()[0]).failure = problem('sandbox-unavailable')
  expect(await sandbox().run(lost)).toEqual({ status: 'completed', outcome: JSON.stringify(outcomeOf(record)) })
  expect([...hosts.values()].map(({ runs }) => runs)).toEqual(names.map(() => 0))
})

test.each<ProblemCode>(['invalid-program', 'body-too-large'])('%s is an answer, and nobody else is asked', async (code) => {
  host(order()[0]).failure = problem(code)
  await expect(sandbox().run(execution())).rejects.toMatchObject({ code })
  expect(asked).toHaveLength(1)
})

test('a tier goes to those that offer it; when none does, whoever is asked says what there is', async () => {
  const offering = order()[4]
  rows = rows.map((of) => (of.id === offering ? { ...of, tiers: ['basic', 'enterprise'] } : of))
  await sandbox().run(execution({ tier: 'enterprise' }))
  expect(asked).toEqual([offering])
  asked = []
  for (const fake of hosts.values()) fake.failure = problem('tier-unavailable', 'it offers basic')
  await expect(sandbox().run(execution({ tier: 'premium' }))).rejects.toMatchObject({ code: 'tier-unavailable', detail: 'it offers basic' })
})

test('a program is prepared where it will run, and behind the answer where it would run next', async () => {
  await sandbox().prepare(program, owner)
  expect(behind).toHaveLength(1)
  expect(asked).toEqual(order().slice(0, 2))
  await Promise.all(behind)
  host(order()[1]).failure = problem('overloaded')
  await sandbox().prepare(program, owner)
  await Promise.all(behind)
})

describe('a judging', () => {
  test('that no verdict was heard of goes on elsewhere', async () => {
    host(order()[0]).failure = problem('sandbox-unavailable')
    host(order()[1]).judgedMax = 0
    const kept: unknown[] = []
    await expect(sandbox().judge(cases(), async ({ verdicts }) => void kept.push(...verdicts))).rejects.toMatchObject({
      code: 'judgement-broken-off',
    })
    expect(asked).toEqual(order().slice(0, 2))
    expect(kept).toEqual([])
  })

  test('that verdicts were heard of is not begun again here: its next turn goes on behind them', async () => {
    const dying = host(order()[0])
    dying.judge = async (_cases, keep) => {
      await keep({ engine: 'e', verdicts: [] })
      throw problem('overloaded')
    }
    await expect(sandbox().judge(cases(), async () => {})).rejects.toMatchObject({ code: 'overloaded' })
    expect(asked).toHaveLength(1)
  })
})

describe('what is still with a host', () => {
  test('is found, whichever it is', async () => {
    const ran = execution()
    await host(names[4]).run(ran)
    expect(await sandbox().findExecution(ran.id)).toMatchObject({ id: ran.id })
    expect(await sandbox().findExecution(idOf('execution'))).toBeUndefined()
  })

  test('may be with one that cannot be asked: then nobody says that it is nowhere', async () => {
    const ran = execution()
    await host(names[4]).run(ran)
    host(names[0]).failure = problem('misdirected')
    expect(await sandbox().findExecution(ran.id)).toMatchObject({ id: ran.id })
    await expect(sandbox().findExecution(idOf('execution'))).rejects.toMatchObject({ code: 'sandbox-unavailable' })
    rows = rows.map((of) => (of.id === names[0] ? { ...of, state: 'left' } : of))
    directory = new HostDirectory({ store: { list: async () => rows }, now: () => 1_000, later: () => {} })
    expect(await sandbox().findExecution(idOf('execution'))).toBeUndefined()
  })

  test('of a bundle is asked of the host that it is named after', async () => {
    host(names[2]).readObject = async () => new ReadableStream()
    expect(await sandbox().readObject(`bundles/${names[2]}/000000000001`, { offset: 0, length: 1 })).toBeInstanceOf(ReadableStream)
    expect(asked).toEqual([names[2]])
    expect(await sandbox().readObject('bundles/gone-9/000000000001', { offset: 0, length: 1 })).toBeUndefined()
  })
})

test('the sandbox is ready while one host is, and its metrics say which are up', async () => {
  for (const id of names.slice(1)) host(id).failure = problem('sandbox-unavailable')
  await sandbox().ping()
  const text = await sandbox().metrics()
  expect(text).toContain(`bounty_host_up{host="${names[0]}"} 1`)
  expect(text).toContain(`bounty_host_up{host="${names[1]}"} 0`)
  expect(text).toContain('bounty_host_runs_total 7')
  host(names[0]).failure = problem('draining')
  await expect(sandbox().ping()).rejects.toMatchObject({ code: 'sandbox-unavailable' })
})

describe('an asynchronous run', () => {
  test('goes on elsewhere when it was refused, and not when it was begun', async () => {
    host(order()[0]).runAsync = () => Promise.reject(problem('draining'))
    host(order()[1]).runAsync = () => Promise.reject(problem('execution-broken-off'))
    await expect(sandbox().runAsync(execution())).rejects.toMatchObject({ code: 'execution-broken-off' })
    expect(asked).toEqual(order().slice(0, 2))
  })

  test('is cancelled at every host; one that could not be told is an error', async () => {
    const told: string[] = []
    for (const id of names) host(id).cancel = async () => void told.push(id)
    await sandbox().cancel(idOf('execution'))
    expect(told.toSorted()).toEqual(names)
    host(names[3]).cancel = () => Promise.reject(problem('sandbox-unavailable'))
    await expect(sandbox().cancel(idOf('execution'))).rejects.toMatchObject({ code: 'sandbox-unavailable' })
  })
})
