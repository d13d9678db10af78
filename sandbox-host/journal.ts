// Acknowledged means durable: a finished execution is in this append-only log, synced to disk, before it is answered. Appends that
// arrive while a sync runs share the next one (group commit). The log is cut into segments; a sealed segment is uploaded as one
// bundle and deleted once the bundle is in the bucket and every record in it is with the Worker.
//
//   append ─▶ waiting ─▶ commit: compose, write, fdatasync ─▶ answered
//                           │ 4 MiB or 1 s
//                           ▼
//   segment: open ─▶ sealed ─▶ uploaded ∧ acknowledged ─▶ (kept a moment for readers) ─▶ deleted
import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { ProblemError } from '../shared/problem.ts'
import { frameHeader, frameHeaderBytes, frameTypes } from './journal-frame.ts'
import { readProgress, writeProgress } from './journal-progress.ts'
import { recoverSegments } from './journal-recovery.ts'
import { Segment } from './journal-segment.ts'
import type { RecordPlace } from './journal-segment.ts'
import type { Log } from './log.ts'

const MiB = 1024 * 1024

export type JournalOptions = {
  directory: string
  host: string
  log: Log
  /** Bytes that may wait for the bucket before new executions are refused. */
  bytesMax: number
  /** Design: bundles of about 4 MiB or one second, whichever comes first. */
  segmentBytesMax?: number
  segmentAgeMsMax?: number
  /** A reader that just missed the bundle in the bucket still finds it here. */
  retainMs?: number
  now?: () => number
}

/** One execution to keep: its artifacts' bytes, and its record as JSON, made when the places of the artifacts are known. */
export type JournalEntry = { id: string; artifacts: Buffer[]; record: (places: ArtifactPlace[]) => string }
export type ArtifactPlace = { bundle: string; offset: number }

/** Records in journal order that the Worker has not acknowledged; hand `acknowledge` the same batch back. */
export type RecordBatch = { records: Buffer[]; segment: Segment; count: number }

export type JournalStats = { segments: number; bytes: number; unsentRecords: number; syncs: number; records: number; tornBytes: number }

type Waiting = { entry: JournalEntry; bytes: number; resolve: (record: Buffer) => void; reject: (error: unknown) => void }

/** More than this in one write would make the first of the batch wait for the last. */
const commitBytesMax = 2 * MiB
/** Artifacts that wait in memory for a slow disk before new executions are refused. */
const waitingBytesMax = 64 * MiB
/** With this many sealed segments waiting, sealing by age would only make more, smaller objects. */
const sealedBacklogMax = 8

export class Journal {
  readonly #options: Required<JournalOptions>
  readonly #segments: Segment[]
  #open: Segment
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #committing = false
  #rollDue = false
  #rollTimer: NodeJS.Timeout | undefined
  #failure: Error | undefined
  #closed = false
  #syncs = 0
  #records = 0
  readonly #tornBytes: number
  readonly #listeners: (() => void)[] = []

  private constructor(
    options: Required<JournalOptions>,
    { segments, open, tornBytes }: { segments: Segment[]; open: Segment; tornBytes: number },
  ) {
    this.#options = options
    this.#segments = segments
    this.#open = open
    this.#tornBytes = tornBytes
  }

  /** Recovers what a former process left in `directory` and opens a new segment behind it. */
  static async open(given: JournalOptions): Promise<Journal> {
    const options = { segmentBytesMax: 4 * MiB, segmentAgeMsMax: 1_000, retainMs: 10_000, now: Date.now, ...given }
    const { segments, tornBytes, lastNumber, emptyPaths } = await recoverSegments(options)
    const progress = await readProgress(options.directory)
    for (const segment of segments) {
      segment.uploaded = segment.number <= progress.uploadedThrough
      if (segment.number < progress.acknowledged.segment) segment.acknowledged = segment.records.length
      if (segment.number === progress.acknowledged.segment)
        segment.acknowledged = Math.min(progress.acknowledged.records, segment.records.length)
    }
    // The newest number always exists as a file, so no number, and with it no bundle's name, is ever used twice.
    const open = await Segment.create(options.directory, { host: options.host, number: lastNumber + 1, now: options.now() })
    for (const path of emptyPaths) await unlink(path)
    const journal = new Journal(options, { segments: [...segments, open], open, tornBytes })
    await journal.#removeFinished()
    return journal
  }

  /** Called after records were committed and after a segment was sealed. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** True when keeping one more execution would break the promise to keep it. */
  get isFull(): boolean {
    return this.#failure !== undefined || this.#waitingBytes >= waitingBytesMax || this.#unuploadedBytes() >= this.#options.bytesMax
  }

  get failure(): Error | undefined {
    return this.#failure
  }

