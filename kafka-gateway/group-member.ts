// One consumer instance: a member of a consumer group that lives between requests. It holds no messages; a request reads from the member's
// positions, and these move when the answer has left. Whatever goes wrong before that, or before a commit, is read again: at least once.
import { findErrorBy, ListOffsetTimestamps, type Consumer } from '@platformatic/kafka'
import { GatewayError } from './gateway-error.ts'
import type { Log } from './log.ts'
import type { Position, ReadRecord, RecordReader } from './record-reader.ts'
import type { resets, TopicPartitionOffset } from './requests.ts'

export type MemberSettings = { topics: string[]; isAutoCommit: boolean; autoCommitMs: number; reset: (typeof resets)[number] }
/** `settle` is called once, with whether the records have reached the caller's side of the wire; the next poll waits for it. */
export type Delivery = { records: ReadRecord[]; settle: (isDelivered: boolean) => void }
export type Assignment = { topic: string; partitions: number[] }

type Mark = Position & { leaderEpoch: number }

/** A read that waits longer would answer to a rebalance late. */
const readWaitMsMax = 1_000
/** A heartbeat may just be rejoining; then there is nothing to do but wait for it. */
const rejoinGraceMs = 500
const joinPauseMs = 50

const keyOf = ({ topic, partition }: { topic: string; partition: number }) => `${topic}:${partition}`

export type GroupMemberOptions = { consumer: Consumer; reader: RecordReader; settings: MemberSettings; log: Log; now: () => number }

export class GroupMember {
  readonly #consumer: Consumer
  readonly #reader: RecordReader
  readonly #log: Log
  readonly #now: () => number
  #settings: MemberSettings
  /** Where the next poll reads; of assigned partitions alone. */
  #positions = new Map<string, Mark>()
  /** Delivered and not committed. */
  #uncommitted = new Map<string, Mark>()
  /** What the records of the poll under way move the positions to. */
  readonly #pending = new Map<string, Mark>()
  #member: { id: string; generation: number } | undefined
  #joining: Promise<unknown> | undefined
  /** One poll after the other. */
  #turn: Promise<void> = Promise.resolve()
  #committedAt: number
  #usedAt: number
  #polls = 0

  constructor({ consumer, reader, settings, log, now }: GroupMemberOptions) {
    this.#consumer = consumer
    this.#reader = reader
    this.#settings = settings
    this.#log = log
    this.#now = now
    this.#committedAt = now()
    this.#usedAt = now()
    consumer.topics.trackAll(...settings.topics)
    consumer.on('consumer:group:join', ({ memberId, generationId = 0, assignments = [] }) => {
      this.#onJoin({ id: memberId, generation: generationId, assignments })
    })
    // The rejoin that failed is tried again by the next poll.
    consumer.on('error', (error: Error) => log.warn({ err: error, group: consumer.groupId }, 'a consumer instance lost its group'))
  }

  get idleMs(): number {
    return this.#polls > 0 ? 0 : this.#now() - this.#usedAt
  }

