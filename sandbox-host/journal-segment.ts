// One file of the journal: frames appended, synced, at last sealed with an index. A sealed segment never changes again and is, byte
// for byte, the bundle in the bucket.
import { open, readFile, rename, unlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { bundleNameSchema } from '../shared/execution.ts'
import { frameHeader, frameHeaderBytes, frameTypes, readFrame } from './journal-frame.ts'
import type { FrameType } from './journal-frame.ts'

/** Where a record's JSON lies in its segment. */
export type RecordPlace = { id: string; offset: number; bytes: number }

const headSchema = z.object({ format: z.literal(1), bundle: bundleNameSchema })
const recordIdSchema = z.object({ id: z.string() })

export class Segment {
  readonly number: number
  /** Name of the bundle that this segment is or becomes. */
  readonly bundle: string
  readonly path: string
  /** In order of writing; the first `acknowledged` of them are safe with the Worker. */
  readonly records: RecordPlace[] = []
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
   * Reads back a file that a former process wrote. What follows the last intact frame was never acknowledged to anybody; it is cut,
   * and kept aside when `keepTail` asks for it.
   * @returns undefined when not even the head is whole
   */
  static async recover(path: string, { number, keepTail }: { number: number; keepTail: boolean }): Promise<Recovered | undefined> {
    const bytes = await readFile(path)
    const head = readFrame(bytes, 0)
    const parsed = head?.type === frameTypes.head ? headSchema.safeParse(JSON.parse(head.payload.toString())) : undefined
    if (!head || !parsed?.success) return undefined
    const segment = new Segment(await open(path, 'r+'), { number, bundle: parsed.data.bundle, path })
    segment.bytes = head.end
    for (let frame = readFrame(bytes, head.end); frame && !segment.sealed; frame = readFrame(bytes, frame.end)) {
      if (frame.type === frameTypes.record) {
        const { id } = recordIdSchema.parse(JSON.parse(frame.payload.toString()))
        segment.#addPlace({ id, offset: frame.payloadOffset, bytes: frame.payload.length })
      }
      if (frame.type === frameTypes.artifact) segment.holdsArtifacts = true
      segment.sealed = frame.type === frameTypes.seal
      segment.bytes = frame.end
    }
    const tornBytes = bytes.length - segment.bytes
    if (tornBytes > 0) {
      if (keepTail) await keepAside(`${path}.torn`, bytes.subarray(segment.bytes))
      await segment.#file.truncate(segment.bytes)
      await segment.#file.datasync()
    }
    return { segment, tornBytes }
  }

  /** Offset at which the payload of the next frame would lie, `pendingBytes` behind what is on disk. */
  payloadOffset(pendingBytes: number): number {
    return this.bytes + pendingBytes + frameHeaderBytes
  }

  /** Appends and syncs; `bytes` moves only when both are done. */
  async write(parts: Buffer[]): Promise<void> {
    const all = Buffer.concat(parts)
    let written = 0
    while (written < all.length) {
      const { bytesWritten } = await this.#file.write(all, written, all.length - written, this.bytes + written)
      written += bytesWritten
    }
    await this.#file.datasync()
    this.bytes += all.length
  }

  /** To be called after the record's bytes are written. */
  addRecord(place: RecordPlace): void {
    this.#addPlace(place)
  }

  #addPlace(place: RecordPlace): void {
    this.records.push(place)
    this.#places.set(place.id, place)
  }

  find(id: string): RecordPlace | undefined {
    return this.#places.get(id)
  }

  /** Bytes of a range that is on disk; shorter when the range reaches beyond it. */
  async read(offset: number, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, this.bytes - offset)))
    let filled = 0
    while (filled < bytes.length) {
      const { bytesRead } = await this.#file.read(bytes, filled, bytes.length - filled, offset + filled)
      if (bytesRead === 0) break
      filled += bytesRead
    }
    return bytes.subarray(0, filled)
  }

  /** Writes the index: `[id, offset, bytes]` of every record. Nothing is appended after it. */
  async seal(): Promise<void> {
    const index = Buffer.from(JSON.stringify({ records: this.records.map(({ id, offset, bytes }) => [id, offset, bytes]) }))
    await this.write([frameHeader(frameTypes.seal satisfies FrameType, index), index])
    this.sealed = true
  }

  /** After a failed write: back to what is known to be on disk. */
  async cutUnsynced(): Promise<void> {
    await this.#file.truncate(this.bytes)
    await this.#file.datasync()
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  async remove(): Promise<void> {
    await this.#file.close()
    await unlink(this.path)
  }
}

export type Recovered = { segment: Segment; tornBytes: number }

/** Makes creations, renames and removals in `directory` durable. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function keepAside(path: string, bytes: Buffer): Promise<void> {
  const draft = join(dirname(path), '.torn-draft')
  const file = await open(draft, 'w', 0o600)
  try {
    await file.write(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
}
