// That an error names the author's file and line: through types, through a bundle, and through maps that lie.
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createStackMapper, mapBytesMax } from '../../sandbox-host/author-positions.ts'
import { createScriptCompiler } from '../../sandbox-host/compile-script.ts'
import { createFallbackEngine } from '../../sandbox-host/engines/quickjs-fallback.ts'
import { acceptOutcome } from '../../sandbox-host/run-outcome.ts'
import { runLimits } from '../../sandbox-host/sandbox-engine.ts'
import type { SandboxEngine } from '../../sandbox-host/sandbox-engine.ts'
import { createNativeEngine, hasNativeEngine, testProcesses } from '../fakes/native-engine.ts'

const compile = createScriptCompiler(testProcesses)
const stack = '    at inner (agent.js:1:1)\n    at agent_start (prelude.js:556:42)\n'
const mapperOf = (map: unknown, onDecode = (_bytes: number) => {}) =>
  createStackMapper({ map: Buffer.from(typeof map === 'string' ? map : JSON.stringify(map)), onDecode })
const mapOf = (fields: object) => ({ version: 3, sources: ['a.ts'], names: [], mappings: 'AAAA', ...fields })

const typed = `interface Input { n: number }
enum Colour { Red, Green }
type Unused = {
  a: string
}
function inner({ n }: Input): never {
  throw new RangeError(Colour[n])
}
export default (input: Input) => {
  return inner(input)
}`

/** What the CLI makes of two files. */
async function bundled(): Promise<string> {
  const files: Record<string, string> = {
    'main.ts': "import { inner } from './lib/inner.ts'\ninterface A { n: number }\n\nexport default (a: A) => {\n  return inner(a)\n}",
    'inner.ts': typed.replace(/export default[^]*/, '').replace('function inner', 'export function inner'),
  }
  const { outputFiles } = await build({
    stdin: { contents: files['main.ts'] ?? '', sourcefile: 'src/main.ts', loader: 'ts' },
    plugins: [
      {
        name: 'files',
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /inner/ }, () => ({ path: 'src/lib/inner.ts', namespace: 'memory' }))
          onLoad({ filter: /.*/, namespace: 'memory' }, () => ({ contents: files['inner.ts'] ?? '', loader: 'ts' }))
        },
      },
    ],
    bundle: true,
    write: false,
    format: 'esm',
    sourcemap: 'inline',
  })
  return outputFiles[0]?.text ?? ''
}

describe.each([
  ['wasmtime', hasNativeEngine, () => createNativeEngine({ threads: 1 })],
  ['the fallback', true, () => createFallbackEngine({ threads: 1, queueMax: 4 })],
] as const)('on %s', (_name, isBuilt, start) => {
  let engine: SandboxEngine
  beforeAll(async () => {
    if (isBuilt) engine = await start()
  })
  afterAll(() => engine?.close())

  /** Function, file and line of each frame; engines do not agree on columns. */
  async function framesOf(source: string): Promise<string[]> {
    const compiled = await compile(Buffer.from(source))
    if (!compiled.ok) throw new Error(compiled.message)
    const prepared = await engine.prepare('script', compiled.code, runLimits('basic'))
    if (!prepared.ok) throw new Error(prepared.message)
    const request = { input: '{"n":1}', seed: 0, startTimeMs: 0, limits: runLimits('basic') }
    const mapStack = createStackMapper({ map: compiled.map, onDecode: () => {} })
    const { error } = acceptOutcome(await engine.run(prepared.handle, request), mapStack)
    return [...(error?.stack ?? '').matchAll(/at (.+):\d+\)?$/gm)].map(([, frame = '']) => frame)
  }

  test.skipIf(!isBuilt)('types and enums before it do not move a line', async () => {
    expect(await framesOf(typed)).toEqual(['inner (agent.ts:7', 'agent_default (agent.ts:10'])
  })

  test.skipIf(!isBuilt)('JavaScript is agent.js, its comments count', async () => {
    expect(await framesOf('// one\n\n/* three\n four */\nexport default function f() {\n  null.x\n}')).toEqual(['f (agent.js:6'])
  })

  test.skipIf(!isBuilt)('a bundle with an inline map leads to the files that were bundled', async () => {
    expect(await framesOf(await bundled())).toEqual(['inner (memory:src/lib/inner.ts:7', 'main_default (src/main.ts:5'])
  })

  test.skipIf(!isBuilt)('an upload whose map is broken is placed in the upload', async () => {
    for (const url of ['data:application/json;base64,e30=', 'data:application/json;base64,%%%', '/etc/hostname', '../package.json']) {
      expect(await framesOf(`export default function f() {\n  null.x\n}\n//# sourceMappingURL=${url}`)).toEqual(['f (agent.js:2'])
    }
  })
})

