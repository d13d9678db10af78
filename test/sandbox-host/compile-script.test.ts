import { describe, expect, test } from 'vitest'
import { createBoundedProcesses } from '../../sandbox-host/bounded-process.ts'
import { createScriptCompiler } from '../../sandbox-host/compile-script.ts'

const compileScript = createScriptCompiler(createBoundedProcesses({ memoryBytesMax: 128 * 2 ** 20, processesMax: 2, secondsMax: 5 }))
const compile = async (source: string | Buffer) => {
  const compiled = await compileScript(Buffer.from(source))
  return compiled.ok ? compiled.code.toString().trim() : compiled.message
}

const inlined = (map: object) => `//# sourceMappingURL=data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString('base64')}`

test('types are stripped', async () => expect(await compile('let a: number = 1 as const satisfies number')).toBe('let a = 1;'))

test('JavaScript keeps its meaning where TypeScript would read a type', async () => {
  expect(await compile('export default f(a<b, c>(d))')).toContain('f(a < b, c > d)')
})

test('a message has the place, in a file named after the language that the source shows', async () => {
  expect(await compile('let a = ;')).toBe('agent.js:1:9: Unexpected ";"')
  expect(await compile('a\nlet b: number = ;')).toBe('agent.ts:2:17: Unexpected ";"')
})

test('a message about a bundle has the place in the file that was bundled', async () => {
  // AAAA;AACA: line 1 is line 1, line 2 is line 2, of the same file.
  const map = { version: 3, sources: ['src/main.ts'], names: [], mappings: 'AAAA;AACA' }
  expect(await compile(`1\nlet a = ;\n${inlined(map)}`)).toBe('src/main.ts:2:1: Unexpected ";"')
})

test('the code is the same as without a map, to the byte', async () => {
  const source = 'enum A { B }\n// gone\nexport default () => A.B // gone too'
  expect(await compile(`${source}\n${inlined({ version: 3, sources: ['a'], names: [], mappings: 'AAAA' })}`)).toBe(await compile(source))
  expect(await compile(source)).not.toContain('sourceMappingURL')
})

test('what looks like a map stays text', async () => {
  const text = '//# sourceMappingURL=data:application/json;base64,e30='
  expect(await compile(`let a = "${text}"`)).toBe(`let a = "${text}";`)
  // Beyond 2 MiB no map is made, so none is taken off either.
  const large = `let a = \`${text}\`;${' '.repeat(2 ** 21)}`
  expect(await compile(large)).toContain(text)
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
    ['a source map that nests', `1\n//# sourceMappingURL=data:application/json;base64,${btoa('['.repeat(1_500_000))}`],
    ['a long sum', `${'a+'.repeat(2 ** 21)}a`],
  ])('%s', async (_name, source) => expect(await compile(source)).toBe(tooMuch))

  test('hurts nobody else', async () => {
    const all = await Promise.all(['('.repeat(2 ** 21), 'let a = 1', '('.repeat(2 ** 21), 'let b = 2', 'let c = 3'].map(compile))
    expect(all).toEqual([tooMuch, 'let a = 1;', tooMuch, 'let b = 2;', 'let c = 3;'])
  })
})
