// The three states of a program on a host, through the parts that the host uses: cold from the local store (read, authenticate, load),
// loaded (an instance is made for the run), pooled (one waits). Each with its first run; the kinds and states alternate.
import { mkdtemp, rm } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHash } from 'node:crypto'
import { createBoundedProcesses } from '../../sandbox-host/bounded-process.ts'
import { CodeStore } from '../../sandbox-host/code-store.ts'
import { createScriptCompiler } from '../../sandbox-host/compile-script.ts'
import { createWasmtimeEngine } from '../../sandbox-host/engines/wasmtime.ts'
import { Programs } from '../../sandbox-host/programs.ts'
import { runLimits } from '../../sandbox-host/sandbox-engine.ts'
import type { RunOutcome, SandboxEngine } from '../../sandbox-host/sandbox-engine.ts'
import { makeId } from '../../shared/ids.ts'
import type { Program } from '../../shared/agent.ts'
import type { Figure, ScenarioResult } from '../scenario.ts'
import { median, quantile } from '../statistics.ts'

const rounds = 60
const agents = 1_000
const accountId = makeId('account', { at: 0, random: new Uint8Array(10) })

type Sample = { useMillis: number; startMicros: number; firstRunMillis: number }
type Series = Record<'uncompiled' | 'cold' | 'loaded' | 'pooled', Sample[]>

export async function states(): Promise<ScenarioResult> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'bounty-states-'))
  const processes = createBoundedProcesses({ memoryBytesMax: 2 ** 29, secondsMax: 20, processesMax: 2 })
  const codeStore = await CodeStore.open({ dataDirectory, bytesMax: 2 ** 30 })
  const engine = await createWasmtimeEngine({
    path: new URL('../../sandbox-host/engine/agent-engine.node', import.meta.url).pathname,
    threads: 2,
    slots: 16,
    queueMax: 100,
    memoryBytesMax: 128 * 2 ** 20,
    warm: { perProgram: 10, total: 20, lifetimeMs: 60_000 },
    processes,
    codeStore,
  })
  try {
    const parts = { engine, codeStore, compileScript: createScriptCompiler(processes) }
    const kinds = {
      script: Buffer.from('export default (input) => input'),
      command: readFileSync(new URL('../../test/fixtures/agents/echo.wasm', import.meta.url)),
    }
    const series = { script: emptySeries(), command: emptySeries() }
    for (let round = 0; round < rounds; round++) {
      for (const kind of ['script', 'command'] as const)
        await sampleStates({ kind, code: kinds[kind], round }, { ...parts, into: series[kind] })
    }
    const memory = await thousandAgents(parts)
    const figures = [...figuresOf('script', series.script), ...figuresOf('command', series.command), ...memory]
    return { figures, raw: series }
  } finally {
    await engine.close()
    await rm(dataDirectory, { recursive: true, force: true })
  }
}

type Parts = { engine: SandboxEngine; codeStore: CodeStore; compileScript: ReturnType<typeof createScriptCompiler> }
type Subject = { kind: Program['kind']; code: Buffer; round: number }

async function sampleStates({ kind, code, round }: Subject, { into, ...parts }: Parts & { into: Series }): Promise<void> {
  // A custom section or a comment makes each round's program a new one.
  const mark = Buffer.from(`r${String(round).padStart(6, '0')}`)
  const unique = kind === 'script' ? Buffer.concat([code, Buffer.from('\n//'), mark]) : Buffer.concat([code, Buffer.from([0, 8, 0]), mark])
  const program = { kind, sha256: createHash('sha256').update(unique).digest('hex') }
  into.uncompiled.push(await firstUse(programsOf(parts, unique), { program, engine: parts.engine }))
  const programs = programsOf(parts, unique)
  into.cold.push(await firstUse(programs, { program, engine: parts.engine }))
  into.loaded.push(await firstUse(programs, { program, engine: parts.engine }))
  const waiting = parts.engine.stats()['warmWaiting'] ?? 0
  for (let tries = 0; tries < 200 && (parts.engine.stats()['warmWaiting'] ?? 0) <= waiting; tries++) await pause()
  into.pooled.push(await firstUse(programs, { program, engine: parts.engine }))
  using loaded = await programs.use(program, accountId)
  parts.engine.drop(loaded.handle)
}

