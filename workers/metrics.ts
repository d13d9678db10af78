// Prometheus text: what the host counts, how much there is in the database, and what this isolate did. Collected at most every 5 s; a part
// that does not answer is 0 in `bounty_up`, and the rest is shown all the same.
import { Collapse } from './collapse.ts'
import { MemoryCache } from './memory-cache.ts'
import type { Services } from './services.ts'

const collectedMs = 5_000

export function createMetrics({ sandbox, gauges, counters, now }: Services): () => Promise<string> {
  const collected = new MemoryCache<string>({ entriesMax: 1, lifetimeMs: collectedMs, now })
  const collapse = new Collapse<string>()

  async function collect(): Promise<string> {
    const [host, counts] = await Promise.all([sandbox.metrics().catch(() => undefined), gauges.counts().catch(() => undefined)])
    const text = [
      '# HELP bounty_up Whether a part answered when it was asked for its metrics.',
      '# TYPE bounty_up gauge',
      `bounty_up{part="sandbox"} ${host === undefined ? 0 : 1}`,
      `bounty_up{part="database"} ${counts === undefined ? 0 : 1}`,
      ...Object.entries(counts ?? {}).flatMap(([name, value]) => [
        `# HELP bounty_database_${name} Rows in the database.`,
        `# TYPE bounty_database_${name} gauge`,
        `bounty_database_${name} ${value}`,
      ]),
      (host ?? '').trimEnd(),
    ].join('\n')
    collected.set('all', text)
    return text
  }

  return async () => {
    const text = collected.get('all') ?? (await collapse.load('all', collect))
    return `${text}\n${counters.text()}\n`
  }
}
