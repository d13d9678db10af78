// Rules of the tree that no type checker sees: which folder may import which, and how files are named. The rule is the test's name.
import { readFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { basename, dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' })
  .split('\n')
  .filter(Boolean)
const sources = files.filter(
  (file) => /\.(ts|tsx|mjs)$/.test(file) && /^(shared|client|workers|sandbox-host|kafka-gateway|local|bench|cli|scripts|test)\//.test(file),
)
const edges = sources.flatMap((file) => importsOf(file).map((target) => ({ file, target })))

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] ?? '')
  return specifiers.map((specifier) => (specifier.startsWith('.') ? normalize(join(dirname(file), specifier)) : specifier))
}

function offenders(from: RegExp, allowed: (target: string, file: string) => boolean): string[] {
  return edges.filter(({ file, target }) => from.test(file) && !allowed(target, file)).map(({ file, target }) => `${file} -> ${target}`)
}

test('shared imports itself and the schema library, nothing else', () => {
  expect(offenders(/^shared\//, (target) => target.startsWith('shared/') || target === 'zod')).toEqual([])
})

test('shared uses no clock, environment, randomness or input/output', () => {
  const impure = /\b(process\.|Date\.now\(|new Date\(\)|Math\.random|fetch\(|console\.|setTimeout|crypto\.)/
  const code = (file: string) => readFileSync(file, 'utf8').replaceAll(/\/\/.*|\/\*[\s\S]*?\*\//g, '')
  expect(sources.filter((file) => file.startsWith('shared/') && impure.test(code(file)))).toEqual([])
})

test('client imports itself and types of shared: it goes where there is only the web', () => {
  expect(offenders(/^client\//, (target) => /^(client|shared)\//.test(target))).toEqual([])
  const node = /\b(process\.|Buffer\b|require\(|import\.meta)|^import (?!type).*shared\//m
  expect(sources.filter((file) => file.startsWith('client/') && node.test(readFileSync(file, 'utf8')))).toEqual([])
})

test('workers import shared and packages, never another folder nor Node, but for what `nodejs_als` in wrangler.toml gives', () => {
  const own = /^(workers|shared)\/|^node:async_hooks$/
  expect(
    offenders(/^workers\//, (target) => own.test(target) || (!/^[a-z-]+\/.*\.ts$/.test(target) && !target.startsWith('node:'))),
  ).toEqual([])
})

test("workers keep Hono's context in no asynchronous storage: workerd would never free it (request-scope.ts)", () => {
  expect(offenders(/^workers\//, (target) => target !== 'hono/context-storage')).toEqual([])
})

test('sandbox-host imports shared and packages, never another folder', () => {
  const foreign = /^(client|workers|local|cli|bench|test)\//
  expect(offenders(/^sandbox-host\//, (target) => !foreign.test(target))).toEqual([])
})

test('kafka-gateway imports itself and packages, and nothing imports it but tests', () => {
  const foreign = /^(shared|workers|sandbox-host|local|cli|bench|test)\//
  expect(offenders(/^kafka-gateway\//, (target) => !foreign.test(target))).toEqual([])
  expect(offenders(/^(?!kafka-gateway\/|test\/)/, (target) => !target.startsWith('kafka-gateway/'))).toEqual([])
})

test('nothing that ships imports tests or benchmarks', () => {
  expect(offenders(/^(shared|client|workers|sandbox-host|kafka-gateway|local|cli)\//, (target) => !/^(test|bench)\//.test(target))).toEqual(
    [],
  )
})

test('what Node runs as it is imports no pages: it cannot read tsx', () => {
  expect(offenders(/^(local|bench|cli|sandbox-host)\//, (target) => !/^workers\/(pages\/|app\.ts|index\.ts)/.test(target))).toEqual([])
})

test('files are named in kebab-case after a subject', () => {
  const vague = /^(utils?|types|common|helpers?|misc|index)\.(ts|tsx)$/
  const kebab = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|contract|config|d))?\.(ts|tsx|mjs)$/
  // workers/index.ts is the entry that wrangler names.
  expect(sources.filter((file) => file !== 'workers/index.ts' && (vague.test(basename(file)) || !kebab.test(basename(file))))).toEqual([])
})

test('files stay short enough to have one subject', () => {
  // client/calls.ts is made by a machine.
  expect(sources.filter((file) => file !== 'client/calls.ts' && readFileSync(file, 'utf8').split('\n').length > 400)).toEqual([])
})

test('the tree carries no machine paths and no secrets', () => {
  const texts = files.filter((file) => /\.(ts|tsx|mjs|json|md|toml|rs|sql|js|yml)$/.test(file) && file !== 'test/tidy.test.ts')
  const leaky = /\/(?:root|home\/[a-z]+)\/|artifactory|-----BEGIN [A-Z ]*PRIVATE KEY/
  expect(texts.filter((file) => leaky.test(readFileSync(file, 'utf8')))).toEqual([])
})
