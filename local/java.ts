// The Java that runs the Kafka broker, found as other programs find it: JAVA_HOME, then PATH.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { MissingToolError } from './missing-tool-error.ts'

/** https://kafka.apache.org/documentation/#java: what a broker of version 4 needs. */
const majorMin = 17
const advice = `Kafka needs Java ${majorMin} or newer: install one (Debian: apt install openjdk-17-jre-headless), or set JAVA_HOME.`

/** @returns the command. @throws MissingToolError when there is no Java, or only an older one */
export async function findJava(environment: Record<string, string | undefined> = process.env): Promise<string> {
  const home = environment['JAVA_HOME']
  const java = home ? join(home, 'bin', 'java') : 'java'
  let said: string
  try {
    const { stdout, stderr } = await promisify(execFile)(java, ['-version'], {
      env: { PATH: environment['PATH'] ?? '' },
      timeout: 20_000,
    })
    said = stderr || stdout
  } catch (cause) {
    throw new MissingToolError(`cannot run ${java}. ${advice}`, { cause })
  }
  const version = javaVersion(said)
  if (version === undefined || version < majorMin) {
    throw new MissingToolError(`${java} is Java ${version ?? 'of an unknown version'}. ${advice}`)
  }
  return java
}

/** Of `java -version`; "1.8.0_392" is Java 8. */
export function javaVersion(said: string): number | undefined {
  const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(said) ?? []
  if (first === undefined) return undefined
  return first === '1' && second !== undefined ? Number(second) : Number(first)
}
