// Engines of one behaviour: every script fixture gives the same outcome, byte for byte, on Wasmtime and on the fallback, and, with all stacks,
// compiled ahead of time.
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createBoundedProcesses } from '../../sandbox-host/bounded-process.ts'
import type { BoundedEnd } from '../../sandbox-host/bounded-process.ts'
import { createScriptCompiler } from '../../sandbox-host/compile-script.ts'
import { createFallbackEngine } from '../../sandbox-host/engines/quickjs-fallback.ts'
import { runLimits } from '../../sandbox-host/sandbox-engine.ts'
import type { RunOutcome, SandboxEngine } from '../../sandbox-host/sandbox-engine.ts'
import { createNativeEngine, hasNativeEngine, testProcesses } from '../fakes/native-engine.ts'

const fixtures = `${import.meta.dirname}/../fixtures/scripts`
const compile = createScriptCompiler(testProcesses)

/** Where the fallback differs, and why it must; one that no longer does fails here, so that the list stays true. */
const differing = new Map([['async-unhandled.js', 'quickjs-emscripten does not pass on which rejections nobody handles']])

const scripts = [
  'export default (x) => x',
  'export default () => [Math.random(), Math.random(), crypto.randomUUID(), crypto.getRandomValues(new Uint8Array(5)).join()]',
  'export default () => [Date.now(), new Date().toString(), String(new Date(2020, 5, 1)), performance.now(), Date.now(), performance.now(), typeof Date(), Date.length]',
  'export default async () => { const log = []; for (const ms of [30, 10, 20]) setTimeout(() => log.push([ms, Date.now()]), ms); await new Promise((r) => setTimeout(r, 40)); return log }',
  "export default (x, c) => { console.log('a', { b: [1, , undefined, 'x', new Map([[1, 2]])] }, -0, 1n, null); console.error(new Set([1]), () => 1); c.artifact('a/b', 'ä€😀'); return c.seed }",
  "export default () => { throw new RangeError('out') }",
  'export default () => { throw { a: 1 } }',
  'export default async () => { throw null }',
  'export default () => new Promise(() => {})',
  "export default () => [0.1 + 0.2, 1e21, 5e-324, (123.456).toFixed(1), Math.sin(1), Math.pow(2, 0.5), NaN, [3, 1, 2].toSorted(), 'ß'.toUpperCase(), 'a'.localeCompare('b')]",
  "export default () => ['\\ud800', 'x'.repeat(3), new TextDecoder().decode(new TextEncoder().encode('ä😀')), structuredClone({ a: [1] })]",
  'export default (x) => JSON.stringify(Object.keys({ b: 1, a: 2, 1: 3 })) + /(?<y>\\d{4})/.exec("in 2024")?.groups?.y',
  'let n = 0; export default () => ++n',
]

/** As a process that its bound on time ended. */
const killed = (): Promise<BoundedEnd> => Promise.resolve({ code: null, signal: 'SIGXCPU', output: Buffer.alloc(0), errors: '' })

/** What must be the same: all but the figures. Stacks name positions within the engine's own sources. */
const comparable = ({ status, output, error, stdout, stderr, artifacts, logsTruncated }: RunOutcome) => ({
  status,
  output,
  error: error && { name: error.name, message: error.message },
  stdout: stdout.toString(),
  stderr: stderr.toString().replaceAll(/^ +at .*\n?/gm, ''),
  artifacts: artifacts.map(({ name, bytes }) => ({ name, bytes: bytes.toString('hex') })),
  logsTruncated,
})

