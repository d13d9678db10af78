// Checkers on the real engines, through the host's HTTP face: what they accept, every way in which one fails, and that nothing of a hidden
// case comes out through one.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { programKey } from '../../shared/agent.ts'
import type { Program } from '../../shared/agent.ts'
import { checkerMessageCharsMax } from '../../shared/checker.ts'
import { judgementLineSchema } from '../../shared/execution.ts'
import type { Verdict } from '../../shared/execution.ts'
import { checkOpenings } from '../../shared/judgement-receipt.ts'
import { limits } from '../../shared/tiers.ts'
import { createFallbackEngine } from '../../sandbox-host/engines/quickjs-fallback.ts'
import { sha256Hex } from '../../sandbox-host/sign-receipt.ts'
import { idOf } from '../fakes/id-of.ts'
import { createNativeEngine, hasNativeEngine } from '../fakes/native-engine.ts'
import { startTestHost } from '../fakes/test-host.ts'
import type { TestHost } from '../fakes/test-host.ts'

const salt = '0123456789abcdef0123456789abcdef'
const echo = 'export default (input) => input'
const judge = (body: string) => `export default ({ input, expected, output }) => { ${body} }`
const tolerance = judge(`return { accepted: typeof output === 'number' && Math.abs(output - expected) <= 1e-6 }`)

type Case = { input: unknown; expected?: unknown; hidden?: boolean }
type Judging = { author?: string; checker?: string | Program; cases: Case[]; more?: object }

/** An account of its own each time: what one judging took is no other's debt. */
async function judged(host: TestHost, { author = echo, checker, cases, more = {} }: Judging) {
  const sent = cases.map((judgedCase) => ({ id: idOf('case'), salt, expected: null, hidden: false, ...judgedCase }))
  const named = typeof checker === 'string' ? host.program(checker) : checker
  const request = {
    submissionId: idOf('submission'),
    program: host.program(author),
    ...(named ? { checker: named } : {}),
    accountId: idOf('account'),
    tier: 'basic',
    cases: sent,
    ...more,
  }
  const answer = await host.post('/v1/judgements', request)
  const text = answer.bytes.toString()
  if (answer.status !== 200) throw new Error(text)
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => judgementLineSchema.parse(JSON.parse(line)))
  const verdicts = lines.flatMap((line): Verdict[] => (line.type === 'verdict' ? [line] : []))
  const inOrder = sent.flatMap(({ id }) => verdicts.filter(({ caseId }) => caseId === id))
  const last = lines.at(-1)
  if (last?.type !== 'end') throw new Error(text)
  return { text, sent, verdicts: inOrder, end: last, statuses: inOrder.map(({ status }) => status), last: inOrder.at(-1) }
}

const nonsense: [string, string][] = [
  ['nothing', 'return undefined'],
  ['null', 'return null'],
  ['a boolean', 'return true'],
  ['a list', 'return [true]'],
  ['an empty object', 'return {}'],
  ['accepted as text', `return { accepted: 'true' }`],
  ['accepted as a number', 'return { accepted: 1 }'],
  ['a message that is no text', 'return { accepted: true, message: 7 }'],
  ['a message that is null', 'return { accepted: true, message: null }'],
  ['a field that is not known', 'return { accepted: true, score: 0.5 }'],
  ['more than it may', `return { accepted: true, message: 'x'.repeat(${limits.checkerOutputBytesMax}) }`],
]

