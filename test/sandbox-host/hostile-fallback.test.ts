// The hostile corpus's scripts on the fallback engine: it survives every one, and they end as they do on the native engine, but for the
// ends that fuel decides: here only the clock meters.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, test } from 'vitest'
import type { expect } from 'vitest'
import { createFallbackEngine } from '../../sandbox-host/engines/quickjs-fallback.ts'
import { runLimits } from '../../sandbox-host/sandbox-engine.ts'
import type { RunLimits, RunOutcome, SandboxEngine } from '../../sandbox-host/sandbox-engine.ts'
import { readExpectations } from '../fixtures/hostile/expectations.ts'
import type { End, Expectation } from '../fixtures/hostile/expectations.ts'

const corpus = new URL('../fixtures/hostile/', import.meta.url)
const scripts = Object.entries(readExpectations()).filter(([path]) => path.startsWith('scripts/'))

/** Enough for what ends by itself, but for the scripts below. */
const wallMs = 120
/** For one that met the clock and should not have: the machine may have been busy. */
const patientWallMs = 10_000

/** May meet the clock where the native engine, whose fuel lasts longer than this, ends otherwise. */
const slow = new Set([
  'scripts/loops/busy-wait.js',
  'scripts/memory/map.js',
  'scripts/memory/proxies-of-proxies.js',
  'scripts/memory/replace-all.js',
  'scripts/memory/sparse-array-joined.js',
  'scripts/memory/symbols.js',
  'scripts/stack/concat-flattened.js',
  'scripts/stack/long-list-freed.js',
  'scripts/stack/promise-chain.js',
])

function allowedEnds(path: string, { status }: Expectation): End[] {
  return status.includes('out-of-fuel') || slow.has(path) ? [...status, 'deadline'] : status
}

const canary = `export default async (input, { artifact }) => {
  await new Promise((resolve) => setTimeout(resolve, 3))
  artifact('a', JSON.stringify(input))
  console.log('healthy', {}.polluted)
  return [Math.random(), Date.now(), Object.keys(globalThis).length]
}`

describe('the fallback engine survives', () => {
  let engine: SandboxEngine
  let healthy: { handle: number; outcome: unknown }
  beforeAll(async () => {
    engine = await createFallbackEngine({ threads: 2, queueMax: 64 })
    const prepared = await engine.prepare('script', Buffer.from(canary), limitsOf({}, patientWallMs))
    if (!prepared.ok) throw new Error(prepared.message)
    healthy = { handle: prepared.handle, outcome: await beat(prepared.handle) }
  })
  afterAll(() => engine.close())

  const beat = async (handle: number) => {
    const { status, output, stdout, artifacts } = await engine.run(handle, request('[1]', limitsOf({}, patientWallMs)))
    return { status, output, stdout: stdout.toString(), artifacts: artifacts.map(({ name, bytes }) => [name, bytes.toString()]) }
  }

  async function endOf(path: string, expected: Expectation, ms: number): Promise<{ end: End; message: string; outcome?: RunOutcome }> {
    const limits = limitsOf(expected, ms)
    const prepared = await engine.prepare('script', readFileSync(new URL(path, corpus)), limits)
    if (!prepared.ok) return { end: 'refused', message: prepared.message }
    const outcome = await engine.run(prepared.handle, request(inputOf(expected), limits))
    engine.drop(prepared.handle)
    return { end: outcome.status, message: outcome.error?.message ?? '', outcome }
  }

  test.concurrent.for(scripts)('%s', async ([path, expected], { expect: expectHere }) => {
    const allowed = allowedEnds(path, expected)
    let ended = await endOf(path, expected, wallMs)
    if (!allowed.includes(ended.end)) ended = await endOf(path, expected, patientWallMs)
    const { end, message, outcome } = ended
    expectHere(allowed, `${end}: ${message}`).toContain(end)
    if (end !== 'completed' && expected.status.includes(end)) expectHere(message).toContain(expected.message ?? '')
    if (outcome) check(outcome, expected, expectHere)
    // Whoever had to be stopped must leave nothing behind.
    const isByForce = end !== 'completed' && end !== 'threw' && end !== 'refused'
    if (isByForce) expectHere(await beat(healthy.handle)).toEqual(healthy.outcome)
  })
})

function check(outcome: RunOutcome, expected: Expectation, expectHere: typeof expect): void {
  const { logBytes } = runLimits('basic')
  expectHere(outcome.stdout.length).toBeLessThanOrEqual(logBytes)
  expectHere(outcome.stderr.length).toBeLessThanOrEqual(logBytes)
  for (const { name } of outcome.artifacts) expectHere(name).toMatch(/^(?!\.{0,2}(\/|$))[^\0\\]{1,255}$/)
  if (outcome.status === 'deadline') return
  if (outcome.status === 'completed' && 'output' in expected) expectHere(JSON.parse(outcome.output ?? '')).toEqual(expected.output)
  if (expected.artifacts) expectHere(outcome.artifacts.map(({ name }) => name)).toEqual(expected.artifacts)
  if (expected.stdout !== undefined) expectHere(outcome.stdout.toString()).toBe(expected.stdout)
  if (expected.stderr !== undefined) expectHere(outcome.stderr.toString()).toBe(expected.stderr)
}

function limitsOf({ limits }: Pick<Expectation, 'limits'>, ms: number): RunLimits {
  return { ...runLimits('basic'), memoryBytes: limits?.memoryBytes ?? 32 * 2 ** 20, wallMs: ms }
}

function inputOf({ input = '1', nesting }: Expectation): string {
  return nesting === undefined ? input : '['.repeat(nesting) + ']'.repeat(nesting)
}

function request(input: string, limits: RunLimits) {
  return { input, seed: 1, startTimeMs: Date.UTC(2024, 0, 1), limits }
}
