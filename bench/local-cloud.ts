// A local cloud of its own for a measurement: temporary directory, free ports, gone afterwards.
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startStack, type StackOptions } from '../local/stack.ts'

export type LocalCloud = Awaited<ReturnType<typeof startStack>> & { localDir: string }

export async function withLocalCloud<T>(
  measure: (cloud: LocalCloud) => Promise<T>,
  options: Pick<StackOptions, 'link' | 'hosts'> = {},
): Promise<T> {
  const localDir = await mkdtemp(join(tmpdir(), 'bounty-bench-'))
  // postgres runs as another user when this runs as root
  await chmod(localDir, 0o755)
  try {
    const cloud = await startStack({ ...options, localDir, edgePort: 0, directPort: 0, hostPort: 0 })
    try {
      return await measure({ ...cloud, localDir })
    } finally {
      await cloud.stop()
    }
  } finally {
    await rm(localDir, { recursive: true, force: true })
  }
}