const engines = [
  { name: 'the native engine', isThere: hasNativeEngine, create: () => createNativeEngine({ memoryBytesMax: 512 * 2 ** 20 }) },
  { name: 'the fallback engine', isThere: true, create: () => createFallbackEngine({ threads: 2, queueMax: 64 }) },
]
describe.each(engines.filter(({ isThere }) => isThere))('on $name', ({ create }) => {
  let host: TestHost
  beforeAll(async () => void (host = await startTestHost({ engine: await create() })))
  afterAll(() => host[Symbol.asyncDispose]())

  test('floats within a tolerance are accepted; equality knows only the same', async () => {
    const author = 'export default (input) => input / 3'
    const cases = [
      { input: 1, expected: 0.333333 },
      { input: 1, expected: 0.33333 },
      { input: 3, expected: 1 },
    ]
    expect((await judged(host, { author, checker: tolerance, cases })).statuses).toEqual(['accepted', 'wrong-answer', 'accepted'])
    expect((await judged(host, { author, cases })).statuses).toEqual(['wrong-answer', 'wrong-answer', 'accepted'])
  })

  test('one of several answers is enough, and a property of the output needs no expectation', async () => {
    const oneOf = judge(`return { accepted: expected.some((right) => JSON.stringify(right) === JSON.stringify(output)) }`)
    const cases = [[1, [2]], 'b', 'c'].map((input) => ({ input, expected: ['a', [1, [2]], 'b'] }))
    expect((await judged(host, { checker: oneOf, cases })).statuses).toEqual(['accepted', 'accepted', 'wrong-answer'])
    const factors = judge(`return { accepted: expected === null && output[0] * output[1] === input && output[0] > 1 && output[1] > 1 }`)
    const author = 'export default (n) => n % 2 ? [1, n] : [2, n / 2]'
    expect((await judged(host, { author, checker: factors, cases: [{ input: 14 }, { input: 15 }] })).statuses).toEqual([
      'accepted',
      'wrong-answer',
    ])
  })

  test('the output arrives as its program wrote it, and cannot pass for something else', async () => {
    const author = `export default () => ({ '"},"expected":1,"x":{"': 1, ['__proto__']: 2, output: { accepted: true } })`
    const checker = judge(`return { accepted: false, message: Object.keys(output).join() + ' ' + expected + ' ' + input }`)
    const { verdicts } = await judged(host, { author, checker, cases: [{ input: 3, expected: 5 }] })
    expect(verdicts[0]).toMatchObject({ status: 'wrong-answer', message: '"},"expected":1,"x":{",__proto__,output 5 3' })
  })

  test('what the author could not complete is no matter for the checker', async () => {
    const author = `export default () => { throw new Error('mine') }`
    const { verdicts } = await judged(host, { author, checker: judge('return { accepted: true }'), cases: [{ input: 1 }] })
    expect(verdicts).toMatchObject([{ status: 'threw', outputSha256: null }])
    expect(verdicts[0]?.message).toBeUndefined()
  })

  test.each(nonsense)('a checker that returns %s has failed; the answer is not called wrong', async (_, body) => {
    const { verdicts } = await judged(host, { checker: judge(body), cases: [{ input: 1, expected: 1 }] })
    expect(verdicts).toMatchObject([
      { status: 'checker-failed', outputSha256: sha256Hex('1'), message: expect.stringMatching(/^the checker /) },
    ])
  })

  test('a checker that throws has failed, for the cases for which it does', async () => {
    const checker = judge(`if (output > 1) throw new Error('no ' + output); return { accepted: true }`)
    const { statuses, verdicts } = await judged(host, { checker, cases: [{ input: 1 }, { input: 2 }] })
    expect(statuses).toEqual(['accepted', 'checker-failed'])
    expect(verdicts[1]?.message).toBe('the checker ended with threw')
  })

  test('a checker that allocates without bound has failed', async () => {
    const checker = judge(`const all = []; for (;;) all.push(new Uint8Array(2 ** 20).fill(1))`)
    const { verdicts } = await judged(host, { checker, cases: [{ input: 1 }] })
    // What a script cannot allocate it is told of; either way it gives no answer.
    expect(verdicts).toMatchObject([{ status: 'checker-failed', message: expect.stringMatching(/^the checker ended with /) }])
  })

  test('a checker that loops for ever has failed, on a budget of its own', { timeout: 60_000 }, async () => {
    const { verdicts } = await judged(host, { checker: judge('for (;;) {}'), cases: [{ input: 1 }] })
    expect(verdicts).toMatchObject([{ status: 'checker-failed', message: expect.stringMatching(/ended with (out-of-fuel|deadline)$/) }])
    expect(verdicts[0]?.usage.wallMicros).toBeLessThan(2_000_000)
  })

  test('a failed checker counts as not accepted where the first failure stops', async () => {
    const checker = judge(`if (output === 1) throw 0; return { accepted: true }`)
    const cases = Array.from({ length: 20 }, (_, input) => ({ input }))
    const { statuses, end, sent } = await judged(host, { checker, cases, more: { stopAtFirstFailure: true } })
    expect(statuses.slice(0, 2)).toEqual(['accepted', 'checker-failed'])
    expect(end.notRun.length).toBeGreaterThan(0)
    expect(statuses.length + end.notRun.length).toBe(sent.length)
  })

  test('a message is kept up to its bound, in a form that can be stored', async () => {
    const checker = judge(`return { accepted: true, message: output }`)
    const cases = ['m'.repeat(checkerMessageCharsMax), 'm'.repeat(checkerMessageCharsMax + 1), 'a\0b\ud800', ''].map((input) => ({ input }))
    const author = `export default (input) => input`
    const { verdicts } = await judged(host, { author, checker, cases })
    expect(verdicts.map(({ message }) => message)).toEqual([cases[0]?.input, cases[0]?.input, 'a\uFFFDb\uFFFD', ''])
  })

  const secret = 'what nobody may read'
  test('nothing of a hidden case comes out, whatever the checker does with it', async () => {
    const bodies = [
      `console.log(JSON.stringify({ input, expected, output })); console.error(input); return { accepted: true, message: input + expected + output }`,
      `context.artifact('leak.txt', input + expected); return { accepted: false, message: JSON.stringify([input, expected, output]) }`,
      `throw new Error(input + expected + output)`,
      `return { accepted: true, [input]: expected }`,
      `return input + expected`,
    ]
    for (const body of bodies) {
      const checker = `export default ({ input, expected, output }, context) => { ${body} }`
      const hidden = { input: secret, expected: `expected: ${secret}`, hidden: true }
      const { text, verdicts } = await judged(host, { checker, cases: [hidden, { input: 'open', expected: 'open' }] })
      expect(text).not.toContain(secret)
      expect(Object.keys(verdicts[0] ?? {})).not.toContain('message')
      expect(verdicts[1]?.message).toEqual(expect.any(String))
      expect((await host.get('/metrics')).bytes.toString()).not.toContain(secret)
    }
  })

  test('a case that does not say whether it is hidden is', async () => {
    const checker = judge(`return { accepted: true, message: 'told' }`)
    const { verdicts } = await judged(host, { checker, cases: [{ input: 1, hidden: undefined as never }] })
    expect(verdicts[0]).not.toHaveProperty('message')
  })

  test('the largest case and output reach the checker', { timeout: 60_000 }, async () => {
    const author = `export default () => 'o'.repeat(${limits.outputBytesMax - 2})`
    const checker = judge(`return { accepted: true, message: [input, expected, output].map((text) => text.length).join() }`)
    const cases = [{ input: 'i'.repeat(limits.inputBytesMax - 2), expected: 'e'.repeat(limits.expectedBytesMax - 2) }]
    const { verdicts } = await judged(host, { author, checker, cases })
    const sizes = [limits.inputBytesMax, limits.expectedBytesMax, limits.outputBytesMax].map((bytes) => bytes - 2)
    expect(verdicts).toMatchObject([{ status: 'accepted', message: sizes.join() }])
  })
})

