// What the journal has written and not yet handed over: finds records and artifacts in it, says what to upload and to deliver next,
// and deletes a segment once all its records are with the Worker and, if it holds artifacts, its bundle is in the bucket.
import { bundleKey } from '../shared/execution.ts'
import { frameHeaderBytes } from './journal-frame.ts'
import { writeProgress } from './journal-progress.ts'
import type { JournalProgress } from './journal-progress.ts'
import type { RecordPlace, Segment } from './journal-segment.ts'
import { readObjectRange } from './own-objects.ts'

/** Records in journal order that the Worker has not acknowledged; hand `acknowledge` the same batch back. */
export type RecordBatch = { records: Buffer[]; segment: Segment; count: number }

export type BacklogOptions = {
  directory: string
  /** A reader that just missed the bundle in the bucket still finds it here. */
  retainMs: number
  now: () => number
}

export class Backlog {
  readonly #options: BacklogOptions
  /** Oldest first; the last is the one that is being written. */
  readonly #segments: Segment[] = []

  constructor(options: BacklogOptions) {
    this.#options = options
  }

  /** Takes over what a former process left, as far as it had come. */
  restore(segments: Segment[], { uploadedThrough, acknowledged }: JournalProgress): void {
    for (const segment of segments) {
      segment.uploaded = segment.number <= uploadedThrough
      if (segment.number < acknowledged.segment) segment.acknowledged = segment.records.length
      if (segment.number === acknowledged.segment) segment.acknowledged = Math.min(acknowledged.records, segment.records.length)
      this.#segments.push(segment)
    }
  }

  /** The newest segment, from now on the one that is being written. */
  add(segment: Segment): void {
    this.#segments.push(segment)
  }

  get length(): number {
    return this.#segments.length
  }

  bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytesKept, 0)
  }

  /** What may not be deleted yet. */
  bytesNotHandedOver(): number {
    return this.#segments.reduce((sum, segment) => (isHandedOver(segment) ? sum : sum + segment.bytesKept), 0)
  }

  recordsNotDelivered(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.records.length - segment.acknowledged, 0)
  }

  sealedNotUploaded(): number {
    return this.#segments.filter(isToUpload).length
  }

  /** Segments whose sealing failed. */
  notSealed(): Segment[] {
    return this.#segments.slice(0, -1).filter((segment) => !segment.sealed)
  }

  has(id: string): boolean {
    return this.#segments.some((segment) => segment.find(id) !== undefined)
  }

  /** JSON of a record that is still here. */
  async find(id: string): Promise<Buffer | undefined> {
    const segment = this.#segments.findLast((candidate) => candidate.find(id) !== undefined)
    const place = segment?.find(id)
    return segment && place && segment.read(place.offset, place.bytes)
  }

  /**
   * A range of what is, or becomes, an object in the bucket: a bundle, or an artifact of its own.
   * @returns undefined when it is not here any more, or when the range is not all on disk
   */
  async readObject(key: string, range: { offset: number; length: number }): Promise<Buffer | undefined> {
    const segment = this.#segments.find(({ bundle }) => bundleKey(bundle) === key)
    if (segment) return range.offset + range.length > segment.bytes ? undefined : segment.read(range.offset, range.length)
    for (const { objects } of this.#segments) {
      const object = objects.find((candidate) => candidate.key === key)
      if (object) return readObjectRange(object, range)
    }
    return undefined
  }

  /** The oldest sealed segment that belongs into the bucket and is not there. */
  nextToUpload(): Segment | undefined {
    return this.#segments.find(isToUpload)
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

  async close(): Promise<void> {
    for (const segment of this.#segments) await segment.close()
  }

  async #advance(): Promise<void> {
    const uploadedThrough = this.#segments.findLast((segment) => segment.uploaded)?.number
    const first = this.#segments.find((segment) => segment.acknowledged < segment.records.length) ?? this.#segments.at(-1)
    await this.#removeFinished()
    if (!first) return
    // Where nothing is uploaded, what was before is deleted, or was never there.
    const acknowledged = { segment: first.number, records: first.acknowledged }
    await writeProgress(this.#options.directory, { uploadedThrough: uploadedThrough ?? 0, acknowledged })
  }

  async #removeFinished(): Promise<void> {
    const now = this.#options.now()
    for (const segment of this.#segments) {
      if (segment.sealed && isHandedOver(segment)) segment.finishedAt ??= now
    }
    // Taken out of the list before the first wait: uploads and deliveries both come here, at the same time.
    const removed = this.#segments.filter(({ finishedAt }) => finishedAt !== undefined && now - finishedAt >= this.#options.retainMs)
    for (const segment of removed) this.#segments.splice(this.#segments.indexOf(segment), 1)
    for (const segment of removed) await segment.remove()
  }
}

/** An object in the bucket costs as much as fifteen requests to the Worker, so one that nobody would read is not made. */
function isToUpload({ sealed, holdsArtifacts, uploaded }: Segment): boolean {
  return sealed && holdsArtifacts && !uploaded
}

function isHandedOver({ holdsArtifacts, uploaded, acknowledged, records }: Segment): boolean {
  return (uploaded || !holdsArtifacts) && acknowledged === records.length
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