describe.skipIf(!hasNativeEngine)('where the native engine is built', () => {
  let native: SandboxEngine
  let compiling: SandboxEngine
  let fallback: SandboxEngine
  beforeAll(async () => {
    const sizes = { threads: 1, queueMax: 10 }
    native = await createNativeEngine({ slots: 2, ...sizes })
    compiling = await createNativeEngine({ slots: 2, scriptMode: 'compiled', ...sizes })
    fallback = await createFallbackEngine(sizes)
  })
  afterAll(async () => {
    await native.close()
    await compiling.close()
    await fallback.close()
  })

  async function run(engine: SandboxEngine, source: string): Promise<RunOutcome> {
    const prepared = await engine.prepare('script', Buffer.from(source), runLimits('basic'))
    if (!prepared.ok) throw new Error(prepared.message)
    const request = { input: '{"a":[1,"ä"]}', seed: 2 ** 40 + 7, startTimeMs: Date.UTC(2024, 1, 29, 12), limits: runLimits('basic') }
    return engine.run(prepared.handle, request)
  }

  test.each(scripts)('%s', async (source) => {
    expect(comparable(await run(native, source))).toEqual(comparable(await run(fallback, source)))
  })

  /** Deploys and runs as the host does; what is refused at deploy is compared too. */
  async function runFixture(engine: SandboxEngine, code: Buffer) {
    const prepared = await engine.prepare('script', code, runLimits('basic'))
    if (!prepared.ok) return { refused: prepared.reason, message: prepared.message.replaceAll(/\n +at .*/g, '') }
    const request = { input: '{"a":[1,"ä"]}', seed: 2 ** 40 + 7, startTimeMs: Date.UTC(2024, 1, 29, 12), limits: runLimits('basic') }
    const outcome = await engine.run(prepared.handle, request)
    engine.drop(prepared.handle)
    return comparable(outcome)
  }

  async function isSame(name: string): Promise<void> {
    const compiled = await compile(readFileSync(`${fixtures}/${name}`))
    if (!compiled.ok) {
      expect(name).toBe('syntax-error.js')
      return
    }
    const [onNative, onFallback] = [await runFixture(native, compiled.code), await runFixture(fallback, compiled.code)]
    expect(onNative).toEqual(onFallback)
  }

  const names = readdirSync(fixtures)
  test.each(names.filter((name) => !differing.has(name)))('fixture %s', isSame)
  test.fails.each([...differing])('fixture %s differs: %s', isSame)

  test('compiled scripts are told apart by fuel alone', { timeout: 120_000 }, async () => {
    const told = ({ status, output, error, stdout, stderr, artifacts, logsTruncated }: RunOutcome) => {
      return { status, output, error, stdout, stderr, artifacts, logsTruncated }
    }
    const answer = async (engine: SandboxEngine, code: Buffer) => {
      const prepared = await engine.prepare('script', code, runLimits('basic'))
      if (!prepared.ok) return prepared
      const request = { input: '{"a":[1,"ä"]}', seed: 7, startTimeMs: 0, limits: runLimits('basic') }
      const outcome = await engine.run(prepared.handle, request)
      engine.drop(prepared.handle)
      return told(outcome)
    }
    const sources = await Promise.all(names.map((name) => compile(readFileSync(`${fixtures}/${name}`))))
    const codes = [...scripts.map((source) => Buffer.from(source)), ...sources.flatMap((source) => (source.ok ? [source.code] : []))]
    expect([compiling.label, compiling.build]).toEqual([`${native.label}+compiled-3`, `${native.build}-compiled`])
    for (const code of codes) expect(await answer(compiling, code)).toEqual(await answer(native, code))
  })

  test('a compiled script says what became of its functions, also once it is loaded', async () => {
    const code = Buffer.from('export default async (x) => plain(x)\nconst plain = (x) => x + 1\n  function* numbers() { yield plain(1) }')
    const prepared = await compiling.prepare('script', code, runLimits('basic'))
    if (!prepared.ok) throw new Error(prepared.message)
    expect(prepared.functions?.compiled).toBeGreaterThan(0)
    const reason = 'it is a generator or asynchronous'
    expect(prepared.functions).toMatchObject({
      reason: null,
      interpreted: expect.arrayContaining([{ name: 'numbers', line: 3, column: 3, reason }]),
    })
    expect(prepared.functions?.interpretedCount).toBe(prepared.functions?.interpreted.length)
    const loaded = await compiling.load('script', compiling.stored(prepared.handle) ?? Buffer.alloc(0))
    expect(loaded?.functions).toEqual(prepared.functions)
    const interpreted = await native.prepare('script', code, runLimits('basic'))
    expect(interpreted).not.toHaveProperty('functions')
  })

  test('compiled anew, in another process, it is the same to the byte, and its runs cost the same fuel', async () => {
    const code = readFileSync(new URL('../../bench/workloads/objects.js', import.meta.url))
    const deploy = async () => {
      const prepared = await compiling.prepare('script', code, runLimits('basic'))
      if (!prepared.ok) throw new Error(prepared.message)
      return prepared.handle
    }
    const handles = [await deploy(), await deploy()]
    const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = handles.map((handle) => compiling.stored(handle))
    expect(first.length).toBeGreaterThan(10_000)
    expect(second.equals(first)).toBe(true)
    const elsewhere = await createNativeEngine({ scriptMode: 'compiled', warm: { perProgram: 0, total: 0, lifetimeMs: 0 } })
    const loaded = await elsewhere.load('script', first)
    const request = { input: '{"n":20}', seed: 7, startTimeMs: 0, limits: runLimits('basic') }
    const outcomes = await Promise.all([
      ...handles.map((handle) => compiling.run(handle, request)),
      elsewhere.run(loaded?.handle ?? 0, request),
      elsewhere.run(loaded?.handle ?? 0, request),
    ])
    await elsewhere.close()
    const [{ output, fuel }, ...others] = outcomes
    expect(fuel).toBeGreaterThan(0)
    for (const other of others) expect({ output: other.output, fuel: other.fuel }).toEqual({ output, fuel })
  })

  test('a script that could not be compiled for want of memory, or in time, is not refused: it is to be tried again', async () => {
    const bounds = { memoryBytesMax: 2 ** 29, secondsMax: 10, processesMax: 1 }
    for (const processes of [createBoundedProcesses({ ...bounds, memoryBytesMax: 2 ** 26 }), { ...testProcesses, run: killed }]) {
      const engine = await createNativeEngine({ scriptMode: 'compiled', processes })
      await expect(engine.prepare('script', Buffer.from('export default (x) => x'), runLimits('basic'))).rejects.toMatchObject({
        code: 'sandbox-unavailable',
      })
      await engine.close()
    }
  })

  test('the native engine says its version, its limits are the host’s', async () => {
    expect(native.label).toMatch(/^wasmtime-\d+\.\d+\.\d+\+/)
    expect(native.stats()).toMatchObject({ slots: 2 })
  })

  test('the native engine runs commands and says what is wrong with those that it refuses', async () => {
    // (module (memory (export "memory") 1) (func (export "_start")))
    const module = '0061736d01000000010401600000030201000503010001071302065f73746172740000066d656d6f727902000a040102000b'
    const prepared = await native.prepare('command', Buffer.from(module, 'hex'), runLimits('basic'))
    if (!prepared.ok) throw new Error(prepared.message)
    const request = { input: '1', seed: 0, startTimeMs: 0, limits: runLimits('basic') }
    expect(await native.run(prepared.handle, request)).toMatchObject({ status: 'completed', output: 'null', artifacts: [] })
    expect(await native.prepare('command', Buffer.from('not wasm'), runLimits('basic'))).toMatchObject({
      ok: false,
      reason: 'invalid-program',
    })
  })

  test('the native engine repeats itself, down to the fuel', async () => {
    const [first, second] = [await run(native, scripts[1] ?? ''), await run(native, scripts[1] ?? '')]
    expect(first.fuel).toBeGreaterThan(0)
    expect({ ...comparable(second), fuel: second.fuel }).toEqual({ ...comparable(first), fuel: first.fuel })
  })
})
