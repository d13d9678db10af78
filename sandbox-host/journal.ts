// Acknowledged means durable: a finished execution is in this append-only log, synced to disk, before it is answered. Appends that
// arrive while a sync runs share the next one (group commit). The log is cut into segments; a sealed segment that holds artifacts is uploaded
// as one bundle, and each is deleted once its bundle is in the bucket and every record in it is with the Worker.
//
//   append ─▶ waiting ─▶ commit: compose, write, fdatasync ─▶ answered
//                           │ 4 MiB, or 1 s when it holds artifacts
//                           ▼
//   segment: open ─▶ sealed ─▶ uploaded ∧ acknowledged ─▶ (kept a moment for readers) ─▶ deleted
//
// A write that fails is taken back and refused; a sync that fails ends the journal (durable-file.ts says why), and with it the process.
import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { bundledArtifactBytesMax } from '../shared/execution.ts'
import { ProblemError } from '../shared/problem.ts'
import { DiskRoom } from './disk-room.ts'
import { SyncError } from './durable-file.ts'
import { frameHeader, frameHeaderBytes, frameTypes } from './journal-frame.ts'
import { Backlog } from './journal-backlog.ts'
import { readProgress } from './journal-progress.ts'
import { recoverSegments } from './journal-recovery.ts'
import { Segment } from './journal-segment.ts'
import type { Log } from './log.ts'
import { OwnObjects, removeObjects } from './own-objects.ts'
import type { OwnObject } from './own-objects.ts'

const MiB = 1024 * 1024

export type JournalOptions = {
  directory: string
  host: string
  log: Log
  /** Bytes that may wait for the bucket and the Worker before new executions are refused. */
  bytesMax: number
  /** With less than this free on the volume new executions are refused. */
  diskFreeBytesMin?: number
  readFreeBytes?: () => Promise<number>
  /** Design: bundles of about 4 MiB or one second, whichever comes first. */
  segmentBytesMax?: number
  segmentAgeMsMax?: number
  /** A reader that just missed the bundle in the bucket still finds it here. */
  retainMs?: number
  now?: () => number
}

/** One execution to keep: its artifacts' bytes, and its record as JSON, made when the places of the artifacts are known. */
export type JournalEntry = {
  id: string
  artifacts: Buffer[]
  record: (places: ArtifactPlace[]) => string
  /** About what it takes, artifacts and record together: batches and waiting are bounded by this. */
  bytes: number
}
export type ArtifactPlace = { bundle: string; offset: number } | { object: string }

/** Why nothing more is taken. */
export type FullReason = 'failed' | 'disk' | 'budget' | 'slow-disk'

/** `records` by `syncs` is how many executions one sync was for. */
export type JournalStats = {
  segments: number
  bytes: number
  bytesNotHandedOver: number
  bytesMax: number
  diskFreeBytes: number
  full: 0 | 1
  unsentRecords: number
  syncs: number
  records: number
  tornBytes: number
  tornTails: number
}

type Waiting = { entry: JournalEntry; objects: Map<number, OwnObject>; resolve: (record: Buffer) => void; reject: (error: unknown) => void }

type Torn = { bytes: number; tails: number }
type ResolvedOptions = Required<Omit<JournalOptions, 'readFreeBytes'>>

/** More than this in one write would make the first of the batch wait for the last. */
const commitBytesMax = 2 * MiB
/** Results that wait in memory for a slow disk before new executions are refused. */
const waitingBytesMax = 64 * MiB
/** With this many sealed segments waiting, sealing by age would only make more, smaller objects. */
const sealedBacklogMax = 8

export class Journal {
  /** What is written and not yet handed over. */
  readonly backlog: Backlog
  readonly #options: ResolvedOptions
  readonly #listeners: (() => void)[] = []
  readonly #torn: { bytes: number; tails: number }
  readonly #room: DiskRoom
  readonly #ownObjects: OwnObjects
  #open: Segment
  #lastNumber: number
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #committing = false
  /** Artifacts that are being written before their record is. */
  #keeping = 0
  #rollDue = false
  #rollTimer: NodeJS.Timeout | undefined
  #failure: Error | undefined
  #closed = false
  #syncs = 0
  #records = 0

