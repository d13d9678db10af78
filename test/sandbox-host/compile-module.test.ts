// Compiling a stranger's module ends, within its bounds, in a process of its own; and what it made is loaded, not made again.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { createBoundedProcesses } from '../../sandbox-host/bounded-process.ts'
import { createModuleCompiler } from '../../sandbox-host/compile-module.ts'
import { runLimits } from '../../sandbox-host/sandbox-engine.ts'
import { createNativeEngine, hasNativeEngine } from '../fakes/native-engine.ts'

const engineDirectory = fileURLToPath(new URL('../../sandbox-host/engine', import.meta.url))
const echo = readFileSync(new URL('../fixtures/agents/echo.wasm', import.meta.url))

function compilerWith({ memoryBytesMax = 2 ** 29, secondsMax = 20 }) {
  const processes = createBoundedProcesses({ memoryBytesMax, secondsMax, processesMax: 2 })
  return createModuleCompiler({ executable: join(engineDirectory, 'agent-compiler'), processes })
}

describe.skipIf(!hasNativeEngine)('compiling a module', () => {
  test('gives code that the engine loads', async () => {
    const compiled = await compilerWith({})('command', echo)
    if (!compiled.ok) throw new Error(compiled.message)
    const engine = await createNativeEngine()
    const loaded = await engine.load('command', compiled.code)
    const outcome = await engine.run(loaded?.handle ?? 0, { input: '[1]', seed: 0, startTimeMs: 0, limits: runLimits('basic') })
    expect(outcome).toMatchObject({ status: 'completed', output: '[1]' })
    await engine.close()
  })

  test('says what is wrong with the module', async () => {
    expect(await compilerWith({})('command', Buffer.from('no module'))).toMatchObject({
      ok: false,
      message: expect.stringContaining('\\0asm'),
    })
    const foreign = readFileSync(new URL('../fixtures/agents/unknown-import.wasm', import.meta.url))
    expect(await compilerWith({})('command', foreign)).toMatchObject({ ok: false, message: expect.stringContaining('allowed is wasi') })
  })

  test('ends at its memory', async () => {
    const compile = compilerWith({ memoryBytesMax: 48 * 2 ** 20 })
    expect(await compile('command', echo)).toMatchObject({ ok: true })
    expect(await compile('command', largeModule({ functions: 3_000, instructions: 400 }))).toEqual({
      ok: false,
      message: 'the program needs more than 48 MiB to compile: it is too large',
    })
  })

  test('ends at its time', async () => {
    const compile = compilerWith({ secondsMax: 1 })
    expect(await compile('command', echo)).toMatchObject({ ok: true })
    expect(await compile('command', largeModule({ functions: 20_000, instructions: 200 }))).toEqual({
      ok: false,
      message: 'the program takes longer than 1 s of processor time to compile',
    })
  })
})

/** A valid command of many functions, each `(a, b) => ((a * b) * b) …`, written byte by byte as the format demands. */
function largeModule({ functions, instructions }: { functions: number; instructions: number }): Buffer {
  const body = [0, 0x20, 0, ...Array.from({ length: instructions }, () => [0x20, 1, 0x6c]).flat(), 0x0b]
  const bodies = Buffer.concat(Array.from({ length: functions }, () => Buffer.from([...leb(body.length), ...body])))
  const start = [2, 0, 0x0b]
  return Buffer.concat([
    Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]),
    section(1, [2, 0x60, 0, 0, 0x60, 2, 0x7f, 0x7f, 1, 0x7f]),
    section(3, [...leb(functions + 1), 0, ...Array<number>(functions).fill(1)]),
    section(5, [1, 0, 1]),
    section(7, [2, ...name('memory'), 2, 0, ...name('_start'), 0, 0]),
    section(10, Buffer.concat([Buffer.from([...leb(functions + 1), ...start]), bodies])),
  ])
}

function section(id: number, content: number[] | Buffer): Buffer {
  return Buffer.concat([Buffer.from([id, ...leb(content.length)]), Buffer.from(content)])
}

function name(text: string): number[] {
  return [text.length, ...Buffer.from(text)]
}

function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)]
}
