// One file of the journal: frames appended, synced, at last sealed with an index. A sealed segment never changes again and is, byte
// for byte, the bundle in the bucket.
import { open, readFile, rename, unlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { artifactKeySchema, bundleNameSchema } from '../shared/execution.ts'
import { readAt, syncData, syncDirectory, writeAt, writeDurably } from './durable-file.ts'
import { frameHeader, frameHeaderBytes, frameTypes, readFrame } from './journal-frame.ts'
import type { FrameType } from './journal-frame.ts'
import { removeObjects } from './own-objects.ts'
import type { OwnObject, OwnObjects } from './own-objects.ts'

/** Where a record's JSON lies in its segment. */
export type RecordPlace = { id: string; offset: number; bytes: number }

const headSchema = z.object({ format: z.literal(1), bundle: bundleNameSchema })
const recordNamesSchema = z.object({
  id: z.string(),
  artifacts: z.array(z.object({ bytes: z.number(), object: artifactKeySchema.optional() })).default([]),
})
/** `[id, offset, bytes]` of every record, `[key, bytes]` of every artifact that is an object of its own. */
const indexSchema = z.object({
  records: z.array(z.tuple([z.string(), z.number(), z.number()])),
  objects: z.array(z.tuple([artifactKeySchema, z.number()])).default([]),
})

export class Segment {
  readonly number: number
  /** Name of the bundle that this segment is or becomes. */
  readonly bundle: string
  readonly path: string
  /** In order of writing; the first `acknowledged` of them are safe with the Worker. */
  readonly records: RecordPlace[] = []
  /** Artifacts of its records that are objects of their own. */
  readonly objects: OwnObject[] = []
  acknowledged = 0
  sealed = false
  uploaded = false
  /** Without any there is nothing in it that its records in Postgres do not say. */
  holdsArtifacts = false
  /** When it was first seen uploaded and wholly acknowledged. */
  finishedAt: number | undefined
  /** Length of the file that is known to be on disk. */
  bytes = 0
  readonly #places = new Map<string, RecordPlace>()
  readonly #file: FileHandle

  private constructor(file: FileHandle, { number, bundle, path }: { number: number; bundle: string; path: string }) {
    this.#file = file
    this.number = number
    this.bundle = bundle
    this.path = path
  }

  /** Makes the file and its head durable before anybody can rely on it. */
  static async create(directory: string, { host, number }: { host: string; number: number }): Promise<Segment> {
    const padded = String(number).padStart(12, '0')
    const path = join(directory, `${padded}.segment`)
    const segment = new Segment(await open(path, 'wx+', 0o600), { number, bundle: `${host}/${padded}`, path })
    try {
      const head = Buffer.from(JSON.stringify({ format: 1, bundle: segment.bundle }))
      await segment.write([frameHeader(frameTypes.head, head), head])
      await syncDirectory(directory)
      return segment
    } catch (error) {
      await segment.remove().catch(() => {})
      throw error
    }
  }

  /**
   * Reads back a file that a former process wrote, from its beginning to its end. What follows the last intact frame was never
   * acknowledged to anybody; it is cut, and kept aside when `keepTail` asks for it. `rewrite`: the former process may have ended because a
   * sync had failed, so that what is read here is in memory alone; it is written anew.
   * @returns undefined when not even the head is whole
   */
  static async recover(path: string, { number, ownObjects, keepTail, rewrite }: RecoverOptions): Promise<Recovered | undefined> {
    const bytes = await readFile(path)
    const scanned = scan(bytes, ownObjects)
    if (!scanned) return undefined
    const { bundle, end, isSealed, holdsArtifacts, records, objects } = scanned
    const tornBytes = bytes.length - end
    if (tornBytes > 0 && keepTail) await replaceFile(`${path}.torn`, bytes.subarray(end))
    if (tornBytes > 0 || rewrite) await replaceFile(path, bytes.subarray(0, end))
    const segment = new Segment(await open(path, 'r+'), { number, bundle, path })
    segment.bytes = end
    segment.sealed = isSealed
    segment.holdsArtifacts = holdsArtifacts
    for (const place of records) segment.addRecord(place)
    segment.objects.push(...objects)
    return { segment, tornBytes }
  }

  /** Offset at which the payload of the next frame would lie, `pendingBytes` behind what is on disk. */
  payloadOffset(pendingBytes: number): number {
    return this.bytes + pendingBytes + frameHeaderBytes
  }

  /** Of the file and the objects that go with it. */
  get bytesKept(): number {
    return this.bytes + this.objects.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** Appends and syncs; `bytes` moves only when both are done. @throws SyncError when the sync failed */
  async write(parts: Buffer[]): Promise<void> {
    const all = Buffer.concat(parts)
    await writeAt(this.#file, all, this.bytes)
    await syncData(this.#file)
    this.bytes += all.length
  }

  /** To be called after the record's bytes are written. */
  addRecord(place: RecordPlace, objects: OwnObject[] = []): void {
    this.records.push(place)
    this.#places.set(place.id, place)
    this.objects.push(...objects)
  }

  find(id: string): RecordPlace | undefined {
    return this.#places.get(id)
  }

  /** Bytes of a range that is on disk; shorter when the range reaches beyond it. */
  read(offset: number, length: number): Promise<Buffer> {
    return readAt(this.#file, { offset, length: Math.max(0, Math.min(length, this.bytes - offset)) })
  }

  /** Writes the index. Nothing is appended after it. */
  async seal(): Promise<void> {
    const records = this.records.map(({ id, offset, bytes }) => [id, offset, bytes])
    const objects = this.objects.length > 0 ? { objects: this.objects.map(({ key, bytes }) => [key, bytes]) } : {}
    const index = Buffer.from(JSON.stringify({ records, ...objects }))
    await this.write([frameHeader(frameTypes.seal satisfies FrameType, index), index])
    this.sealed = true
  }

  /** After a failed write: back to what is known to be on disk. @throws SyncError */
  async cutUnsynced(): Promise<void> {
    await this.#file.truncate(this.bytes)
    await syncData(this.#file)
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  /** Its objects last: a file of theirs without a segment is removed by the next start, a segment without them could not be uploaded. */
  async remove(): Promise<void> {
    await this.#file.close()
    await unlink(this.path)
    await removeObjects(this.objects)
  }
}

export type RecoverOptions = { number: number; ownObjects: OwnObjects; keepTail: boolean; rewrite: boolean }
export type Recovered = { segment: Segment; tornBytes: number }

type Scanned = { bundle: string; end: number; isSealed: boolean; holdsArtifacts: boolean; records: RecordPlace[]; objects: OwnObject[] }

/** Every checksum is checked. What a record says is only looked at where no index tells: parsing is most of the work. */
function scan(bytes: Buffer, ownObjects: OwnObjects): Scanned | undefined {
  const head = readFrame(bytes, 0)
  const parsed = head?.type === frameTypes.head ? headSchema.safeParse(JSON.parse(head.payload.toString())) : undefined
  if (!head || !parsed?.success) return undefined
  const found: { offset: number; payload: Buffer }[] = []
  // Artifacts lie before the record that names them: without it they were torn off, too.
  let { end } = head
  let artifactSeen = false
  let artifactsBefore = false
  for (let frame = readFrame(bytes, end); frame; frame = readFrame(bytes, frame.end)) {
    if (frame.type === frameTypes.artifact) artifactSeen = true
    if (frame.type === frameTypes.record) {
      artifactsBefore = artifactSeen
      found.push({ offset: frame.payloadOffset, payload: frame.payload })
      end = frame.end
    }
    if (frame.type !== frameTypes.seal) continue
    const { records, objects } = indexSchema.parse(JSON.parse(frame.payload.toString()))
    return {
      bundle: parsed.data.bundle,
      end: frame.end,
      isSealed: true,
      holdsArtifacts: artifactSeen || objects.length > 0,
      records: records.map(([id, offset, length]) => ({ id, offset, bytes: length })),
      objects: objects.map(([key, length]) => ownObjects.named(key, length)),
    }
  }
  const named = found.map(({ offset, payload }) => ({ offset, payload, ...recordNamesSchema.parse(JSON.parse(payload.toString())) }))
  const objects = named.flatMap(({ artifacts }) =>
    artifacts.flatMap(({ object, bytes: length }) => (object === undefined ? [] : [ownObjects.named(object, length)])),
  )
  return {
    bundle: parsed.data.bundle,
    end,
    isSealed: false,
    holdsArtifacts: artifactsBefore || objects.length > 0,
    records: named.map(({ id, offset, payload }) => ({ id, offset, bytes: payload.length })),
    objects,
  }
}

async function replaceFile(path: string, bytes: Buffer): Promise<void> {
  const draft = join(dirname(path), '.draft')
  await writeDurably(draft, bytes)
  await rename(draft, path)
  await syncDirectory(dirname(path))
}
