// The topics of the event log on a broker: made once, found there afterwards.
import { Admin } from '@platformatic/kafka'
import { announcementTopics, workTopics } from '../shared/event-log.ts'

/** So many hosts may share the work, and more wait for one to leave. */
const partitions = 12

/** @returns names of those that were not there. */
export async function createTopics(brokers: string, { prefix = '' }: { prefix?: string } = {}): Promise<string[]> {
  const admin = new Admin({ clientId: 'topics', bootstrapBrokers: [brokers], retries: 5, retryDelay: 500 })
  try {
    const known = new Set(await admin.listTopics({}))
    const missing = [...workTopics, ...announcementTopics].map((name) => prefix + name).filter((name) => !known.has(name))
    if (missing.length > 0) await admin.createTopics({ topics: missing, partitions, replicas: 1 })
    return missing
  } finally {
    await admin.close().catch(() => {})
  }
}
