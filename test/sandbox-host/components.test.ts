// Components and commands as real toolchains make them, unmodified, through the engine port: JavaScript by jco, Rust, AssemblyScript, C.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compilerSecondsMax, createBoundedProcesses } from '../../sandbox-host/bounded-process.ts'
import { runLimits } from '../../sandbox-host/sandbox-engine.ts'
import type { RunLimits, RunOutcome, SandboxEngine } from '../../sandbox-host/sandbox-engine.ts'
import { limits } from '../../shared/tiers.ts'
import type { ProgramKind } from '../../shared/agent.ts'
import { jcoComponent } from '../fixtures/components/jco-component.ts'
import { createNativeEngine, hasNativeEngine } from '../fakes/native-engine.ts'

const fixture = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url))

/** jco's component is made when it is not there yet, and compiled: half a minute each on two busy cores. */
const slowMs = 240_000

describe.skipIf(!hasNativeEngine)('on the native engine', () => {
  let engine: SandboxEngine
  beforeAll(async () => {
    const processes = createBoundedProcesses({ memoryBytesMax: 2 ** 29, secondsMax: compilerSecondsMax, processesMax: 1 })
    engine = await createNativeEngine({ processes })
  })
  afterAll(() => engine.close())

  async function deploy(kind: ProgramKind, code: Buffer): Promise<number> {
    const prepared = await engine.prepare(kind, code, runLimits('basic'))
    if (!prepared.ok) throw new Error(prepared.message)
    // What the host counts for a program must not be less than what the engine keeps of it.
    expect(engine.stats()['programBytes']).toBeLessThanOrEqual(kept + prepared.heldBytes)
    kept = engine.stats()['programBytes'] ?? 0
    return prepared.handle
  }
  let kept = 0

  function run(handle: number, input: unknown, changed: { seed?: number; limits?: Partial<RunLimits> } = {}): Promise<RunOutcome> {
    const { seed = 7 } = changed
    const bounds = { ...runLimits('basic'), wallMs: 60_000, ...changed.limits }
    return engine.run(handle, { input: JSON.stringify(input), seed, startTimeMs: Date.UTC(2024, 1, 29), limits: bounds })
  }

  const toolchains: [string, () => Promise<Buffer>][] = [
    ['JavaScript by jco', jcoComponent],
    ['Rust', async () => fixture('components/rust/word-count.wasm')],
  ]
  describe.each(toolchains)('a component in %s', (language, code) => {
    let handle: number
    beforeAll(async () => {
      handle = await deploy('component', await code())
    }, slowMs)

    test('answers, and its logs are kept', async () => {
      const outcome = await run(handle, { text: 'to be or not to be' })
      expect(outcome).toMatchObject({ status: 'completed', artifacts: [], logsTruncated: false })
      expect(JSON.parse(outcome.output ?? '')).toEqual({ words: { to: 2, be: 2, or: 1, not: 1 }, saw: null })
      expect([outcome.stdout.toString(), outcome.stderr.toString()]).toEqual([expect.stringMatching(/^counting 18/), 'careful\n'])
    })

    test('its error is what it threw', async () => {
      expect(await run(handle, {})).toMatchObject({ status: 'threw', error: { message: 'the input has no text' } })
    })

    test.each(['time', 'random'])('its %s repeats, and so does its fuel, alone and beside others', async (what) => {
      const input = { text: 'a', do: what }
      const outcomes = [await run(handle, input), ...(await Promise.all(Array.from({ length: 8 }, () => run(handle, input))))]
      const [first] = outcomes
      expect(first?.status).toBe('completed')
      for (const { output, fuel } of outcomes) expect([output, fuel]).toEqual([first?.output, first?.fuel])
      const other = await run(handle, input, { seed: 8 })
      if (what === 'random') expect(other.output).not.toBe(first?.output)
    })

    test('its year is that of the run', async () => {
      const { output } = await run(handle, { text: '', do: 'time' })
      const [first] = JSON.parse(output ?? '').saw
      expect(new Date(language === 'Rust' ? first * 1_000 : first).getUTCFullYear()).toBe(2024)
    })

    test('its fuel is exact', async () => {
      const { fuel } = await run(handle, { text: 'a b c' })
      expect(await run(handle, { text: 'a b c' }, { limits: { fuel: fuel ?? 0 } })).toMatchObject({ status: 'completed', fuel })
      const short = await run(handle, { text: 'a b c' }, { limits: { fuel: (fuel ?? 0) - 1 } })
      expect(short).toMatchObject({ status: 'out-of-fuel', fuel: (fuel ?? 0) - 1 })
    })

    test('ends at its memory', async () => {
      const outcome = await run(handle, { text: '', do: 'memory' }, { limits: { memoryBytes: 32 * 2 ** 20 } })
      expect(outcome.status).toBe('memory-limit')
      expect(outcome.memoryBytesPeak).toBeLessThanOrEqual(32 * 2 ** 20)
    })
  })

  test(
    'a component in JavaScript keeps nothing, loops until its fuel ends, and traps with a stack in its logs',
    async () => {
      const handle = await deploy('component', await jcoComponent())
      for (let i = 0; i < 2; i++) expect((await run(handle, { text: '', do: 'calls' })).output).toBe('{"words":{},"saw":1}')
      expect(await run(handle, { text: '', do: 'loop' }, { limits: { fuel: 1e8 } })).toMatchObject({ status: 'out-of-fuel', fuel: 1e8 })
      const outcome = await run(handle, { text: '', do: 'bug' })
      expect([outcome.status, outcome.stderr.toString()]).toEqual(['trapped', expect.stringMatching(/careful\n[\s\S]*\n/)])
      engine.drop(handle)
    },
    slowMs,
  )

  test('a component in Rust has no arguments, variables, input, files or network', async () => {
    const handle = await deploy('component', fixture('components/rust/word-count.wasm'))
    const saw = async (what: string) => JSON.parse((await run(handle, { text: '', do: what })).output ?? '').saw
    expect(await saw('surroundings')).toEqual([0, 0, 0])
    expect(await saw('file')).toBe('entity not found')
    const socket = await run(handle, { text: '', do: 'socket' })
    expect([socket.status, socket.error?.message]).toEqual(['trapped', expect.stringMatching(/wasi:sockets\/.* is not there for agents/)])
    const panicked = await run(handle, { text: '', do: 'panic' })
    expect([panicked.status, panicked.stderr.toString()]).toEqual(['trapped', expect.stringContaining('no such luck')])
    expect(await run(handle, { text: '', do: 'exit' })).toMatchObject({ status: 'threw', error: { exitCode: 1 } })
    engine.drop(handle)
  })

  const commands = [
    ['AssemblyScript', 'commands/assemblyscript/sum.wasm', '1.0\n2.0\n3.5'],
    ['C', 'commands/c/sum.wasm', '1\n2\n3.5\n'],
  ] as const
  test.each(commands)('a command in %s reads its input, prints its output and writes an artifact', async (_, name, lines) => {
    const handle = await deploy('command', fixture(name))
    const outcome = await run(handle, { numbers: [1, 2, 3.5] })
    expect(outcome).toMatchObject({ status: 'completed', artifacts: [{ name: 'numbers.txt' }] })
    expect(JSON.parse(outcome.output ?? '').sum).toBe(6.5)
    expect(outcome.artifacts[0]?.bytes.toString()).toBe(lines)
    expect(outcome.stderr.toString()).toBe('3 numbers\n')
    expect(await run(handle, { numbers: [1, 2, 3.5] })).toMatchObject({ output: outcome.output, fuel: outcome.fuel })
    const failed = await run(handle, {})
    expect(failed).toMatchObject({ status: 'threw', error: { exitCode: 4 } })
    expect(failed.stderr.toString()).toBe('the input has no numbers')
    engine.drop(handle)
  })

  test('a component is as large as a program may be, and not larger', async () => {
    const small = fixture('components/rust/word-count.wasm')
    const padded = (bytes: number) => Buffer.concat([small, customSection(bytes - small.length)])
    const largest = await engine.prepare('component', padded(limits.programBytesMax), runLimits('basic'))
    expect(largest.ok).toBe(true)
    expect(await engine.prepare('component', padded(limits.programBytesMax + 1), runLimits('basic'))).toMatchObject({
      ok: false,
      message: `the component is ${limits.programBytesMax + 1} bytes, allowed are ${limits.programBytesMax}`,
    })
  })
})

/** A section of so many bytes that means nothing: its id, its size in five bytes of LEB128, an empty name, zeros. */
function customSection(bytes: number): Buffer {
  const section = Buffer.alloc(bytes)
  const size = bytes - 6
  for (let i = 0; i < 5; i++) section[i + 1] = ((size >>> (7 * i)) & 0x7f) | (i < 4 ? 0x80 : 0)
  return section
}
