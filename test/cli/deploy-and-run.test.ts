// `bounty deploy` and `bounty run` as processes, against the edge over fakes.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleAgent } from '../../cli/bundle-agent.ts'
import { readProgram } from '../../cli/read-program.ts'
import { serveOnFreePort } from '../fakes/serve-on-free-port.ts'
import { testEdge } from '../fakes/test-edge.ts'
import { bounty } from './bounty.ts'
import type { CommandOptions } from './bounty.ts'

const directory = mkdtempSync(join(tmpdir(), 'bounty-cli-'))
const edge = testEdge()
let env: Record<string, string>
let stop: () => Promise<void>

beforeAll(async () => {
  const server = createAdaptorServer({ fetch: edge.fetch }) as Server // without options it is one of node:http
  const served = await serveOnFreePort(server)
  stop = served.stop
  env = { BOUNTY_URL: served.url, BOUNTY_KEY: (await edge.account('author')).key }
})
afterAll(async () => {
  await stop()
  rmSync(directory, { recursive: true, force: true })
})

const ask = (args: string[], options: CommandOptions = {}) => bounty(args, { env, cwd: directory, ...options })

function file(name: string, content: string): string {
  mkdirSync(dirname(join(directory, name)), { recursive: true })
  writeFileSync(join(directory, name), content)
  return join(directory, name)
}

/** A script that imports a package, and what the fake sandbox does in its place. */
async function script(name: string): Promise<string> {
  file('node_modules/greet/package.json', '{"name":"greet","version":"1.0.0","type":"module","main":"index.js"}')
  file('node_modules/greet/index.js', 'export const greet = (name) => `hello ${name}`')
  const path = file(name, "import { greet } from 'greet'\nexport default ({ name }: { name: string }) => greet(name)")
  edge.sandbox.programs.set(await bundleAgent(path), (input) => ({ output: { input }, artifacts: { 'a\u001b[31m.txt': 'x' } }))
  return path
}

describe('help', () => {
  test.each([['--help'], ['deploy', '--help'], ['run', '--help'], ['run', '-h'], ['verify', '--help']])('%s %s', async (...args) => {
    expect(await ask(args)).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/^Usage: bounty .*Exit code: 0 /s) })
  })
})