test('a column is the first of the token that the map has', () => {
  expect(mapperOf(mapOf({ mappings: 'AAEI' }))(stack)).toBe('    at inner (a.ts:3:5)\n')
})

test('frames of the prelude are left out, other files are left alone', () => {
  expect(mapperOf(mapOf({}))('    at <input>:1:2\n    at parse (native)\n    at myagent.jsx:1:1\n' + stack)).toBe(
    '    at <input>:1:2\n    at parse (native)\n    at myagent.jsx:1:1\n    at inner (a.ts:1:1)\n',
  )
})

test('without a map, and where the map knows nothing, the place stays', () => {
  expect(createStackMapper({ map: undefined, onDecode: () => {} })(stack)).toBe('    at inner (agent.js:1:1)\n')
  expect(mapperOf(mapOf({ mappings: ';AAAA' }))(stack)).toBe('    at inner (agent.js:1:1)\n')
})

test.each([
  ['no JSON', '{'],
  ['nothing', 'null'],
  ['another version', mapOf({ version: 2 })],
  ['sources that are no text', mapOf({ sources: [{}] })],
  ['no sources', mapOf({ sources: [] })],
  ['too many sources', mapOf({ sources: Array.from({ length: 10_001 }, () => 'a') })],
  ['sections', { version: 3, sections: [{ offset: { line: 0, column: 0 }, map: mapOf({}) }] }],
  ['a source that there is not', mapOf({ mappings: 'ACAA' })],
  ['a source before the first', mapOf({ mappings: 'ADAA' })],
  ['a line before the first', mapOf({ mappings: 'AADA' })],
  ['a column before the first', mapOf({ mappings: 'AAAD' })],
  ['letters that mean nothing', mapOf({ mappings: '\0\u20ac ~' })],
  ['too large', mapOf({ names: ['x'.repeat(mapBytesMax)] })],
])('a map with %s changes nothing', (_name, map) => {
  expect(mapperOf(map)(stack)).toMatch(/^ {4}at inner \(agent\.js:1:1\)\n$/)
})

test('a number that never ends ends', () => {
  expect(mapperOf(mapOf({ mappings: `AA${'g'.repeat(500_000)}` }))(stack)).toMatch(/^ {4}at inner \((agent\.js|a\.ts):\d+:\d+\)\n$/)
})

test('a file’s name cannot pass for a frame, for markup of a terminal or for a long text', () => {
  const forged = mapperOf(mapOf({ sources: ['x.ts:1:1)\n    at forged (\u001b[31my.ts\u2028'] }))(stack)
  expect(forged).toBe('    at inner (x.ts:1:1__    at forged __[31my.ts_:1:1)\n')
  expect(mapperOf(mapOf({ sources: ['x'.repeat(5_000)] }))(stack).length).toBeLessThan(300)
})

test('a map is decoded at the first stack that needs it, once', () => {
  const decoded: number[] = []
  const mapStack = mapperOf(mapOf({}), (bytes) => decoded.push(bytes))
  mapStack('    at agent_start (prelude.js:1:1)\n')
  expect(decoded).toEqual([])
  expect([mapStack(stack), mapStack(stack)]).toEqual(Array(2).fill('    at inner (a.ts:1:1)\n'))
  expect(decoded).toHaveLength(1)
})
