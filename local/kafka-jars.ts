// Apache Kafka from Maven Central, once per machine: Maven fetches what kafka/pom.xml names (through the mirrors and proxies that this
// user has set), every file must have the hash that kafka/jars.sha256 gives it, and the folder goes into the user's cache.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cacheDirectory } from './engine-cargo.mjs'
import { makeDirectory } from './make-directory.mjs'
import { MissingToolError } from './missing-tool-error.ts'

const home = fileURLToPath(new URL('kafka/', import.meta.url))
const copyDependencies = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'
/** 45 MB; a slow line has ten minutes. */
const fetchMsMax = 600_000

/** Name to SHA-256. */
export type JarHashes = ReadonlyMap<string, string>

/** @returns the folder of the jars. @throws MissingToolError when Maven is absent or reaches no repository */
export async function kafkaJars(report: (line: string) => void = () => {}): Promise<string> {
  const lock = readFileSync(join(home, 'jars.sha256'), 'utf8')
  const key = createHash('sha256').update(lock).digest('hex').slice(0, 32)
  const kept = join(cacheDirectory(), `kafka-${key}`)
  if (existsSync(kept)) return kept
  report('fetching Apache Kafka with Maven (45 MB, once) …')
  makeDirectory(cacheDirectory())
  const draft = mkdtempSync(`${kept}.part-`)
  try {
    await copyJars(draft)
    checkJars(draft, parseHashes(lock))
    renameSync(draft, kept)
  } catch (error) {
    // Another start was faster; its folder has passed the same check.
    if (!existsSync(kept)) throw error
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
  return kept
}

async function copyJars(folder: string): Promise<void> {
  // Strict checksums: a file that does not match what the repository says of it fails here already.
  const options = ['--batch-mode', '--no-transfer-progress', '--quiet', '--strict-checksums', '-DincludeScope=runtime']
  try {
    await promisify(execFile)('mvn', [...options, copyDependencies, `-DoutputDirectory=${folder}`], { cwd: home, timeout: fetchMsMax })
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') {
      const message = 'Apache Kafka is fetched with Maven, which is not here: install it (Debian: apt install maven) and try again.'
      throw new MissingToolError(message, { cause })
    }
    const said = cause instanceof Error && 'stdout' in cause ? String(cause.stdout) : ''
    const reason = said.split('\n').find((line) => line.includes('ERROR')) ?? String(cause)
    throw new MissingToolError(`Maven cannot fetch Apache Kafka: ${reason.trim()}`, { cause })
  }
}

export function parseHashes(lock: string): JarHashes {
  const rows = lock.trim().split('\n')
  return new Map(
    rows.map((row) => {
      const [, hash, name] = /^([0-9a-f]{64}) {2}([\w.-]+\.jar)$/.exec(row) ?? []
      if (hash === undefined || name === undefined) throw new Error(`kafka/jars.sha256: ${JSON.stringify(row)} is no line of sha256sum`)
      return [name, hash]
    }),
  )
}

/** Exactly these jars and no others. */
export function checkJars(folder: string, hashes: JarHashes): void {
  const found = readdirSync(folder)
  const missing = [...hashes.keys()].filter((name) => !found.includes(name))
  if (missing.length > 0) throw new Error(`Maven did not bring ${missing.join(', ')}`)
  for (const name of found) {
    const hash = createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex')
    if (hashes.get(name) !== hash)
      throw new Error(`${name} has SHA-256 ${hash}; kafka/jars.sha256 wants ${hashes.get(name) ?? 'no such file'}`)
  }
}