function programsOf({ engine, codeStore, compileScript }: Parts, bytes: Buffer): Programs {
  const metrics = { programs: () => {}, started: () => {} }
  return new Programs({
    engine,
    guests: guestsOf(engine),
    codeStore,
    compileScript,
    bucket: { get: async () => bytes },
    bytesMax: 2 ** 30,
    metrics,
  })
}

/** Without admission, which nobody contends for here. */
function guestsOf(engine: SandboxEngine) {
  return { prepare: (kind: Program['kind'], code: Buffer) => engine.prepare(kind, code, runLimits('basic')) }
}

async function firstUse(programs: Programs, { program, engine }: { program: Program; engine: SandboxEngine }): Promise<Sample> {
  const began = performance.now()
  using loaded = await programs.use(program, accountId)
  const used = performance.now()
  const outcome: RunOutcome = await engine.run(loaded.handle, { input: '{"n":1}', seed: 0, startTimeMs: 0, limits: runLimits('basic') })
  if (outcome.status !== 'completed') throw new Error(outcome.error?.message)
  return { useMillis: used - began, startMicros: outcome.startMicros, firstRunMillis: performance.now() - began }
}

async function thousandAgents(parts: Parts): Promise<Figure[]> {
  const bodies = Array.from({ length: agents }, (_, i) => Buffer.from(`export default (input) => [${i}, input]`))
  const before = process.memoryUsage.rss()
  const programs = new Map(bodies.map((bytes) => [createHash('sha256').update(bytes).digest('hex'), bytes]))
  const metrics = { programs: () => {}, started: () => {} }
  const bucket = { get: async (key: string) => programs.get(key.split('/')[1] ?? '') }
  // What esbuild makes of them is what they are.
  const compileScript = async (code: Buffer) => ({ ok: true as const, code })
  const all = new Programs({ ...parts, guests: guestsOf(parts.engine), compileScript, bucket, bytesMax: 2 ** 30, metrics })
  for (const sha256 of programs.keys()) (await all.use({ kind: 'script', sha256 }, accountId))[Symbol.dispose]()
  return [
    { name: `${agents} loaded script agents: bytes held, MiB`, value: all.stats().bytes / 2 ** 20, target: '<= 256' },
    { name: `${agents} loaded script agents: growth of the process, MiB`, value: (process.memoryUsage.rss() - before) / 2 ** 20 },
  ]
}

function figuresOf(kind: string, series: Series): Figure[] {
  const cold = series.cold.map(({ useMillis, startMicros }) => useMillis + startMicros / 1e3)
  const start = (state: 'loaded' | 'pooled') => median(series[state].map(({ startMicros }) => startMicros))
  const first = (state: keyof Series) => median(series[state].map(({ firstRunMillis }) => firstRunMillis))
  return [
    { name: `${kind}: never seen, fetch + compile + first run, ms`, value: first('uncompiled') },
    { name: `${kind}: cold from the local store to first instruction, p50, ms`, value: median(cold), target: '<= 5' },
    { name: `${kind}: cold from the local store to first instruction, p99, ms`, value: quantile(cold, 0.99) },
    { name: `${kind}: loaded to first instruction, µs`, value: start('loaded'), target: '<= 20' },
    { name: `${kind}: pooled to first instruction, µs`, value: start('pooled'), target: '<= 3' },
    { name: `${kind}: first run through Node, cold, ms`, value: first('cold') },
    { name: `${kind}: first run through Node, pooled, ms`, value: first('pooled') },
  ]
}

function emptySeries(): Series {
  return { uncompiled: [], cold: [], loaded: [], pooled: [] }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1))
}
