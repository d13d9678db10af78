// Starts the whole local cloud once for the end-to-end tests: its own directory, free ports, no demo. Every process is the real thing.
import { mkdtemp, rm, chmod } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { startStack } from '../../local/stack.ts'
import type { Stack } from '../../local/stack.ts'

export type StackAddress = Pick<Stack, 'baseUrl' | 'directUrl' | 'hostUrl' | 'adminKey' | 'demoKey' | 'neon' | 'upstash'> & {
  localDir: string
}

declare module 'vitest' {
  interface ProvidedContext {
    stack: StackAddress
  }
}

export default async function setup(project: TestProject) {
  const localDir = await mkdtemp(join(tmpdir(), 'bounty-e2e-'))
  // postgres runs as another user when the tests run as root, and must be able to reach its directory
  await chmod(localDir, 0o755)
  const stack = await startStack({ localDir, edgePort: 0, directPort: 0, hostPort: 0 })
  const { baseUrl, directUrl, hostUrl, adminKey, demoKey, neon, upstash } = stack
  project.provide('stack', { baseUrl, directUrl, hostUrl, adminKey, demoKey, neon, upstash, localDir })
  return async () => {
    await stack.stop()
    await rm(localDir, { recursive: true, force: true })
  }
}