  private constructor(
    options: ResolvedOptions,
    { backlog, open, torn, room, ownObjects }: { backlog: Backlog; open: Segment; torn: Torn; room: DiskRoom; ownObjects: OwnObjects },
  ) {
    this.#options = options
    this.backlog = backlog
    this.#open = open
    this.#lastNumber = open.number
    this.#torn = torn
    this.#room = room
    this.#ownObjects = ownObjects
  }

  /** Recovers what a former process left in `directory` and opens a new segment behind it. */
  static async open(given: JournalOptions): Promise<Journal> {
    const options = { segmentBytesMax: 4 * MiB, segmentAgeMsMax: 1_000, retainMs: 10_000, now: Date.now, diskFreeBytesMin: 0, ...given }
    const { directory, host, diskFreeBytesMin, readFreeBytes } = options
    const ownObjects = await OwnObjects.open(directory, host)
    const { segments, tornBytes, tornTails, lastNumber, emptyPaths } = await recoverSegments({ ...options, ownObjects })
    const backlog = new Backlog(options)
    backlog.restore(segments, await readProgress(directory))
    // The newest number always exists as a file, so no number, and with it no bundle's name, is ever used twice.
    const open = await Segment.create(directory, { host, number: lastNumber + 1 })
    backlog.add(open)
    for (const path of emptyPaths) await unlink(path)
    const room = await DiskRoom.watch({ directory, freeBytesMin: diskFreeBytesMin, ...(readFreeBytes ? { readFreeBytes } : {}) })
    return new Journal(options, { backlog, open, torn: { bytes: tornBytes, tails: tornTails }, room, ownObjects })
  }

  /** Called after records were committed and after a segment was sealed. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** Why keeping one more execution would break the promise to keep it; undefined when it would not. */
  get fullReason(): FullReason | undefined {
    if (this.#failure !== undefined) return 'failed'
    if (this.#room.isShort) return 'disk'
    if (this.backlog.bytesNotHandedOver() >= this.#options.bytesMax) return 'budget'
    return this.#waitingBytes >= waitingBytesMax ? 'slow-disk' : undefined
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
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
    const waiting: Waiting = { entry, objects: new Map(), resolve, reject }
    this.#waitingBytes += entry.bytes
    const positions = entry.artifacts.flatMap(({ length }, position) => (length > bundledArtifactBytesMax ? [position] : []))
    if (positions.length === 0) this.#enqueue(waiting)
    else void this.#keepObjects(waiting, positions)
    return promise
  }

  #enqueue(waiting: Waiting): void {
    this.#waiting.push(waiting)
    this.#commit()
  }

  async #keepObjects(waiting: Waiting, positions: number[]): Promise<void> {
    const { entry, objects } = waiting
    this.#keeping++
    try {
      const kept = await this.#ownObjects.keep(entry.id, { artifacts: entry.artifacts, positions })
      for (const [i, object] of kept.entries()) objects.set(positions[i] ?? 0, object)
      this.#room.wrote(kept.reduce((sum, { bytes }) => sum + bytes, 0))
      this.#enqueue(waiting)
    } catch (error) {
      this.#waitingBytes -= entry.bytes
      this.#tellFailed(error)
      waiting.reject(notKept(error))
    } finally {
      this.#keeping--
    }
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
    this.#room.close()
    await this.backlog.close()
  }

  stats(): JournalStats {
    return {
      segments: this.backlog.length,
      bytes: this.backlog.bytes(),
      bytesNotHandedOver: this.backlog.bytesNotHandedOver(),
      bytesMax: this.#options.bytesMax,
      diskFreeBytes: this.#room.freeBytes,
      full: this.fullReason === undefined ? 0 : 1,
      unsentRecords: this.backlog.recordsNotDelivered(),
      syncs: this.#syncs,
      records: this.#records,
      tornBytes: this.#torn.bytes,
      tornTails: this.#torn.tails,
    }
  }

  async #settled(): Promise<void> {
    this.#commit()
    while (this.#committing || this.#keeping > 0) await new Promise((resolve) => setImmediate(resolve))
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
      if (this.#failure) return this.#refuseAll(this.#failure)
      const batch = this.#takeBatch()
      try {
        if (this.#rollDue || this.#open.bytes >= this.#options.segmentBytesMax) await this.#roll()
        if (batch.length > 0) await this.#writeBatch(batch)
      } catch (error) {
        await this.#abandon(batch, error)
      }
    }
  }

  #refuseAll(failure: Error): void {
    this.#rollDue = false
    this.#waitingBytes = 0
    for (const { objects, reject } of this.#waiting.splice(0)) {
      void removeObjects([...objects.values()])
      reject(notKept(failure))
    }
  }

  #takeBatch(): Waiting[] {
    let bytes = 0
    let count = 0
    while (count < this.#waiting.length && (count === 0 || bytes < commitBytesMax)) bytes += this.#waiting[count++]?.entry.bytes ?? 0
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
    const composed = batch.map(({ entry, objects }) => {
      const places = entry.artifacts.map((bytes, position) => {
        const own = objects.get(position)
        return own ? { object: own.key } : { bundle: segment.bundle, offset: push(frameTypes.artifact, bytes) }
      })
      const record = Buffer.from(entry.record(places))
      return {
        record,
        objects: [...objects.values()],
        place: { id: entry.id, offset: push(frameTypes.record, record), bytes: record.length },
      }
    })
    await segment.write(parts)
    if (batch.some(({ entry }) => entry.artifacts.length > 0)) segment.holdsArtifacts = true
    this.#room.wrote(pendingBytes)
    this.#syncs++
    this.#records += batch.length
    for (const { place, objects } of composed) segment.addRecord(place, objects)
    if (segment.holdsArtifacts) this.#rollTimer ??= setTimeout(() => this.#rollByAge(), this.#options.segmentAgeMsMax).unref()
    for (const [i, { record }] of composed.entries()) batch[i]?.resolve(record)
    this.#notify()
  }

  #rollByAge(): void {
    this.#rollTimer = undefined
    if (this.backlog.sealedNotUploaded() >= sealedBacklogMax) {
      this.#rollTimer = setTimeout(() => this.#rollByAge(), this.#options.segmentAgeMsMax).unref()
      return
    }
    this.#rollDue = true
    this.#commit()
  }

