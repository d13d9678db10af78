// The states of a program on a host, through the parts that the host uses: never seen (fetched and compiled), cold from the local store
// (read, authenticate, load), loaded (an instance is made for the run), pooled (one waits). Each with its first run, in turn.
import { mkdtemp, rm } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHash } from 'node:crypto'
import { createBoundedProcesses } from '../sandbox-host/bounded-process.ts'
import { CodeStore } from '../sandbox-host/code-store.ts'
import { createScriptCompiler } from '../sandbox-host/compile-script.ts'
import { createWasmtimeEngine } from '../sandbox-host/engines/wasmtime.ts'
import { Programs } from '../sandbox-host/programs.ts'
import { runLimits } from '../sandbox-host/sandbox-engine.ts'
import type { SandboxEngine } from '../sandbox-host/sandbox-engine.ts'
import { makeId } from '../shared/ids.ts'
import type { Program } from '../shared/agent.ts'

const accountId = makeId('account', { at: 0, random: new Uint8Array(10) })

/** The parts of a host, with a store of its own in a temporary directory. */
export async function withHostParts<T>(measure: (parts: HostParts) => Promise<T>): Promise<T> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'bounty-states-'))
  const processes = createBoundedProcesses({ memoryBytesMax: 2 ** 29, secondsMax: 20, processesMax: 2 })
  const codeStore = await CodeStore.open({ dataDirectory, bytesMax: 2 ** 30 })
  const engine = await createWasmtimeEngine({
    path: new URL('../sandbox-host/engine/agent-engine.node', import.meta.url).pathname,
    threads: 2,
    slots: 16,
    queueMax: 100,
    memoryBytesMax: 128 * 2 ** 20,
    warm: { perProgram: 10, total: 20, lifetimeMs: 60_000 },
    processes,
    codeStore,
  })
  try {
    return await measure({ engine, codeStore, compileScript: createScriptCompiler(processes) })
  } finally {
    await engine.close()
    await rm(dataDirectory, { recursive: true, force: true })
  }
}

export const poolKinds = {
  script: Buffer.from('export default (input) => input'),
  command: readFileSync(new URL('../test/fixtures/agents/echo.wasm', import.meta.url)),
}
export type PoolKind = keyof typeof poolKinds

/** @returns the program, and the same made anew by a mark that changes its hash and nothing else */
export function markedProgram(kind: PoolKind, mark: number): { program: Program; bytes: Buffer } {
  const code = poolKinds[kind]
  const text = Buffer.from(`r${String(mark).padStart(6, '0')}`)
  // A comment, or a custom section.
  const bytes = kind === 'script' ? Buffer.concat([code, Buffer.from('\n//'), text]) : Buffer.concat([code, Buffer.from([0, 8, 0]), text])
  return { program: { kind, sha256: createHash('sha256').update(bytes).digest('hex') }, bytes }
}

export type HostParts = { engine: SandboxEngine; codeStore: CodeStore; compileScript: ReturnType<typeof createScriptCompiler> }

/** `useMs` brings the program to where it can run, `startMicros` is from claim to first guest instruction, `firstMs` everything to the outcome. */
export type StateSample = { useMs: number; startMicros: number; firstMs: number }
export const programStates = ['unseen', 'cold', 'loaded', 'pooled'] as const
export type ProgramState = (typeof programStates)[number]

/** A program that was never seen, and then the same in each state after it. */
export async function sampleStates(
  parts: HostParts,
  { kind, mark }: { kind: PoolKind; mark: number },
): Promise<Record<ProgramState, StateSample>> {
  const { engine } = parts
  const { program, bytes } = markedProgram(kind, mark)
  const unseen = await firstUse(hostPrograms(parts, bytes), { program, engine })
  const programs = hostPrograms(parts, bytes)
  const cold = await firstUse(programs, { program, engine })
  const loaded = await firstUse(programs, { program, engine })
  const waiting = engine.stats()['warmWaiting'] ?? 0
  for (let tries = 0; tries < 200 && (engine.stats()['warmWaiting'] ?? 0) <= waiting; tries++) await pause()
  const pooled = await firstUse(programs, { program, engine })
  using used = await programs.use(program, accountId)
  engine.drop(used.handle)
  return { unseen, cold, loaded, pooled }
}

/** One program's, with nothing in memory yet; what was compiled before is in the store. */
export function hostPrograms({ engine, codeStore, compileScript }: HostParts, bytes: Buffer): Programs {
  return new Programs({
    engine,
    guests: guestsOf(engine),
    codeStore,
    compileScript,
    bucket: { get: async () => bytes },
    bytesMax: 2 ** 30,
    metrics: { programs: () => {}, started: () => {} },
  })
}

export async function firstUse(programs: Programs, { program, engine }: { program: Program; engine: SandboxEngine }): Promise<StateSample> {
  const began = performance.now()
  using loaded = await programs.use(program, accountId)
  const useMs = performance.now() - began
  const outcome = await engine.run(loaded.handle, { input: '{"n":1}', seed: 0, startTimeMs: 0, limits: runLimits('basic') })
  if (outcome.status !== 'completed') throw new Error(outcome.error?.message)
  return { useMs, startMicros: outcome.startMicros, firstMs: performance.now() - began }
}

/** @returns MiB that so many loaded script agents hold, by the host's own count and by the process */
export async function loadedAgentsMemory(parts: HostParts, agents: number): Promise<{ heldMiB: number; grownMiB: number }> {
  const bodies = Array.from({ length: agents }, (_, i) => Buffer.from(`export default (input) => [${i}, input]`))
  const before = process.memoryUsage.rss()
  const programs = new Map(bodies.map((bytes) => [createHash('sha256').update(bytes).digest('hex'), bytes]))
  const all = new Programs({
    ...parts,
    guests: guestsOf(parts.engine),
    // What esbuild makes of them is what they are.
    compileScript: async (code: Buffer) => ({ ok: true as const, code }),
    bucket: { get: async (key: string) => programs.get(key.split('/')[1] ?? '') },
    bytesMax: 2 ** 30,
    metrics: { programs: () => {}, started: () => {} },
  })
  for (const sha256 of programs.keys()) (await all.use({ kind: 'script', sha256 }, accountId))[Symbol.dispose]()
  return { heldMiB: (all.stats()['bytes'] ?? 0) / 2 ** 20, grownMiB: (process.memoryUsage.rss() - before) / 2 ** 20 }
}

/** Without admission, which nobody contends for here. */
function guestsOf(engine: SandboxEngine) {
  return {
    prepare: ({ kind, scriptMode }: Omit<Program, 'sha256'>, code: Buffer) => engine.prepare(kind, code, runLimits('basic'), scriptMode),
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1))
}
