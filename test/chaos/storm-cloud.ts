// The cloud that a storm goes over: the real local one, in a directory of its own, with a link that can go wrong between its parts.
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startStack, type LinkName, type Stack } from '../../local/stack.ts'
import { openFaultyLink, type FaultyLink } from './faulty-link.ts'

export type StormCloud = {
  stack: Stack
  links: ReadonlyMap<LinkName, FaultyLink>
  localDir: string
}

/** The least that the host takes: large artifacts fill it when the bucket is away. */
const journalBytesMax = 8 * 1024 * 1024

export async function withStormCloud<T>(
  { hosts = 1, report, isKept }: { hosts?: number; report: (line: string) => void; isKept: (result: T) => boolean },
  use: (cloud: StormCloud) => Promise<T>,
): Promise<T> {
  const localDir = await mkdtemp(join(tmpdir(), 'bounty-chaos-'))
  // postgres runs as another user when this runs as root
  await chmod(localDir, 0o755)
  const links = new Map<LinkName, FaultyLink>()
  let keep = false
  try {
    process.env['JOURNAL_BYTES_MAX'] ??= String(journalBytesMax)
    const stack = await startStack({
      localDir,
      edgePort: 0,
      directPort: 0,
      hostPort: 0,
      hosts,
      report,
      link: async (name, port) => {
        const link = await openFaultyLink(port)
        links.set(name, link)
        return link.port
      },
    })
    try {
      const result = await use({ stack, links, localDir })
      keep = isKept(result)
      return result
    } finally {
      await stack.stop()
    }
  } finally {
    await Promise.all([...links.values()].map((link) => link.close()))
    if (!keep) await rm(localDir, { recursive: true, force: true })
  }
}
