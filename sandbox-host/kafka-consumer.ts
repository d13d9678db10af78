// Takes messages from Kafka as a member of a consumer group, natively: each is handed to `handle`, several at once, and an offset is
// committed only when everything up to it has been handled. Whatever dies in between, a message comes again: at least once, so that `handle`
// must bear a message twice. A broker that is away is waited for.
//
//   stream ─▶ [ at most `underWayMax` being handled ] ─▶ handled, in the partition's order ─▶ commit
//      ▲ not read while that is full, or while the host is paused
import { Consumer, MessagesStreamFallbackModes, MessagesStreamModes } from '@platformatic/kafka'
import type { Message } from '@platformatic/kafka'
import { OffsetLedger } from './offset-ledger.ts'
import type { Log } from './log.ts'
import { retryDelayMs } from './retry-delay.ts'

export type TakenMessage = {
  topic: string
  partition: number
  offset: bigint
  key: string
  value: Buffer
  header: (name: string) => string | undefined
}
/** What tells a host from its brokers. */
export type KafkaAccess = {
  brokers: string[]
  isEncrypted?: boolean
  sasl?: { mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'; username: string; password: string }
}

export type KafkaConsumerOptions = KafkaAccess & {
  group: string
  topics: string[]
  /**
   * Rejects when it is to be asked again later; what can never be handled it puts aside itself.
   * @param draining aborted when nothing is to be begun any more
   */
  handle: (message: TakenMessage, draining: AbortSignal) => Promise<void>
  /** Messages being handled at once. */
  underWayMax: number
  log: Log
}

/** One read holds messages back that nobody handles yet; each is 64 KiB at most. */
const readBytesMax = 1024 * 1024
const commitEveryMs = 200
/** So long a drain waits for a membership that is just being entered. */
const joinMsMax = 2_000

export class KafkaConsumer {
  readonly #options: KafkaConsumerOptions
  readonly #underWay = new Set<Promise<void>>()
  #ledger = new OffsetLedger()
  readonly #draining = new AbortController()
  #isPaused = false
  #consumer: Consumer | undefined
  /** Settles when the membership that is being entered is entered, or not. */
  #joining: Promise<unknown> = Promise.resolve()
  /** Called when there may be room, or a reason to go on. */
  #wake = () => {}
  #done: Promise<void> = Promise.resolve()

  constructor(options: KafkaConsumerOptions) {
    this.#options = options
  }

  start(): void {
    this.#done = this.#run()
  }

  /** Takes nothing new until `resume`; what is under way goes on, and the partitions stay. */
  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.#wake()
  }

  /** Takes nothing new, waits for what is under way, commits it and leaves the group; after `ms` without what has not ended. */
  async drain(ms: number): Promise<void> {
    this.#draining.abort()
    this.#wake()
    await Promise.race([Promise.allSettled(this.#underWay), pause(ms)])
    // A client that is closed while its stream is being made ends the process: the stream's error has no listener yet.
    await Promise.race([this.#joining, pause(Math.min(ms, joinMsMax))])
    const consumer = this.#consumer
    if (consumer !== undefined) {
      await Promise.race([this.#commit(consumer).then(() => consumer.close(true)), pause(ms)]).catch((error: unknown) => {
        this.#options.log.warn({ err: error }, 'left the consumer group without a word; its messages come again')
      })
    }
    await Promise.race([this.#done, pause(1_000)])
  }

  /** Messages that were taken and are not handled yet. */
  get underWay(): number {
    return this.#underWay.size
  }

  get #isStopping(): boolean {
    return this.#draining.signal.aborted
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#isStopping; failures++) {
      const startedAt = performance.now()
      try {
        await this.#live()
      } catch (error) {
        if (this.#isStopping) return
        this.#options.log.warn({ err: error, group: this.#options.group }, 'the consumer lost its broker and begins again')
      }
      if (performance.now() - startedAt > 10_000) failures = 0
      if (!this.#isStopping) await pause(retryDelayMs(failures))
    }
  }

  /** One membership, until it breaks. */
  async #live(): Promise<void> {
    const { brokers, isEncrypted, sasl, group, topics } = this.#options
    const consumer = new Consumer({
      clientId: 'sandbox-host',
      bootstrapBrokers: brokers,
      groupId: group,
      ...(isEncrypted ? { tls: {} } : {}),
      ...(sasl ? { sasl } : {}),
      autocommit: false,
      // A host that was killed leaves its partitions to others after the session.
      sessionTimeout: 10_000,
      heartbeatInterval: 1_500,
      rebalanceTimeout: 15_000,
      maxWaitTime: 1_000,
      maxBytes: readBytesMax,
      highWaterMark: 1,
    })
    consumer.on('error', () => {})
    this.#consumer = consumer
    this.#ledger = new OffsetLedger()
    const committing = setInterval(() => void this.#commit(consumer).catch(() => {}), commitEveryMs)
    try {
      const { COMMITTED: mode } = MessagesStreamModes
      const joined = consumer.consume({ topics, mode, fallbackMode: MessagesStreamFallbackModes.EARLIEST }).then((stream) => {
        // Thrown by the loop below, too, while it runs.
        stream.on('error', () => {})
        return stream
      })
      this.#joining = joined.catch(() => {})
      const stream = await joined
      for await (const message of stream) {
        await this.#room()
        if (this.#isStopping) return
        this.#take(message)
      }
    } finally {
      clearInterval(committing)
      // While draining the membership lives on, for the last commit.
      if (!this.#isStopping) {
        this.#consumer = undefined
        await consumer.close(true).catch(() => {})
      }
    }
  }

  async #room(): Promise<void> {
    while (!this.#isStopping && (this.#isPaused || this.#underWay.size >= this.#options.underWayMax)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #take({ topic, partition, offset, leaderEpoch, key, value, headers }: Message): void {
    const ledger = this.#ledger
    // After a new division of the group the stream begins at what is committed, which is behind what is under way.
    if (!ledger.begin({ topic, partition, offset, leaderEpoch })) return
    const header = (name: string) => [...headers].find(([known]) => known.toString() === name)?.[1]?.toString()
    const message = { topic, partition, offset, key: key?.toString() ?? '', value: value ?? Buffer.alloc(0), header }
    const handled = this.#handle(message, () => ledger.end({ topic, partition, offset })).finally(() => {
      this.#underWay.delete(handled)
      this.#wake()
    })
    this.#underWay.add(handled)
  }

  /** Until it is handled, which `onHandled` tells, or the host drains. */
  async #handle(message: TakenMessage, onHandled: () => void): Promise<void> {
    for (let failures = 0; ; failures++) {
      try {
        await this.#options.handle(message, this.#draining.signal)
        onHandled()
        return
      } catch (error) {
        if (this.#isStopping) return
        this.#options.log.warn({ err: error, topic: message.topic, failures }, 'a message was not handled and is tried again')
        await pause(retryDelayMs(failures))
        if (this.#isStopping) return
      }
    }
  }

  async #commit(consumer: Consumer): Promise<void> {
    const assigned = new Set(
      (consumer.assignments ?? []).flatMap(({ topic, partitions }) => partitions.map((partition) => `${topic}:${partition}`)),
    )
    const due = this.#ledger.due((key) => assigned.has(key))
    if (due.length === 0) return
    await consumer.commit({ offsets: due })
    this.#ledger.committed(due)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)).unref())
}
