// Which offsets of each partition are being handled and which are done, to know up to where a commit is true: messages end in any order, and
// a commit speaks for everything before it.
export type Mark = { topic: string; partition: number; offset: bigint; leaderEpoch: number }

type Partition = { underWay: Map<bigint, { isDone: boolean }>; next: Mark | undefined; committed: bigint }

export class OffsetLedger {
  readonly #partitions = new Map<string, Partition>()

  /** @returns false for one that was begun before: it is under way, or done */
  begin({ topic, partition, offset, leaderEpoch }: Mark): boolean {
    const key = `${topic}:${partition}`
    const known = this.#partitions.get(key) ?? { underWay: new Map(), next: undefined, committed: -1n }
    this.#partitions.set(key, known)
    if (known.underWay.has(offset) || (known.next !== undefined && offset < known.next.offset)) return false
    known.underWay.set(offset, { isDone: false })
    known.next ??= { topic, partition, offset, leaderEpoch }
    known.next.leaderEpoch = leaderEpoch
    return true
  }

  end({ topic, partition, offset }: Omit<Mark, 'leaderEpoch'>): void {
    const known = this.#partitions.get(`${topic}:${partition}`)
    const own = known?.underWay.get(offset)
    if (known?.next === undefined || own === undefined) return
    own.isDone = true
    // A Map keeps the order in which they were begun, which is that of the offsets.
    for (const [begun, { isDone }] of known.underWay) {
      if (!isDone) break
      known.underWay.delete(begun)
      known.next = { ...known.next, offset: begun + 1n }
    }
  }

  /** What there is to commit, as the offsets to be read next. */
  due(isOwn: (key: string) => boolean): Mark[] {
    return [...this.#partitions].flatMap(([key, { next, committed }]) => (next && next.offset > committed && isOwn(key) ? [next] : []))
  }

  committed(marks: Mark[]): void {
    for (const { topic, partition, offset } of marks) {
      const known = this.#partitions.get(`${topic}:${partition}`)
      if (known !== undefined && known.committed < offset) known.committed = offset
    }
  }
}