describe('deploy', () => {
  test('a script runs in the mode that is asked for; what was not compiled is said, with why', async () => {
    const path = await script('modes.ts')
    const compiled = await ask(['deploy', path, '--script-mode', 'compiled'])
    expect(compiled).toMatchObject({ code: 0, err: expect.stringMatching(/^modes: version 1, script, compiled, /) })
    expect(compiled.err).toContain('2 of 3 functions compiled\n  walk at agent.ts:3:1: it is a generator\n')
    expect(await ask(['deploy', path, '--script-mode', 'interpreted'])).toMatchObject({
      code: 0,
      err: expect.stringMatching(/^modes: version 2, script, interpreted, .*\n$/),
    })
    expect(await ask(['deploy', path, '--script-mode', 'fast'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('--script-mode is "fast"; must be one of interpreted, compiled'),
    })
    const input = file('modes.json', '1')
    const ran = await ask(['run', 'modes', '--input', input, '--version', '1'])
    expect(ran.err).toMatch(/completed, compiled, 100 fuel/)
  })

  test('a script is bundled with its imports and its map; the same name again is the next version', async () => {
    const path = await script('Greeter.ts')
    const first = await ask(['deploy', path])
    expect(first).toMatchObject({ code: 0, out: expect.stringMatching(/^agt_\w{26}\n$/) })
    expect(first.err).toMatch(/^greeter: version 1, script, interpreted, \d+ bytes, sha256 [0-9a-f]{64}\n$/)
    const second = await ask(['deploy', path])
    expect(second).toMatchObject({ code: 0, out: first.out, err: expect.stringContaining('version 2') })
    const source = await bundleAgent(path)
    expect(source).toContain('hello')
    expect(source).not.toContain('import ')
    const [, map = ''] = /sourceMappingURL=data:application\/json;base64,(.+)/.exec(source) ?? []
    const { sources, sourcesContent } = JSON.parse(Buffer.from(map, 'base64').toString())
    expect(sources).toEqual(['node_modules/greet/index.js', 'Greeter.ts'])
    expect(sourcesContent ?? null).toBeNull()
  })

  test('a WebAssembly module is a command, a component is told by its layer', async () => {
    const command = file('module.wasm', '\0asm\u0001\0\0\0')
    edge.sandbox.programs.set('\0asm\u0001\0\0\0', () => ({ output: 1 }))
    expect(await ask(['deploy', command])).toMatchObject({ code: 0, err: expect.stringContaining('command, 8 bytes') })
    expect(await readProgram(command)).toMatchObject({ kind: 'command', source: 'AGFzbQEAAAA=' })
    expect(await readProgram(file('component.wasm', '\0asm\u000d\0\u0001\0'))).toMatchObject({ kind: 'component', bytes: 8 })
  })

  test('a mistake in the source names file, line and column', async () => {
    const path = file('broken.ts', 'const a: number = 1\nexport default (')
    expect(await ask(['deploy', path])).toMatchObject({ code: 1, err: expect.stringContaining('broken.ts:2:17: Unexpected end of file') })
    const needsNode = file('needs-node.js', "import fs from 'node:fs'\nexport default () => fs")
    expect(await ask(['deploy', needsNode])).toMatchObject({
      code: 1,
      err: expect.stringContaining('needs-node.js:1:16: Could not resolve'),
    })
  })

  test('what the API refuses is told in its words', async () => {
    const unknown = file('unknown.js', 'export default () => 1')
    const { code, err } = await ask(['deploy', unknown])
    expect({ code, err }).toEqual({
      code: 1,
      err: 'bounty deploy: POST /api/agents answered 422: 1:1: the fake sandbox does not know this program\n',
    })
  })

  test.each([
    [['deploy'], 'Usage: bounty deploy'],
    [['deploy', 'a.ts', 'b.ts'], 'Usage: bounty deploy'],
    [['deploy', 'missing.ts'], 'missing.ts cannot be read: ENOENT'],
    [['deploy', 'text.txt'], 'its name ends in ".txt"; a script ends in .ts, .mts, .js, .mjs'],
    [['deploy', 'text.txt', '--name', 'No Name'], '--name is "No Name"; a name must be 1 to 64 of'],
    [['deploy', '_.ts'], 'the file\'s name gives "_"; a name must be'],
    [['deploy', 'text.txt', '--kind', 'applet'], '--kind is "applet"; must be one of script, command, component'],
    [['deploy', 'x.js', '--kind', 'command'], 'x.js is a script; --kind is command'],
    [['deploy', 'x.js', '--colour'], "'--colour'"],
    [['deploy', 'x.js', '--url', 'ftp://x'], 'the address is "ftp://x"; it must be an http or https URL'],
  ])('%j is wrong use', async (args, message) => {
    file('text.txt', 'text')
    file('x.js', 'export default () => 1')
    expect(await ask(args)).toMatchObject({ code: 2, out: '', err: expect.stringContaining(message) })
  })

  test('without a key, and without an edge, it says so', async () => {
    const path = file('x.js', 'export default () => 1')
    expect(await ask(['deploy', path], { env: { BOUNTY_URL: env['BOUNTY_URL'] ?? '' } })).toMatchObject({
      code: 2,
      err: expect.stringContaining('BOUNTY_KEY'),
    })
    expect(await ask(['deploy', path, '--url', 'http://127.0.0.1:9'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('does not answer'),
    })
  })
})

describe('run', () => {
  test('output goes to standard output, all else to standard error; by name and by id', async () => {
    const id = (await ask(['deploy', await script('runner.ts')])).out.trim()
    const byId = await ask(['run', id, '--input', file('input.json', '{"name": "ä"}'), '--seed', '7', '--tier', 'premium'])
    expect(byId).toMatchObject({ code: 0, out: '{"input":{"name":"ä"}}\n' })
    expect(byId.err).toMatch(
      /^artifact a\uFFFD\[31m\.txt, 1 bytes\nexe_\w{26} completed, interpreted, 100 fuel, 50 µs, 65536 bytes of memory, about \$0\.000002500\n$/,
    )
    expect(await ask(['run', 'runner', '--input', '-'], { input: '[1]' })).toMatchObject({ code: 0, out: '{"input":[1]}\n' })
  })

  test.each([
    [['run'], 'Usage: bounty run'],
    [['run', 'x'], '--input is missing; it must name a file with JSON'],
    [['run', 'x', '--input', '-', '--tier', 'gold'], '--tier is "gold"; must be one of basic, standard, premium, enterprise'],
    [['run', 'x', '--input', '-', '--seed', '-1'], "'--seed"],
    [['run', 'x', '--input', '-', '--seed', '1.5'], '--seed is "1.5"; must be a whole number of 0 to'],
    [['run', 'x', '--input', '-', '--start-time', 'now'], '--start-time is "now"; must be an instant in UTC'],
    [['run', 'x', '--input', '-', '--version', '0'], '--version is "0"; must be a whole number from 1'],
    [['run', 'x', '--input', 'missing.json'], 'missing.json cannot be read'],
  ])('%j is wrong use', async (args, message) => {
    expect(await ask(args, { input: '1' })).toMatchObject({ code: 2, out: '', err: expect.stringContaining(message) })
  })

  test('an agent that there is not, and an input that is no JSON, fail', async () => {
    expect(await ask(['run', 'nobody', '--input', '-'], { input: '1' })).toMatchObject({
      code: 1,
      err: expect.stringContaining('no agent named "nobody"'),
    })
    expect(await ask(['run', 'nobody', '--input', '-'], { input: '{' })).toMatchObject({
      code: 1,
      err: expect.stringContaining('standard input is not JSON'),
    })
  })
})