  get assignments(): Assignment[] {
    const byTopic = Map.groupBy(this.#assigned(), ({ topic }) => topic)
    return [...byTopic].map(([topic, partitions]) => ({
      topic,
      partitions: partitions.map(({ partition }) => partition).toSorted((a, b) => a - b),
    }))
  }

  /** Resolves to no records when none came in time, which includes a group that is still sorting itself out. */
  async poll(settings: MemberSettings, waitMs: number): Promise<Delivery> {
    const deadline = this.#now() + waitMs
    this.#polls++
    const { promise: over, resolve: end } = Promise.withResolvers<void>()
    const before = this.#turn
    this.#turn = before.then(() => over)
    const finish = () => {
      this.#polls--
      this.#usedAt = this.#now()
      end()
    }
    try {
      if (!(await within(before, deadline - this.#now()))) {
        finish()
        return nothing
      }
      await this.#configure(settings)
      await this.commitIfDue()
      while (true) {
        const found = (await this.#join(deadline)) ? await this.#read(deadline) : []
        if (found.length > 0) {
          const epoch = this.#member
          return {
            records: found,
            settle: (isDelivered) => {
              // After a new division of the group the positions are no longer these.
              if (isDelivered && epoch === this.#member) this.#advance(true)
              else this.#pending.clear()
              finish()
            },
          }
        }
        if (this.#now() >= deadline) break
      }
      finish()
      return nothing
    } catch (error) {
      finish()
      throw error
    }
  }

  /** All that was delivered, or up to the given offsets, which are those to be read next. @throws GatewayError 409 */
  async commit(offsets?: TopicPartitionOffset[]): Promise<void> {
    this.#usedAt = this.#now()
    const assigned = new Set(this.#assigned().map(keyOf))
    const foreign = offsets?.find((offset) => !assigned.has(keyOf(offset)))
    if (foreign) {
      throw new GatewayError(
        409,
        `partition ${foreign.partition} of topic ${foreign.topic} is not assigned to this instance; consume again`,
      )
    }
    const marks: Mark[] = offsets
      ? offsets.map(({ topic, partition, offset }) => ({ topic, partition, offset: BigInt(offset), leaderEpoch: -1 }))
      : [...this.#uncommitted.values()].filter((mark) => assigned.has(keyOf(mark)))
    this.#committedAt = this.#now()
    if (marks.length === 0) return
    await this.#consumer.commit({ offsets: marks })
    for (const mark of marks) {
      const open = this.#uncommitted.get(keyOf(mark))
      if (open !== undefined && open.offset <= mark.offset) this.#uncommitted.delete(keyOf(mark))
    }
  }

  async commitIfDue(): Promise<void> {
    const { isAutoCommit, autoCommitMs } = this.#settings
    if (!isAutoCommit || this.#uncommitted.size === 0 || this.#now() - this.#committedAt < autoCommitMs) return
    const usedAt = this.#usedAt
    // It stays uncommitted and is tried again; a poll that follows must not fail for it.
    await this.commit().catch((error: unknown) => this.#log.warn({ err: error, group: this.#consumer.groupId }, 'auto-commit failed'))
    this.#usedAt = usedAt
  }

  /** Commits what auto-commit owes, and gives the partitions to the others of the group at once. May be tried again when it fails. */
  async leave(): Promise<void> {
    if (this.#settings.isAutoCommit) await this.commit().catch(() => {})
    await this.#joining?.catch(() => {})
    await this.#consumer.close(true)
  }

  async #configure(settings: MemberSettings): Promise<void> {
    const before = this.#settings.topics
    const isSame = before.length === settings.topics.length && before.every((topic) => settings.topics.includes(topic))
    if (!isSame && this.#settings.isAutoCommit) await this.commit()
    this.#settings = settings
    if (isSame) return
    this.#consumer.topics.untrackAll(...before)
    this.#consumer.topics.trackAll(...settings.topics)
    // The group learns of it by a join; until then nothing is read.
    this.#member = undefined
    this.#positions.clear()
  }

  async #join(deadline: number): Promise<boolean> {
    const isIn = () => this.#member !== undefined && this.#consumer.isActive()
    if (isIn()) return true
    if (this.#member !== undefined) {
      await pause(Math.min(rejoinGraceMs, deadline - this.#now()))
      if (isIn()) return true
    }
    this.#joining ??= this.#consumer.joinGroup({}).finally(() => {
      this.#joining = undefined
    })
    // Whoever polls next takes it up.
    this.#joining.catch(() => {})
    if ((await within(this.#joining, deadline - this.#now())) && isIn()) return true
    // Joined and divided anew at once: not to be asked for without a pause.
    await pause(Math.min(joinPauseMs, deadline - this.#now()))
    return isIn()
  }

  #onJoin({ id, generation, assignments }: { id: string; generation: number; assignments: Assignment[] }): void {
    // Whoever was in every generation kept what it was assigned twice; otherwise somebody else may have gone on from there.
    const isUnbroken = this.#member?.id === id && generation === this.#member.generation + 1
    const kept = isUnbroken ? this.#positions : new Map<string, Mark>()
    const keys = new Set(assignments.flatMap(({ topic, partitions }) => partitions.map((partition) => keyOf({ topic, partition }))))
    this.#positions = new Map([...kept].filter(([key]) => keys.has(key)))
    this.#uncommitted = new Map([...this.#uncommitted].filter(([key]) => this.#positions.has(key)))
    this.#member = { id, generation }
  }

  #assigned(): { topic: string; partition: number }[] {
    if (this.#member === undefined) return []
    return (this.#consumer.assignments ?? []).flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })))
  }

  async #read(deadline: number): Promise<ReadRecord[]> {
    const epoch = this.#member
    await this.#findPositions()
    const positions = [...this.#positions.values()]
    const waitMs = Math.max(0, Math.min(readWaitMsMax, deadline - this.#now()))
    if (positions.length === 0) {
      // More members than partitions, or a group that is just being divided anew.
      await pause(waitMs)
      return []
    }
    try {
      const { records, next } = await this.#reader.read(positions, waitMs)
      // Divided anew meanwhile: it is read by whom it belongs to now.
      if (epoch !== this.#member) return []
      for (const mark of next) this.#pending.set(keyOf(mark), mark)
      if (records.length === 0) this.#advance(false)
      return records
    } catch (error) {
      if (!(error instanceof Error) || findErrorBy(error, 'apiId', 'OFFSET_OUT_OF_RANGE') === null) throw error
      await this.#leaveGaps()
      return []
    }
  }

  #advance(isDelivery: boolean): void {
    for (const [key, mark] of this.#pending) {
      this.#positions.set(key, mark)
      if (isDelivery) this.#uncommitted.set(key, mark)
    }
    this.#pending.clear()
  }

  async #findPositions(): Promise<void> {
    const missing = this.#assigned().filter((partition) => !this.#positions.has(keyOf(partition)))
    if (missing.length === 0) return
    const epoch = this.#member
    const topics = [...Map.groupBy(missing, ({ topic }) => topic)].map(([topic, list]) => ({
      topic,
      partitions: list.map(({ partition }) => partition),
    }))
    const committed = await this.#consumer.listCommittedOffsets({ topics })
    const fresh = missing.filter(({ topic, partition }) => (committed.get(topic)?.[partition] ?? -1n) < 0n)
    const starts = await this.#starts(fresh)
    if (epoch !== this.#member) return
    for (const { topic, partition } of missing) {
      const known = committed.get(topic)?.[partition] ?? -1n
      const offset = known >= 0n ? known : starts.get(keyOf({ topic, partition }))
      if (offset !== undefined) this.#positions.set(keyOf({ topic, partition }), { topic, partition, offset, leaderEpoch: -1 })
    }
  }

  /** @throws GatewayError 409 where the caller wants no start without a commit */
  async #starts(partitions: { topic: string; partition: number }[]): Promise<Map<string, bigint>> {
    const { reset } = this.#settings
    if (partitions.length === 0) return new Map()
    if (reset === 'none') {
      const [first] = partitions
      throw new GatewayError(409, `the group has no committed offset for partition ${first?.partition} of topic ${first?.topic}`)
    }
    return this.#bounds(partitions, reset === 'earliest' ? ListOffsetTimestamps.EARLIEST : ListOffsetTimestamps.LATEST)
  }

  async #bounds(partitions: { topic: string; partition: number }[], timestamp: bigint): Promise<Map<string, bigint>> {
    const byTopic = Map.groupBy(partitions, ({ topic }) => topic)
    const wanted = [...byTopic].map(([topic, list]) => [topic, list.map(({ partition }) => partition)] as const)
    const offsets = await this.#consumer.listOffsets({ topics: [...byTopic.keys()], partitions: Object.fromEntries(wanted), timestamp })
    const found = partitions.map((partition) => [keyOf(partition), offsets.get(partition.topic)?.[partition.partition]] as const)
    return new Map(found.flatMap(([key, offset]) => (offset === undefined ? [] : [[key, offset] as const])))
  }

  /** Positions that retention has overtaken, or that lie behind the end, begin anew as the caller wants it. */
  async #leaveGaps(): Promise<void> {
    const positions = [...this.#positions.values()]
    const [earliest, latest] = await Promise.all([
      this.#bounds(positions, ListOffsetTimestamps.EARLIEST),
      this.#bounds(positions, ListOffsetTimestamps.LATEST),
    ])
    const lost = positions.filter((position) => {
      const key = keyOf(position)
      return position.offset < (earliest.get(key) ?? 0n) || position.offset > (latest.get(key) ?? position.offset)
    })
    const starts = await this.#starts(lost)
    for (const position of lost) {
      const offset = starts.get(keyOf(position))
      if (offset !== undefined) this.#positions.set(keyOf(position), { ...position, offset })
    }
  }
}

const nothing: Delivery = { records: [], settle: () => {} }

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)))
}

/** @returns false when it took longer; its failure is the caller's */
async function within(work: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>()
  const timer = setTimeout(resolve, Math.max(0, ms), false)
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
