// The hostile corpus: every program of test/fixtures/hostile ends as its expectation says, twice in the same way, and harms nobody: after
// each, a healthy program of every kind gives the bytes and the fuel that it gave before the first.
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { runLimits } from '../../sandbox-host/sandbox-engine.ts'
import type { ProgramKind } from '../../shared/agent.ts'
import type { PrepareOutcome, RunLimits, RunOutcome, SandboxEngine } from '../../sandbox-host/sandbox-engine.ts'
import { createNativeEngine, hasNativeEngine } from '../fakes/native-engine.ts'
import { readExpectations } from '../fixtures/hostile/expectations.ts'
import type { Expectation } from '../fixtures/hostile/expectations.ts'

const corpus = new URL('../fixtures/hostile/', import.meta.url)
const expectations = Object.entries(readExpectations())

/** Small, so that whatever does not end does so quickly; the clock is left alone: fuel repeats, time does not. */
const small: RunLimits = { ...runLimits('basic'), fuel: 60_000_000, memoryBytes: 32 * 2 ** 20, wallMs: 60_000 }

test('every program of the corpus is expected, and every expectation has a program', () => {
  const programs = readdirSync(corpus, { recursive: true }).map(String)
  expect(programs.filter((path) => /\.(js|wat)$/.test(path)).toSorted()).toEqual(expectations.map(([path]) => path).toSorted())
  expect(programs.filter((path) => path.endsWith('.wasm')).length).toBe(programs.filter((path) => path.endsWith('.wat')).length)
})

describe.skipIf(!hasNativeEngine)('on the native engine', () => {
  let engine: SandboxEngine
  let healthy: { handle: number; outcome: unknown }[]

  beforeAll(async () => {
    engine = await createNativeEngine()
    const script = await engine.prepare('script', Buffer.from(canary), small)
    const command = await engine.prepare('command', readFileSync(new URL('../agents/echo.wasm', corpus)), small)
    const component = await engine.prepare('component', readFileSync(new URL('components/answers/utf16.wasm', corpus)), small)
    healthy = await Promise.all(
      [script, command, component].map(async (prepared) => {
        const { handle } = accepted(prepared)
        const outcome = await engine.run(handle, request('["ä",1]', small))
        expect(outcome.status).toBe('completed')
        return { handle, outcome: essence(outcome) }
      }),
    )
  })
  afterAll(async () => {
    // A run is answered a moment before its place is counted as free.
    await vi.waitFor(() => expect(engine.stats()).toMatchObject({ running: 0, queued: 0, programs: healthy.length }))
    await engine.close()
  })

  test.concurrent.for(expectations)('%s', async ([path, expected], context) => {
    const limits = limitsOf(expected)
    const code = readFileSync(new URL(path.replace('.wat', '.wasm'), corpus))
    const prepared = await engine.prepare(kindOf(path), code, limits)
    if (prepared.ok) {
      const sent = request(inputOf(expected), limits)
      const [first, second] = await Promise.all([engine.run(prepared.handle, sent), engine.run(prepared.handle, sent)])
      engine.drop(prepared.handle)
      check(first, expected, context.expect)
      context.expect(essence(second)).toEqual(essence(first))
    } else {
      context.expect(expected.status, prepared.message).toContain('refused')
      if (expected.reason) context.expect(prepared.reason).toBe(expected.reason)
      if (expected.message) context.expect(prepared.message).toContain(expected.message)
    }
    for (const { handle, outcome } of healthy) {
      context.expect(essence(await engine.run(handle, request('["ä",1]', small)))).toEqual(outcome)
    }
  })
})

/** Touches what the corpus ruins: built-ins, timers, promises, console, randomness, artifacts. */
const canary = `export default async (input, { artifact }) => {
  await new Promise((resolve) => setTimeout(resolve, 3))
  const map = new Map([[input[0], { polluted: {}.polluted }]])
  console.log('healthy', map, new Date())
  artifact('a', JSON.stringify(input))
  return [Math.random(), [...map.keys()].join(), Object.keys(globalThis), new Uint8Array(100000).indexOf(1)]
}`

function check(outcome: RunOutcome, expected: Expectation, expectHere: typeof expect): void {
  expectHere(expected.status, `${outcome.status}: ${outcome.error?.message} ${outcome.output?.slice(0, 200)}`).toContain(outcome.status)
  expectHere(outcome.fuel).toBeLessThanOrEqual(expected.limits?.fuel ?? small.fuel)
  expectHere(outcome.memoryBytesPeak).toBeLessThanOrEqual(expected.limits?.memoryBytes ?? small.memoryBytes)
  expectHere(outcome.stdout.length).toBeLessThanOrEqual(small.logBytes)
  expectHere(outcome.stderr.length).toBeLessThanOrEqual(small.logBytes)
  for (const { name } of outcome.artifacts) expectHere(name).toMatch(/^(?!\.{0,2}(\/|$))[^\0\\]{1,255}$/)
  if (outcome.status === 'completed') {
    const output: unknown = JSON.parse(outcome.output ?? '')
    if ('output' in expected) expectHere(output).toEqual(expected.output)
    if (expected.outputBytes !== undefined) expectHere(Buffer.byteLength(outcome.output ?? '')).toBe(expected.outputBytes)
  } else expectHere(outcome.error?.message).toContain(expected.message ?? '')
  const names = outcome.artifacts.map(({ name }) => name)
  if (expected.artifacts) expectHere(names).toEqual(expected.artifacts)
  if (expected.artifactCount !== undefined) expectHere(names.length).toBe(expected.artifactCount)
  if (expected.exitCode !== undefined) expectHere(outcome.error?.exitCode).toBe(expected.exitCode)
  if (expected.stdout !== undefined) expectHere(outcome.stdout.toString()).toBe(expected.stdout)
  if (expected.stderr !== undefined) expectHere(outcome.stderr.toString()).toBe(expected.stderr)
  if (expected.logsTruncated !== undefined) expectHere(outcome.logsTruncated).toBe(expected.logsTruncated)
}

/** What must repeat: all but the clock's figures. */
function essence({ wallMicros: _wall, startMicros: _start, wasWarm: _warm, artifacts, stdout, stderr, ...rest }: RunOutcome) {
  const hex = artifacts.map(({ name, bytes }) => `${name} ${bytes.toString('hex')}`)
  return { ...rest, stdout: stdout.toString('hex'), stderr: stderr.toString('hex'), artifacts: hex }
}

function kindOf(path: string): ProgramKind {
  if (path.startsWith('scripts/')) return 'script'
  return path.startsWith('commands/') ? 'command' : 'component'
}

function limitsOf({ limits }: Expectation): RunLimits {
  return { ...small, fuel: limits?.fuel ?? small.fuel, memoryBytes: limits?.memoryBytes ?? small.memoryBytes }
}

function inputOf({ input = '1', nesting }: Expectation): string {
  return nesting === undefined ? input : '['.repeat(nesting) + ']'.repeat(nesting)
}

function request(input: string, limits: RunLimits) {
  return { input, seed: 1, startTimeMs: Date.UTC(2024, 0, 1), limits }
}

function accepted(prepared: PrepareOutcome) {
  if (!prepared.ok) throw new Error(prepared.message)
  return prepared
}