  async #roll(): Promise<void> {
    this.#rollDue = false
    for (const segment of this.backlog.notSealed()) await this.#sealAgain(segment)
    if (this.#open.records.length === 0) return
    clearTimeout(this.#rollTimer)
    this.#rollTimer = undefined
    const full = this.#open
    const { directory, host } = this.#options
    // A number whose file could not be completed is left out.
    const next = await Segment.create(directory, { host, number: ++this.#lastNumber })
    this.backlog.add(next)
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
   * A write failed: the batch is refused, never half kept, and the file goes back to what is known to be on disk. When a sync failed, or
   * this does, nothing may be promised any more.
   */
  async #abandon(batch: Waiting[], error: unknown): Promise<void> {
    this.#options.log.error({ err: error, segment: this.#open.bundle }, 'journal write failed')
    this.#tellFailed(error)
    if (!this.#failure) await this.#open.cutUnsynced().catch((cause: unknown) => this.#fail(cause))
    for (const { objects, reject } of batch) {
      await removeObjects([...objects.values()])
      reject(notKept(error))
    }
    if (!this.#failure) this.#rollTimer ??= setTimeout(() => this.#rollByAge(), this.#options.segmentAgeMsMax).unref()
  }

  #tellFailed(error: unknown): void {
    this.#room.failed(error)
    if (error instanceof SyncError) this.#fail(error)
  }

  #fail(cause: unknown): void {
    this.#failure ??= new Error('the journal cannot say any more what is on disk', { cause })
    this.#notify()
  }

  #notify(): void {
    for (const listener of this.#listeners) listener()
  }
}

function notKept(cause: unknown): ProblemError {
  return new ProblemError('overloaded', {
    detail: 'the result could not be kept, so the execution does not count; it may be sent again',
    retryAfterSeconds: 5,
    cause,
  })
}

/** Where the journal lies within the data directory. */
export function journalDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'journal')
}
