// The topics of the event log on a broker: made once, found there afterwards.
import { Admin } from '@platformatic/kafka'
import { announcementTopics, workTopics } from '../shared/event-log.ts'

/** So many hosts may share the work, and more wait for one to leave. */
const partitions = 12

/** @returns names of those that were not there. */
export async function createTopics(brokers: string, { prefix = '' }: { prefix?: string } = {}): Promise<string[]> {
  const admin = new Admin({ clientId: 'topics', bootstrapBrokers: [brokers], retries: 5, retryDelay: 500 })
  try {
    const wanted = [...workTopics, ...announcementTopics].map((name) => prefix + name)
    const absent = async () => {
      const known = new Set(await admin.listTopics({}))
      return wanted.filter((name) => !known.has(name))
    }
    const missing = await absent()
    if (missing.length > 0) await admin.createTopics({ topics: missing, partitions, replicas: 1 })
    // The broker answers when the controller has them, and knows them itself a moment later.
    for (let tries = 0; tries < 100 && (await absent()).length > 0; tries++) await new Promise((resolve) => setTimeout(resolve, 100))
    return missing
  } finally {
    await admin.close().catch(() => {})
  }
}