  /**
   * Keeps one execution.
   * @returns its record's JSON, once it is on disk
   * @throws ProblemError `overloaded` when it could not be kept, `draining` after close
   */
  append(entry: JournalEntry): Promise<Buffer> {
    if (this.#closed) return Promise.reject(new ProblemError('draining', { detail: 'the host is shutting down' }))
    if (this.#failure) return Promise.reject(notKept(this.#failure))
    return new Promise((resolve, reject) => {
      const bytes = entry.artifacts.reduce((sum, artifact) => sum + artifact.length, 0)
      this.#waiting.push({ entry, bytes, resolve, reject })
      this.#waitingBytes += bytes
      this.#commit()
    })
  }

  /** JSON of a record that is still here. */
  async find(id: string): Promise<Buffer | undefined> {
    for (let i = this.#segments.length - 1; i >= 0; i--) {
      const segment = this.#segments[i]
      const place = segment?.find(id)
      if (segment && place) return segment.read(place.offset, place.bytes)
    }
    return undefined
  }

  has(id: string): boolean {
    return this.#segments.some((segment) => segment.find(id) !== undefined)
  }

  /** A range of a bundle that is still here; undefined when it is not, or when the range is not all on disk. */
  async readBundle(bundle: string, { offset, length }: { offset: number; length: number }): Promise<Buffer | undefined> {
    const segment = this.#segments.find((candidate) => candidate.bundle === bundle)
    if (!segment || offset + length > segment.bytes) return undefined
    return segment.read(offset, length)
  }

  /** The oldest sealed segment that is not in the bucket. */
  nextToUpload(): Segment | undefined {
    return this.#segments.find((segment) => segment.sealed && !segment.uploaded)
  }

  async markUploaded(segment: Segment): Promise<void> {
    segment.uploaded = true
    await this.#advance()
  }

  /** The oldest unacknowledged records of one segment, at most `count` of them and `bytes` together, but at least one. */
  async nextToDeliver({ count, bytes }: { count: number; bytes: number }): Promise<RecordBatch | undefined> {
    const segment = this.#segments.find((candidate) => candidate.acknowledged < candidate.records.length)
    if (!segment) return undefined
    const places: RecordPlace[] = []
    let sum = 0
    for (const place of segment.records.slice(segment.acknowledged, segment.acknowledged + count)) {
      sum += place.bytes + 1
      if (places.length > 0 && sum > bytes) break
      places.push(place)
    }
    return { segment, count: places.length, records: await readPlaces(segment, places) }
  }

  async acknowledge({ segment, count }: RecordBatch): Promise<void> {
    segment.acknowledged += count
    await this.#advance()
  }

  /** Seals what is open, if it holds anything, so that it can be uploaded. */
  async seal(): Promise<void> {
    this.#rollDue = true
    await this.#settled()
  }

  /** Waits for what was appended, then takes no more. */
  async close(): Promise<void> {
    await this.#settled()
    this.#closed = true
    clearTimeout(this.#rollTimer)
    for (const segment of this.#segments) await segment.close()
  }

  unsentRecords(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.records.length - segment.acknowledged, 0)
  }

  stats(): JournalStats {
    return {
      segments: this.#segments.length,
      bytes: this.#segments.reduce((sum, segment) => sum + segment.bytes, 0),
      unsentRecords: this.unsentRecords(),
      syncs: this.#syncs,
      records: this.#records,
      tornBytes: this.#tornBytes,
    }
  }

  #unuploadedBytes(): number {
    let sum = 0
    for (const segment of this.#segments) if (!segment.uploaded) sum += segment.bytes
    return sum
  }

  async #settled(): Promise<void> {
    this.#commit()
    while (this.#committing) await new Promise((resolve) => setImmediate(resolve))
  }

  #commit(): void {
    if (this.#committing) return
    this.#committing = true
    void this.#commitAll().finally(() => {
      this.#committing = false
      if (this.#waiting.length > 0) this.#commit()
    })
  }

  async #commitAll(): Promise<void> {
    while (this.#waiting.length > 0 || this.#rollDue) {
      const batch = this.#takeBatch()
      try {
        if (this.#rollDue || this.#open.bytes >= this.#options.segmentBytesMax) await this.#roll()
        if (batch.length > 0) await this.#writeBatch(batch)
      } catch (error) {
        await this.#abandon(batch, error)
      }
    }
  }

  #takeBatch(): Waiting[] {
    let bytes = 0
    let count = 0
    while (count < this.#waiting.length && (count === 0 || bytes < commitBytesMax)) bytes += this.#waiting[count++]?.bytes ?? 0
    this.#waitingBytes -= bytes
    return this.#waiting.splice(0, count)
  }

  async #writeBatch(batch: Waiting[]): Promise<void> {
    const segment = this.#open
    const parts: Buffer[] = []
    let pendingBytes = 0
    const push = (type: 2 | 3, payload: Buffer): number => {
      const offset = segment.payloadOffset(pendingBytes)
      parts.push(frameHeader(type, payload), payload)
      pendingBytes += frameHeaderBytes + payload.length
      return offset
    }
    const composed = batch.map(({ entry }) => {
      const places = entry.artifacts.map((bytes) => ({ bundle: segment.bundle, offset: push(frameTypes.artifact, bytes) }))
      const record = Buffer.from(entry.record(places))
      return { record, place: { id: entry.id, offset: push(frameTypes.record, record), bytes: record.length } }
    })
    await segment.write(parts)
    this.#syncs++
    this.#records += batch.length
    for (const { place } of composed) segment.addRecord(place)
    this.#rollTimer ??= setTimeout(() => this.#rollByAge(), this.#options.segmentAgeMsMax).unref()
    for (const [i, { record }] of composed.entries()) batch[i]?.resolve(record)
    this.#notify()
  }

  #rollByAge(): void {
    this.#rollTimer = undefined
    const backlog = this.#segments.filter((segment) => segment.sealed && !segment.uploaded).length
    if (backlog >= sealedBacklogMax) {
      this.#rollTimer = setTimeout(() => this.#rollByAge(), this.#options.segmentAgeMsMax).unref()
      return
    }
    this.#rollDue = true
    this.#commit()
  }

