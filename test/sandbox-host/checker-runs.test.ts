// How the two programs of a judging share the host: one slot at a time, on the account that submits; loaded together, prepared again when one
// is gone; and what becomes of a checker that time ends or that cannot be loaded.
import { expect, test } from 'vitest'
import { programKey } from '../../shared/agent.ts'
import { judgementLineSchema } from '../../shared/execution.ts'
import type { JudgementEnd, Verdict } from '../../shared/execution.ts'
import { eventually } from '../fakes/eventually.ts'
import { createFakeEngine } from '../fakes/fake-engine.ts'
import type { Behaviour } from '../fakes/fake-engine.ts'
import { idOf } from '../fakes/id-of.ts'
import { startTestHost } from '../fakes/test-host.ts'
import type { TestHost } from '../fakes/test-host.ts'

const salt = '0123456789abcdef0123456789abcdef'
const casesOf = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ id: idOf('case'), input: n, expected: n, salt, hidden: false }))

type Judging = { author?: string; checker?: string; count?: number; more?: object }
function judge(host: TestHost, { author = 'author', checker = 'checker', count = 1, more = {} }: Judging = {}) {
  const programs = { program: host.program(author), checker: host.program(checker) }
  const of = { submissionId: idOf('submission'), accountId: idOf('account'), tier: 'basic', cases: casesOf(count) }
  return host.post('/v1/judgements', { ...programs, ...of, ...more })
}

async function verdictsOf(answering: ReturnType<typeof judge>): Promise<{ verdicts: Verdict[]; receipt: JudgementEnd['receipt'] }> {
  const lines = (await answering).bytes
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => judgementLineSchema.parse(JSON.parse(line)))
  const last = lines.at(-1)
  if (last?.type !== 'end') throw new Error(`the judging ended with ${JSON.stringify(last)}`)
  return { verdicts: lines.flatMap((line) => (line.type === 'verdict' ? [line] : [])), receipt: last.receipt }
}

const accepts: Behaviour = () => ({ output: '{"accepted":true}' })

test('on the smallest host many judgings end, two of them of one account, and no run holds a place while it waits for another', async () => {
  const engine = createFakeEngine({ behaviours: { checker: accepts } })
  await using host = await startTestHost({
    engine,
    environment: { THREADS: '1', SLOTS: '2', ACCOUNT_RUNNING_MAX: '1', JUDGEMENTS_MAX: '5' },
  })
  const both = { accountId: idOf('account') }
  const judging = [both, both, {}].map((more) => verdictsOf(judge(host, { count: 30, more })))
  for (const { verdicts } of await Promise.all(judging))
    expect(verdicts.map(({ status }) => status)).toEqual(verdicts.map(() => 'accepted'))
  expect(engine.runs).toBe(3 * 2 * 30)
  expect(engine.runningPeak).toBeLessThanOrEqual(2)
  const metrics = (await host.get('/metrics')).bytes.toString()
  expect(metrics).toMatch(/host_admission_running\S* 0\n/)
  expect(metrics).toMatch(/host_admission_memory_bytes_reserved\S* 0\n/)
  expect(metrics).toMatch(/host_programs_in_use\S* 0\n/)
})

test("while a checker runs the author's slot is free, and its own is one of the account that submits", async () => {
  const { promise: checked, resolve: check } = Promise.withResolvers<void>()
  const engine = createFakeEngine({ behaviours: { checker: () => checked.then(() => ({ output: '{"accepted":true}' })) } })
  await using host = await startTestHost({ engine, environment: { THREADS: '1', SLOTS: '2', ACCOUNT_RUNNING_MAX: '1' } })
  expect((await host.post('/v1/executions', host.execution('other'))).status).toBe(200)
  const accountId = idOf('account')
  const judging = verdictsOf(judge(host, { more: { accountId } }))
  await eventually(() => engine.runs, 3)
  expect((await host.get('/metrics')).bytes.toString()).toMatch(/host_admission_running\S* 1\n/)
  const own = host.post('/v1/executions', host.execution('other', { accountId }))
  expect((await host.post('/v1/executions', host.execution('other'))).status).toBe(200)
  // The stranger's execution came later and has ended; the account's own waits for its only place.
  expect(engine.runs).toBe(4)
  check()
  expect((await judging).verdicts).toMatchObject([{ status: 'accepted' }])
  expect((await own).status).toBe(200)
})

