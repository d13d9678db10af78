// The fallback engine behind the port: the same prelude, the same kinds of ending, every limit.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFallbackEngine } from '../../sandbox-host/engines/quickjs-fallback.ts'
import { runLimits } from '../../sandbox-host/sandbox-engine.ts'
import type { RunLimits, RunOutcome, SandboxEngine } from '../../sandbox-host/sandbox-engine.ts'

let engine: SandboxEngine
beforeAll(async () => {
  engine = await createFallbackEngine({ threads: 2, queueMax: 4 })
})
afterAll(() => engine.close())

const limits = { ...runLimits('basic'), wallMs: 300 }
async function run(source: string, input: unknown = null, given: Partial<RunLimits> & { seed?: number } = {}): Promise<RunOutcome> {
  const prepared = await engine.prepare('script', Buffer.from(source), limits)
  if (!prepared.ok) throw new Error(prepared.message)
  const { seed = 1, ...changed } = given
  const request = { input: JSON.stringify(input), seed, startTimeMs: Date.UTC(2001, 0, 1), limits: { ...limits, ...changed } }
  return engine.run(prepared.handle, request)
}

describe('completed', () => {
  test.each([
    ['export default (x) => x', { a: [1, null] }, '{"a":[1,null]}'],
    ['export default () => undefined', 1, 'null'],
    ['export default async (n) => { await null; return n + 1 }', 1, '2'],
    ['export default (n, { seed }) => seed', 1, '1'],
    ['const a = await 5; export default () => a', 1, '5'],
    ['export default () => new Date().toISOString()', 1, '"2001-01-01T00:00:00.000Z"'],
    [
      'export default async () => { const t = Date.now(); await new Promise((r) => setTimeout(r, 60000)); return Date.now() - t }',
      1,
      '60000',
    ],
    ['export default () => new Date(2001, 0, 1).getTimezoneOffset()', 1, '0'],
  ])('%s', async (source, input, output) => expect(await run(source, input)).toMatchObject({ status: 'completed', output, fuel: null }))

  test('the same seed gives the same numbers, another seed others', async () => {
    const source = 'export default () => [Math.random(), Math.random()]'
    const first = await run(source)
    expect((await run(source)).output).toBe(first.output)
    expect((await run(source, null, { seed: 2 })).output).not.toBe(first.output)
  })

  test('logs and artifacts come back', async () => {
    const outcome = await run(
      "export default (x, c) => { console.log('a', {b: 1}); console.error('e'); c.artifact('d/f', 'text'); c.artifact('g', new Uint8Array([1])) }",
    )
    expect(outcome.stdout.toString()).toBe('a { b: 1 }\n')
    expect(outcome.stderr.toString()).toBe('e\n')
    expect(outcome.artifacts).toEqual([
      { name: 'd/f', bytes: Buffer.from('text') },
      { name: 'g', bytes: Buffer.from([1]) },
    ])
  })

  test('a run sees nothing of the run before it', async () => {
    const source = 'globalThis.n ??= 0; export default () => ++globalThis.n'
    expect((await run(source)).output).toBe('1')
    expect((await run(source)).output).toBe('1')
  })
})

test.each([
  ["export default () => { throw new TypeError('no') }", 'threw', 'no'],
  ["export default async () => { throw new TypeError('no') }", 'threw', 'no'],
  ['export default () => new Promise(() => {})', 'threw', 'can never settle'],
  ['export default () => 1n', 'threw', 'JSON'],
  ['export default () => { const f = () => f() + 1; return f() }', 'threw', 'stack'],
  ['export default () => { for (;;); }', 'deadline', 'time limit'],
  ["export default () => /(a+)+$/.test('a'.repeat(40) + 'b')", 'deadline', 'time limit'],
  ["export default () => 'x'.repeat(2 ** 21)", 'output-limit', 'allowed are'],
  ['export default (x, c) => { for (let i = 0; i < 33; i++) c.artifact(String(i), "") }', 'output-limit', '32 artifacts'],
  ['export default (x, c) => { c.artifact("a", new Uint8Array(9 * 2 ** 20)) }', 'output-limit', 'artifacts of 9437184 bytes'],
  ["export default (x, c) => c.artifact('../a', '')", 'threw', 'artifact name'],
])('%s ends as %s', async (source, status, message) => {
  const outcome = await run(source)
  expect(outcome).toMatchObject({ status, error: { message: expect.stringContaining(message) } })
})

test('memory ends a run', async () => {
  const outcome = await run('export default () => { const a = []; for (;;) a.push(new Array(1e5).fill(1)) }', null, { wallMs: 5_000 })
  expect(outcome.status).toBe('memory-limit')
  expect(outcome.memoryBytesPeak).toBeLessThanOrEqual(limits.memoryBytes)
})

test('logs are cut at their limit', async () => {
  const outcome = await run("export default () => { for (let i = 0; i < 100; i++) console.log('x'.repeat(10)) }", null, { logBytes: 20 })
  expect(outcome).toMatchObject({ status: 'completed', logsTruncated: true })
  expect(outcome.stdout).toHaveLength(20)
})

describe('invalid programs', () => {
  test.each([
    ['export const a = 1', 'default export'],
    ["import a from 'left-pad'; export default () => a", 'left-pad'],
    ["throw new Error('at the top')", 'at the top'],
    ['await new Promise(() => {}); export default () => 1', 'never settle'],
    ['export default (', 'unexpected token'],
  ])('%s', async (source, message) => {
    const outcome = await engine.prepare('script', Buffer.from(source), limits)
    expect(outcome).toMatchObject({ ok: false, reason: 'invalid-program' })
    expect(outcome.ok ? '' : outcome.message.toLowerCase()).toContain(message.toLowerCase())
  })
})

test('a full queue refuses', async () => {
  const prepared = await engine.prepare('script', Buffer.from('export default () => { for (;;); }'), limits)
  if (!prepared.ok) throw new Error(prepared.message)
  const request = { input: 'null', seed: 0, startTimeMs: 0, limits: { ...limits, wallMs: 50 } }
  const runs = await Promise.allSettled(Array.from({ length: 8 }, () => engine.run(prepared.handle, request)))
  const refused = runs.filter(({ status }) => status === 'rejected')
  expect(refused).toHaveLength(2)
  expect(refused[0]).toMatchObject({ reason: { code: 'overloaded' } })
})

test('a run that is cancelled ends soon, and takes nothing from the next one', async () => {
  const prepared = await engine.prepare('script', Buffer.from('export default (input) => { for (; input === 1; ); return input }'), limits)
  if (!prepared.ok) throw new Error(prepared.message)
  const request = (input: string) => ({ input, seed: 0, startTimeMs: 0, limits: { ...limits, wallMs: 60_000 } })
  const cancellation = new AbortController()
  const ran = engine.run(prepared.handle, request('1'), cancellation.signal)
  setTimeout(() => cancellation.abort(), 50)
  await expect(ran).rejects.toThrow(/abort/i)
  expect((await engine.run(prepared.handle, request('2'))).output).toBe('2')
})
