import { expect, test } from 'vitest'
import { compileScript } from '../../sandbox-host/compile-script.ts'

const compile = async (source: string | Buffer) => {
  const compiled = await compileScript(Buffer.from(source))
  return compiled.ok ? compiled.code.toString().trim() : compiled.message
}

test('types are stripped', async () => expect(await compile('let a: number = 1 as const satisfies number')).toBe('let a = 1;'))

test('JavaScript keeps its meaning where TypeScript would read a type', async () => {
  expect(await compile('export default f(a<b, c>(d))')).toContain('f(a < b, c > d)')
})

test('a message has the place and counts the rest', async () => {
  expect(await compile('let a = ;')).toBe('1:9: Unexpected ";"')
  expect(await compile('a\nlet b: number = ;')).toBe('2:17: Unexpected ";"')
})

test('text must be UTF-8', async () =>
  expect(await compile(Buffer.from([0x27, 0xff, 0x27]))).toBe('the source of a script must be UTF-8 text'))

test('imports are left for the engine to refuse', async () =>
  expect(await compile("import x from 'y'; export default x")).toContain('import x from "y"'))
