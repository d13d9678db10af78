// Artifacts that become objects of their own: too large to lie in a bundle, and the only ones that may be presigned. Each is a file that
// is on disk before the record that names it is written; it goes with its segment, so that it is uploaded before the segment's bundle and
// deleted behind the segment's file. A file that no record names was never promised to anybody.
//
//   file, synced ─▶ directory, synced ─▶ record in the segment ─▶ answered ─▶ object in the bucket ─▶ bundle ─▶ (segment deleted) ─▶ deleted
import { mkdir, open, readFile, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { artifactKey, artifactKeyForm } from '../shared/execution.ts'
import { readAt, syncDirectory, writeDurably } from './durable-file.ts'

/** `isUploaded` saves a repetition while the process lives. */
export type OwnObject = { key: string; path: string; bytes: number; isUploaded: boolean }

export class OwnObjects {
  readonly #directory: string
  readonly #host: string

  private constructor(directory: string, host: string) {
    this.#directory = directory
    this.#host = host
  }

  static async open(journalDirectory: string, host: string): Promise<OwnObjects> {
    const directory = join(journalDirectory, 'objects')
    await mkdir(directory, { recursive: true, mode: 0o700 })
    return new OwnObjects(directory, host)
  }

  /**
   * Keeps the artifacts of `positions`.
   * @throws SyncError when nothing may be promised any more; any other error leaves nothing behind
   */
  async keep(execution: string, { artifacts, positions }: { artifacts: Buffer[]; positions: number[] }): Promise<OwnObject[]> {
    const kept: OwnObject[] = []
    try {
      for (const position of positions) {
        const bytes = artifacts[position] ?? Buffer.alloc(0)
        const object = this.named(artifactKey({ host: this.#host, execution, position }), bytes.length)
        kept.push(object)
        await writeDurably(object.path, bytes)
      }
      await syncDirectory(this.#directory)
      return kept
    } catch (error) {
      await removeObjects(kept)
      throw error
    }
  }

  /** As a record names it. */
  named(key: string, bytes: number): OwnObject {
    const [, host = '', execution = '', position = ''] = artifactKeyForm.exec(key) ?? []
    return { key, path: join(this.#directory, `${host}.${execution}.${position}`), bytes, isUploaded: false }
  }

  /** Removes files that none of `named` is. */
  async removeOthers(named: readonly OwnObject[]): Promise<number> {
    const paths = new Set(named.map(({ path }) => path))
    const others = (await readdir(this.#directory)).map((name) => join(this.#directory, name)).filter((path) => !paths.has(path))
    for (const path of others) await unlink(path)
    return others.length
  }
}

/** @returns undefined when its file is gone */
export async function readObject({ path }: OwnObject): Promise<Buffer | undefined> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}

/** @returns undefined when the object has no such range */
export async function readObjectRange({ path, bytes }: OwnObject, range: { offset: number; length: number }): Promise<Buffer | undefined> {
  if (range.offset + range.length > bytes) return undefined
  const file = await open(path, 'r')
  try {
    return await readAt(file, range)
  } finally {
    await file.close()
  }
}

export async function removeObjects(objects: readonly OwnObject[]): Promise<void> {
  for (const { path } of objects) await unlink(path).catch(() => {})
}
