// The same program, input, seed, start time and tier give the same bytes and the same fuel: on another engine, from the code store,
// with an instance that waited or without, alone or among others. Programs are the script fixtures and a command.
import { readFileSync, readdirSync } from 'node:fs'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createScriptCompiler } from '../../sandbox-host/compile-script.ts'
import { runLimits } from '../../sandbox-host/sandbox-engine.ts'
import type { RunOutcome, RunRequest, SandboxEngine } from '../../sandbox-host/sandbox-engine.ts'
import { createNativeEngine, hasNativeEngine, testProcesses } from '../fakes/native-engine.ts'

const fixtures = new URL('../fixtures/', import.meta.url)
/** Enough for the fixtures, and what loops ends soon. */
const fuel = 40_000_000

type Deployed = { name: string; handles: [prepared: number, loaded: number] }

describe.skipIf(!hasNativeEngine)('the native engine repeats itself', () => {
  let engines: [SandboxEngine, SandboxEngine]
  let programs: Deployed[]

  beforeAll(async () => {
    // The second has no warm pool, and loads what the first prepared.
    engines = await Promise.all([
      createNativeEngine(),
      createNativeEngine({ threads: 1, warm: { perProgram: 0, total: 0, lifetimeMs: 1 } }),
    ])
    const compile = createScriptCompiler(testProcesses)
    const scripts = readdirSync(new URL('scripts/', fixtures))
    const deployed = await Promise.all(
      scripts.map(async (name) => {
        const compiled = await compile(readFileSync(new URL(`scripts/${name}`, fixtures)))
        return compiled.ok ? deploy('script', { name, code: compiled.code }) : undefined
      }),
    )
    deployed.push(await deploy('command', { name: 'echo', code: readFileSync(new URL('agents/echo.wasm', fixtures)) }))
    programs = deployed.filter((program) => program !== undefined)
    expect(programs.length).toBeGreaterThan(40)
  }, 60_000)
  afterAll(() => Promise.all(engines.map((engine) => engine.close())))

  async function deploy(kind: 'script' | 'command', { name, code }: { name: string; code: Buffer }): Promise<Deployed | undefined> {
    const [first, second] = engines
    const prepared = await first.prepare(kind, code, runLimits('basic'))
    if (!prepared.ok) return undefined
    const stored = first.stored(prepared.handle)
    const loaded = stored && (await second.load(kind, stored))
    return { name, handles: [prepared.handle, loaded?.handle ?? -1] }
  }

  test('whatever the seed, the time and the company', async () => {
    const wishes = fc.record({
      program: fc.nat(),
      seed: fc.maxSafeNat(),
      startTimeMs: fc.integer({ min: 0, max: 4_102_444_800_000 }),
      input: fc.jsonValue({ maxDepth: 2 }),
    })
    const property = fc.asyncProperty(fc.array(wishes, { minLength: 1, maxLength: 6 }), async (group) => {
      const asked = group.map(({ program, ...wish }) => ({ program: programs[program % programs.length], request: requestOf(wish) }))
      const alone: Essence[] = []
      for (const { program, request } of asked) alone.push(essence(await engines[1].run(program?.handles[1] ?? -1, request)))
      // Three of each at once, on two threads; from the second round on, instances wait.
      for (let round = 0; round < 3; round++) {
        const together = await Promise.all(
          asked.flatMap(({ program, request }) => [1, 2, 3].map(() => engines[0].run(program?.handles[0] ?? -1, request))),
        )
        for (const [i, outcome] of together.entries()) {
          expect(essence(outcome), asked[Math.floor(i / 3)]?.program?.name).toEqual(alone[Math.floor(i / 3)])
        }
      }
    })
    await fc.assert(property, { numRuns: 60, interruptAfterTimeLimit: 15_000, markInterruptAsFailure: false })
    expect(engines[0].stats()['warmHits']).toBeGreaterThan(0)
  }, 60_000)

  test('from the first run to the thousandth', async () => {
    const program = programs.find(({ name }) => name === 'random.js')
    const request = requestOf({ seed: 7, startTimeMs: 0, input: null })
    const first = essence(await engines[0].run(program?.handles[0] ?? -1, request))
    for (let i = 1; i < 1_000; i++) expect(essence(await engines[0].run(program?.handles[0] ?? -1, request))).toEqual(first)
  })
})

type Wish = { seed: number; startTimeMs: number; input: unknown }

function requestOf({ seed, startTimeMs, input }: Wish): RunRequest {
  return { input: JSON.stringify(input), seed, startTimeMs, limits: { ...runLimits('basic'), fuel, wallMs: 60_000 } }
}

type Essence = Record<string, unknown>

/** All but the clock's figures. */
function essence({ wallMicros: _wall, startMicros: _start, wasWarm: _warm, stdout, stderr, artifacts, ...rest }: RunOutcome): Essence {
  const bytes = artifacts.map(({ name, bytes: content }) => `${name} ${content.toString('hex')}`)
  return { ...rest, stdout: stdout.toString('hex'), stderr: stderr.toString('hex'), artifacts: bytes }
}