test('the checker runs behind the author, with limits of its own', async () => {
  const seen: [string, string, number, number][] = []
  const note =
    (who: string, output?: string): Behaviour =>
    ({ input, limits, seed }) => {
      seen.push([who, input, limits.fuel, seed])
      return output === undefined ? {} : { output }
    }
  await using host = await startTestHost({
    engine: createFakeEngine({ behaviours: { author: note('author', '[1.50]'), checker: note('checker', '{"accepted":true}') } }),
  })
  const { verdicts } = await verdictsOf(judge(host))
  const fuel = seen[0]?.[2] ?? 0
  expect(seen).toEqual([
    ['author', '0', fuel, 0],
    ['checker', '{"input":0,"expected":0,"output":[1.50]}', fuel, 0],
  ])
  expect(verdicts).toMatchObject([{ status: 'accepted', usage: { fuel: 10, wallMicros: 20 } }])
})

test('a checker that meets the deadline gets one more chance', async () => {
  let runs = 0
  await using host = await startTestHost({
    engine: createFakeEngine({
      behaviours: { checker: () => (++runs === 1 ? { status: 'deadline', output: undefined } : { output: '{"accepted":true}' }) },
    }),
  })
  const { verdicts, receipt } = await verdictsOf(judge(host))
  expect(verdicts).toMatchObject([{ status: 'accepted' }])
  expect([runs, receipt?.statement.entries.length]).toEqual([2, 1])
})

test('one that meets it twice has failed, and no receipt says so: time does not repeat', async () => {
  const late: Behaviour = ({ input }) =>
    input.includes('"input":1') ? { status: 'deadline', output: undefined } : { output: '{"accepted":true}' }
  await using host = await startTestHost({ engine: createFakeEngine({ behaviours: { checker: late } }) })
  const { verdicts, receipt } = await verdictsOf(judge(host, { count: 3 }))
  expect(new Set(verdicts.map(({ status }) => status))).toEqual(new Set(['accepted', 'checker-failed']))
  expect(receipt?.statement).toMatchObject({ casesPassed: 2, entries: [{}, {}] })
})

test('a checker that was dropped meanwhile is prepared again from its bytes', async () => {
  const engine = createFakeEngine({ behaviours: { checker: accepts }, heldBytes: 400_000 })
  await using host = await startTestHost({ engine, environment: { PROGRAM_BYTES_BUDGET: String(2 ** 20) } })
  for (const author of ['author1', 'author2', 'author3']) {
    const { verdicts } = await verdictsOf(judge(host, { author, checker: `checker.of.${author}` }))
    expect(verdicts).toMatchObject([{ status: 'accepted' }])
  }
  expect(engine.dropped).toContain('checker.of.author1;')
  expect((await verdictsOf(judge(host, { author: 'author1', checker: 'checker.of.author1' }))).verdicts).toMatchObject([
    { status: 'accepted' },
  ])
  expect(engine.prepared.filter((text) => text === 'checker.of.author1;')).toHaveLength(2)
})

test('without its bytes nothing is judged, which may be tried again', async () => {
  const engine = createFakeEngine()
  await using host = await startTestHost({ engine })
  const body = { program: host.program('author'), checker: host.program('gone'), tier: 'basic', cases: casesOf(1) }
  host.bucket.objects.delete(programKey(body.checker.sha256))
  const answer = await host.post('/v1/judgements', { ...body, submissionId: idOf('submission'), accountId: idOf('account') })
  expect(answer.problem()).toMatchObject({ status: 503, code: 'artifacts-unavailable' })
  expect(engine.runs).toBe(0)
})

test('one that cannot be prepared any more ends the judging, and its source is not quoted', async () => {
  const engine = createFakeEngine()
  await using host = await startTestHost({ engine })
  const problem = (await judge(host, { checker: 'invalid checker' })).problem()
  expect(problem).toMatchObject({ status: 422, code: 'invalid-program', detail: expect.stringContaining("the bounty's checker") })
  expect(JSON.stringify(problem)).not.toContain('1:1')
  expect(engine.runs).toBe(0)
})

test('400: a checker that is no program', async () => {
  await using host = await startTestHost({ engine: createFakeEngine() })
  for (const checker of [null, {}, { kind: 'script' }, { kind: 'script', sha256: 'x' }, { ...host.program('c'), more: 1 }]) {
    expect((await judge(host, { more: { checker } })).problem()).toMatchObject({ status: 400, code: 'invalid-request' })
  }
})