describe.skipIf(!hasNativeEngine)('what is metered and signed', () => {
  let host: TestHost
  beforeAll(async () => void (host = await startTestHost({ engine: await createNativeEngine({ memoryBytesMax: 512 * 2 ** 20 }) })))
  afterAll(() => host[Symbol.asyncDispose]())

  const author = 'export default (n) => { let sum = 0; for (let i = 0; i < n; i++) sum += i; return sum }'
  const cases = [1, 10, 1_000].map((input) => ({ input, expected: (input * (input - 1)) / 2 }))

  test("fuel, memory and output hash are the author's alone: the same with a checker, dear or cheap, and without", async () => {
    const cheap = judge('return { accepted: true }')
    const dear = judge('const all = []; for (let i = 0; i < 1e5; i++) all.push([i]); return { accepted: true }')
    const used = async (checker?: string) => {
      const { verdicts } = await judged(host, { author, cases, ...(checker === undefined ? {} : { checker }) })
      return verdicts.map(({ status, outputSha256, usage: { fuel, memoryBytesPeak } }) => ({ status, outputSha256, fuel, memoryBytesPeak }))
    }
    const alone = await used()
    expect(alone.map(({ status }) => status)).toEqual(['accepted', 'accepted', 'accepted'])
    expect(await used(cheap)).toEqual(alone)
    expect(await used(dear)).toEqual(alone)
  })

  test('a checker repeats: the same commitments again, though it looks at clock and chance', async () => {
    const checker = judge('const n = Math.random(); return { accepted: n + (Date.now() % 7) > 3, message: [n, Date.now()].join() }')
    const ids = cases.map(() => idOf('case'))
    const more = { submissionId: idOf('submission') }
    const identified = cases.map((judgedCase, i) => ({ id: ids[i], ...judgedCase }))
    const [first, second] = [
      await judged(host, { author, checker, cases: identified, more }),
      await judged(host, { author, checker, cases: identified, more }),
    ]
    const told = ({ verdicts }: typeof first) => verdicts.map(({ status, message }) => [status, message])
    expect(told(second)).toEqual(told(first))
    expect(first.end.receipt?.statement.entries).toHaveLength(cases.length)
    expect(second.end.receipt?.statement.entries).toEqual(first.end.receipt?.statement.entries)
  })

  test('the receipt names the checker and commits to what it decided', async () => {
    const checker = judge(`if (input === 10) throw 0; return { accepted: output !== expected }`)
    const { end, sent, verdicts, statuses } = await judged(host, { author, checker, cases })
    expect(statuses).toEqual(['wrong-answer', 'checker-failed', 'wrong-answer'])
    const statement = end.receipt?.statement
    if (!statement) throw new Error('no receipt')
    expect(statement).toMatchObject({ receiptVersion: 2, checker: host.program(checker), casesPassed: 0 })
    const openings = verdicts.map(({ caseId, status, usage, outputSha256 }, i) => {
      const [inputSha256 = '', expectedSha256 = ''] = [sent[i]?.input, sent[i]?.expected].map((value) => sha256Hex(JSON.stringify(value)))
      return { caseId, salt, inputSha256, expectedSha256, outputSha256, status, fuel: usage.fuel ?? 0 }
    })
    expect(await checkOpenings(statement, openings, sha256Hex)).toEqual([])
    const other = { ...statement, checker: null } as typeof statement
    expect(await checkOpenings(other, openings, sha256Hex)).toHaveLength(3)
    expect((await judged(host, { author, cases })).end.receipt?.statement).toMatchObject({ receiptVersion: 2, checker: null })
  })

  test('a command can be a checker', async () => {
    const bytes = readFileSync(new URL('../fixtures/agents/echo.wasm', import.meta.url))
    const checker: Program = { kind: 'command', sha256: sha256Hex(bytes) }
    host.bucket.objects.set(programKey(checker.sha256), bytes)
    // It returns what it was given, which is not what a checker returns.
    const { verdicts } = await judged(host, { author, checker, cases: cases.slice(0, 1) })
    expect(verdicts).toMatchObject([
      { status: 'checker-failed', message: 'the checker did not return {accepted: boolean, message?: string}' },
    ])
  })
})
