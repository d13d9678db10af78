// The cloud that a storm goes over: the real local one, in a directory of its own, with a link that can go wrong between its parts.
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventLogName } from '../../local/kafka-parts.ts'
import { startStack, type LinkName, type Stack } from '../../local/stack.ts'
import { tiers } from '../../shared/tiers.ts'
import { openFaultyLink, type FaultyLink } from './faulty-link.ts'
import { redeliverFromKafka, type Redelivery } from './redeliver-kafka.ts'
import { openWeather, type Weather } from './weather.ts'

export type StormCloud = {
  stack: Stack
  links: ReadonlyMap<LinkName, FaultyLink>
  localDir: string
  weather: Weather
  redelivery: Redelivery
}

/** The least that the host takes: large artifacts fill it when the bucket is away. */
const journalBytesMax = 8 * 1024 * 1024

/** No host of a storm offers it: what asks for it and waits for nothing fails, and leaves a dead letter. */
export const doomedTier = 'enterprise'
const tierBytesMax = tiers.premium.memoryBytesMax

export async function withStormCloud<T>(
  {
    hosts = 1,
    eventLog,
    report,
    isKept,
  }: { hosts?: number; eventLog: EventLogName; report: (line: string) => void; isKept: (result: T) => boolean },
  use: (cloud: StormCloud) => Promise<T>,
): Promise<T> {
  const localDir = await mkdtemp(join(tmpdir(), 'bounty-chaos-'))
  // postgres runs as another user when this runs as root
  await chmod(localDir, 0o755)
  const links = new Map<LinkName, FaultyLink>()
  const weather = await openWeather(join(localDir, 'weather'))
  // Whoever looks into what went wrong has nothing else.
  let keep = true
  try {
    process.env['JOURNAL_BYTES_MAX'] ??= String(journalBytesMax)
    process.env['TIER_BYTES_MAX'] = String(tierBytesMax)
    const stack = await startStack({
      localDir,
      edgePort: 0,
      directPort: 0,
      hostPort: 0,
      hosts,
      eventLog,
      between: weather.between,
      report,
      link: async (name, port) => {
        const link = await openFaultyLink(port)
        links.set(name, link)
        return link.port
      },
    })
    try {
      const redelivery = stack.kafka ? redeliverFromKafka(stack.kafka.gateway) : weather
      const result = await use({ stack, links, localDir, weather, redelivery })
      keep = isKept(result)
      return result
    } finally {
      await stack.stop()
    }
  } finally {
    await Promise.all([weather.close(), ...[...links.values()].map((link) => link.close())])
    if (keep) console.log(`logs and data are kept in ${localDir}`)
    else await rm(localDir, { recursive: true, force: true })
  }
}
