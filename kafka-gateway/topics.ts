// Which topics there are and where their partitions live, as Kafka's client remembers it for some seconds.
import { findErrorBy, type Admin } from '@platformatic/kafka'
import { GatewayError } from './gateway-error.ts'
import type { TopicPartition } from './requests.ts'

export type Topic = { id: string; partitionsCount: number; leaders: number[] }

export class Topics {
  readonly #admin: Admin

  constructor(admin: Admin) {
    this.#admin = admin
  }

  /** @throws GatewayError 404 */
  async find(name: string): Promise<Topic> {
    try {
      // One retry: a topic that does not exist is no reason to wait.
      const { topics } = await this.#admin.metadata({ topics: [name], retries: 1 })
      const topic = topics.get(name)
      if (topic === undefined) throw new GatewayError(404, `topic ${name} does not exist`)
      return { id: topic.id, partitionsCount: topic.partitionsCount, leaders: topic.partitions.map(({ leader }) => leader) }
    } catch (error) {
      // The client's own word for a topic that the cluster does not know.
      if (error instanceof Error && findErrorBy(error, 'code', 'PLT_KFK_USER')) {
        throw new GatewayError(404, `topic ${name} does not exist`, { cause: error })
      }
      throw error
    }
  }

  /** @throws GatewayError 404 for the first that does not exist */
  async check(partitions: TopicPartition[]): Promise<void> {
    for (const name of new Set(partitions.map(({ topic }) => topic))) {
      const { partitionsCount } = await this.find(name)
      const beyond = partitions.find(({ topic, partition }) => topic === name && partition >= partitionsCount)
      if (beyond) throw new GatewayError(404, `topic ${name} has no partition ${beyond.partition}; its last is ${partitionsCount - 1}`)
    }
  }

  /** Name to number of partitions, without Kafka's own. */
  async list(): Promise<Record<string, number>> {
    const names = (await this.#admin.listTopics({})).filter((name) => !name.startsWith('__')).toSorted()
    if (names.length === 0) return {}
    const { topics } = await this.#admin.metadata({ topics: names })
    return Object.fromEntries(names.map((name) => [name, topics.get(name)?.partitionsCount ?? 0]))
  }
}
