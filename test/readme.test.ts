// What the documents tell to type exists, and what they link to is there.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bounty } from './cli/bounty.ts'

const root = join(import.meta.dirname, '..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const documents = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'bench/README.md']
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }

test.each(documents)('%s: every `npm run` is a script of package.json', (document) => {
  const named = [...read(document).matchAll(/npm run (?:--\S+ )*([\w:-]+)/g)].map(([, name]) => name ?? '')
  expect(named.filter((name) => scripts[name] === undefined)).toEqual([])
})

test.each(documents)('%s: every linked file exists', (document) => {
  const linked = [...read(document).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path]) => path ?? '')
  expect(linked.filter((path) => !existsSync(join(root, document, '..', path)))).toEqual([])
})

test('the commands of `bounty` are those that the README names, and have help', async () => {
  const { out } = await bounty(['--help'])
  const commands = [...out.matchAll(/^ {2}([a-z-]+) {2,}/gm)].map(([, name]) => name ?? '')
  expect(commands.length).toBeGreaterThan(5)
  const readme = read('README.md')
  expect(commands.filter((name) => !readme.includes(`\`${name}\``))).toEqual([])
  const typed = [...readme.matchAll(/npm run (?:--silent )?bounty -- ([a-z-]+)/g)].map(([, name]) => name ?? '')
  expect(typed.filter((name) => !commands.includes(name))).toEqual([])
})

test('files that scripts run exist', () => {
  const files = Object.values(scripts).flatMap((script) => [...script.matchAll(/\b((?:local|test|cli|bench)\/[\w/.-]+\.(?:ts|mjs))\b/g)])
  expect(files.map(([, file]) => file ?? '').filter((file) => !existsSync(join(root, file)))).toEqual([])
})
