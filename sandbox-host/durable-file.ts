// Writing to disk as the journal means it: what these return from is on disk. A sync that fails is told apart from all else, because
// nothing that it was to make durable may be believed afterwards: the kernel may hold the bytes, call them clean, and never write them
// (https://wiki.postgresql.org/wiki/Fsync_Errors). Whoever meets a SyncError stops and recovers.
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'

export class SyncError extends Error {}

/** @throws SyncError */
export async function syncData(file: FileHandle): Promise<void> {
  try {
    await file.datasync()
  } catch (cause) {
    throw new SyncError('a sync to disk failed', { cause })
  }
}

/** Makes creations, renames and removals in `directory` durable. @throws SyncError */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } catch (cause) {
    throw new SyncError('a sync of a directory failed', { cause })
  } finally {
    await handle.close()
  }
}

/** Writes all of `bytes` at `position`; not durable before `syncData`. */
export async function writeAt(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let written = 0
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written)
    written += bytesWritten
  }
}

/** A file of its own, whole and on disk; its name is durable after `syncDirectory`. */
export async function writeDurably(path: string, bytes: Buffer): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    await writeAt(file, bytes, 0)
    await syncData(file)
  } finally {
    await file.close()
  }
}

/** The bytes of a range of a file; shorter where the file ends. */
export async function readAt(file: FileHandle, { offset, length }: { offset: number; length: number }): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return bytes.subarray(0, filled)
}
