import { describe, expect, test } from 'vitest'
import { createBoundedProcesses } from '../../sandbox-host/bounded-process.ts'
import { createScriptCompiler } from '../../sandbox-host/compile-script.ts'

const compileScript = createScriptCompiler(createBoundedProcesses({ memoryBytesMax: 128 * 2 ** 20, processesMax: 2, secondsMax: 5 }))
const compile = async (source: string | Buffer) => {
  const compiled = await compileScript(Buffer.from(source))
  return compiled.ok ? compiled.code.toString().trim() : compiled.message
}

test('types are stripped', async () => expect(await compile('let a: number = 1 as const satisfies number')).toBe('let a = 1;'))

test('JavaScript keeps its meaning where TypeScript would read a type', async () => {
  expect(await compile('export default f(a<b, c>(d))')).toContain('f(a < b, c > d)')
})

test('a message has the place', async () => {
  expect(await compile('let a = ;')).toBe('1:9: Unexpected ";"')
  expect(await compile('a\nlet b: number = ;')).toBe('2:17: Unexpected ";"')
})

test('text must be UTF-8', async () =>
  expect(await compile(Buffer.from([0x27, 0xff, 0x27]))).toBe('the source of a script must be UTF-8 text'))

test('imports are left for the engine to refuse', async () =>
  expect(await compile("import x from 'y'; export default x")).toContain('import x from "y"'))

describe('a source that would exhaust the compiler', () => {
  const tooMuch = 'the source needs more than 128 MiB to compile: it is too large or nests too deeply'
  test.each([
    ['nested parentheses', '('.repeat(2 ** 21)],
    ['nested operators', `${'!'.repeat(2 ** 21)}1`],
    ['nested functions', `${'a=>'.repeat(2 ** 20)}a`],
    ['nested conditions', `${'if(a);else '.repeat(2 ** 18)};`],
    ['nested templates', '`${'.repeat(2 ** 20)],
    ['a long sum', `${'a+'.repeat(2 ** 21)}a`],
  ])('%s', async (_name, source) => expect(await compile(source)).toBe(tooMuch))

  test('hurts nobody else', async () => {
    const all = await Promise.all(['('.repeat(2 ** 21), 'let a = 1', '('.repeat(2 ** 21), 'let b = 2', 'let c = 3'].map(compile))
    expect(all).toEqual([tooMuch, 'let a = 1;', tooMuch, 'let b = 2;', 'let c = 3;'])
  })
})
