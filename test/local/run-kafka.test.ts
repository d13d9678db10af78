// What `npm run kafka` says where it cannot run; that it runs is in test/kafka.
import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { javaVersion } from '../../local/java.ts'
import { checkJars, parseHashes } from '../../local/kafka-jars.ts'

const directory = mkdtempSync(join(tmpdir(), 'bounty-java-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function runKafka(args: string[], env: Record<string, string> = {}): Promise<{ code: number; said: string }> {
  const options = { env: { PATH: '/nowhere', HOME: directory, LOCAL_DIR: directory, XDG_CACHE_HOME: join(directory, 'cache'), ...env } }
  return new Promise((resolve) => {
    execFile('node_modules/node/bin/node', ['local/run-kafka.ts', ...args], options, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, said: stdout + stderr })
    })
  })
}

/** A `java` that says it is of that version. */
function javaHome(version: string): string {
  const home = join(directory, `java-${version}`)
  mkdirSync(join(home, 'bin'), { recursive: true })
  const path = join(home, 'bin', 'java')
  writeFileSync(path, `#!/bin/sh\necho 'openjdk version "${version}" 2024-01-16' >&2\n`)
  chmodSync(path, 0o755)
  return home
}

test('--help says what it needs, with code 0', async () => {
  expect(await runKafka(['--help'])).toMatchObject({ code: 0, said: expect.stringContaining('Java 17') })
})

test.each([['--port', '65536'], ['--port', 'x'], ['--nonsense']])('wrong options have code 2: %s', async (...args) => {
  expect(await runKafka(args.filter(Boolean))).toMatchObject({ code: 2, said: expect.stringContaining('npm run kafka') })
})

test('without Java, with one that is too old, and without Maven it says what to install, with code 3', async () => {
  expect(await runKafka([])).toMatchObject({ code: 3, said: expect.stringMatching(/cannot run java\. Kafka needs Java 17 or newer/) })
  const old = await runKafka([], { JAVA_HOME: javaHome('11.0.2') })
  expect(old).toMatchObject({ code: 3, said: expect.stringMatching(/is Java 11\. Kafka needs Java 17 or newer/) })
  const recent = await runKafka(['--fetch'], { JAVA_HOME: javaHome('21.0.1'), PATH: '/bin/nowhere' })
  expect(recent).toMatchObject({ code: 3, said: expect.stringMatching(/fetched with Maven, which is not here/) })
})

test.each([
  ['openjdk version "17.0.15" 2025-04-15', 17],
  ['java version "1.8.0_392"', 8],
  ['openjdk version "24" 2025-03-18', 24],
  ['something else', undefined],
])('%s is Java %s', (said, version) => {
  expect(javaVersion(said)).toBe(version)
})

test('a jar that is missing, changed or not listed is refused by name', () => {
  const folder = mkdtempSync(join(directory, 'jars-'))
  // printf %s one | sha256sum
  const hashes = parseHashes('7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed  one.jar\n')
  expect(() => checkJars(folder, hashes)).toThrow('Maven did not bring one.jar')
  writeFileSync(join(folder, 'one.jar'), 'one')
  checkJars(folder, hashes)
  writeFileSync(join(folder, 'two.jar'), 'two')
  expect(() => checkJars(folder, hashes)).toThrow(/two\.jar has SHA-256 .* wants no such file/)
  rmSync(join(folder, 'two.jar'))
  writeFileSync(join(folder, 'one.jar'), 'One')
  expect(() => checkJars(folder, hashes)).toThrow(/one\.jar has SHA-256 .* wants 7692c3ad/)
  expect(() => parseHashes('abc one.jar')).toThrow('no line of sha256sum')
})