  async #roll(): Promise<void> {
    this.#rollDue = false
    for (const segment of this.#segments) if (segment !== this.#open && !segment.sealed) await this.#sealAgain(segment)
    if (this.#open.records.length === 0) return
    clearTimeout(this.#rollTimer)
    this.#rollTimer = undefined
    const full = this.#open
    const { directory, host, now } = this.#options
    const next = await Segment.create(directory, { host, number: full.number + 1, now: now() })
    this.#segments.push(next)
    this.#open = next
    await full.seal()
    this.#notify()
  }

  async #sealAgain(segment: Segment): Promise<void> {
    await segment.cutUnsynced()
    await segment.seal()
    this.#notify()
  }

  /**
   * A write or sync failed. The batch is refused, never half kept; the file goes back to what is known to be on disk. When even that
   * fails, nothing may be promised any more.
   */
  async #abandon(batch: Waiting[], error: unknown): Promise<void> {
    this.#options.log.error({ err: error, segment: this.#open.bundle }, 'journal write failed')
    try {
      await this.#open.cutUnsynced()
    } catch (cause) {
      this.#failure = new Error('the journal can neither be written nor cut back', { cause })
      batch = [...batch, ...this.#waiting.splice(0)]
      this.#waitingBytes = 0
      this.#notify()
    }
    for (const { reject } of batch) reject(notKept(error))
    if (!this.#failure) this.#rollTimer ??= setTimeout(() => this.#rollByAge(), this.#options.segmentAgeMsMax).unref()
  }

  #notify(): void {
    for (const listener of this.#listeners) listener()
  }

  async #advance(): Promise<void> {
    await this.#removeFinished()
    const uploaded = this.#segments.findLast((segment) => segment.uploaded)
    const first = this.#segments.find((segment) => segment.acknowledged < segment.records.length) ?? this.#open
    await writeProgress(this.#options.directory, {
      uploadedThrough: uploaded?.number ?? 0,
      acknowledged: { segment: first.number, records: first.acknowledged },
    })
  }

  async #removeFinished(): Promise<void> {
    const { retainMs, now } = this.#options
    const finished = (segment: Segment) =>
      segment !== this.#open && segment.uploaded && segment.acknowledged === segment.records.length && now() - segment.openedAt >= retainMs
    // Taken out of the list before the first wait: uploads and deliveries both come here, at the same time.
    const removed = this.#segments.filter(finished)
    for (const segment of removed) this.#segments.splice(this.#segments.indexOf(segment), 1)
    for (const segment of removed) await segment.remove()
  }
}

function notKept(cause: unknown): ProblemError {
  return new ProblemError('overloaded', {
    detail: 'the result could not be kept, so the execution does not count; it may be sent again',
    retryAfterSeconds: 5,
    cause,
  })
}

/** Reads records in order; neighbours are read together. */
async function readPlaces(segment: Segment, places: RecordPlace[]): Promise<Buffer[]> {
  const records: Buffer[] = []
  for (let i = 0; i < places.length;) {
    const first = places[i]
    if (!first) break
    let end = i + 1
    let endOffset = first.offset + first.bytes
    for (let next = places[end]; next && next.offset === endOffset + frameHeaderBytes; next = places[++end])
      endOffset = next.offset + next.bytes
    const span = await segment.read(first.offset, endOffset - first.offset)
    for (const place of places.slice(i, end))
      records.push(span.subarray(place.offset - first.offset, place.offset - first.offset + place.bytes))
    i = end
  }
  return records
}

/** Where the journal lies within the data directory. */
export function journalDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'journal')
}
