// One real broker for all files of this suite, in a directory of its own.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { startKafka } from '../../local/start-kafka.ts'

declare module 'vitest' {
  interface ProvidedContext {
    brokers: string
  }
}

export default async function setup(project: TestProject) {
  const directory = mkdtempSync(join(tmpdir(), 'bounty-kafka-'))
  const kafka = await startKafka({ home: join(directory, 'kafka'), port: 0, report: (line) => console.log(`  ${line}`) })
  project.provide('brokers', kafka.brokers)
  return async () => {
    await kafka.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}
