// Whether the volume has room for what may still come. New work is refused while less than a reserve is free, so that what has begun can
// be kept, and a host that starts on this volume can recover. A write that fails for want of room (a quota, a limit on files) says so at once.
import { open, statfs, unlink } from 'node:fs/promises'
import { join } from 'node:path'

export type DiskRoomOptions = {
  directory: string
  freeBytesMin: number
  /** Bytes that are free for this process. Default: of the volume of `directory`. */
  readFreeBytes?: () => Promise<number>
  checkEveryMs?: number
}

/** Written and synced to see whether there is room again. */
const probe = Buffer.alloc(64 * 1024)
/** https://man7.org/linux/man-pages/man2/write.2.html */
const noRoomCodes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

export class DiskRoom {
  readonly #options: Required<DiskRoomOptions>
  readonly #timer: NodeJS.Timeout
  #freeBytes = Number.POSITIVE_INFINITY
  #isRefused = false
  #checking: Promise<void> | undefined

  private constructor(options: Required<DiskRoomOptions>) {
    this.#options = options
    this.#timer = setInterval(() => void this.check(), options.checkEveryMs).unref()
  }

  static async watch(given: DiskRoomOptions): Promise<DiskRoom> {
    const room = new DiskRoom({ readFreeBytes: () => freeBytesOf(given.directory), checkEveryMs: 500, ...given })
    await room.check()
    return room
  }

  get isShort(): boolean {
    return this.#isRefused || this.#freeBytes < this.#options.freeBytesMin
  }

  /** As far as it is known: of the last look, less what was written since. */
  get freeBytes(): number {
    return this.#freeBytes
  }

  wrote(bytes: number): void {
    this.#freeBytes -= bytes
  }

  /** Told of every write that failed. */
  failed(error: unknown): void {
    if (noRoomCodes.has(codeOf(error))) this.#isRefused = true
  }

  /** Looks now. Callers at once share one look. */
  check(): Promise<void> {
    this.#checking ??= this.#look().finally(() => (this.#checking = undefined))
    return this.#checking
  }

  close(): void {
    clearInterval(this.#timer)
  }

  async #look(): Promise<void> {
    // A volume that does not say what is free says so when it is written to.
    this.#freeBytes = await this.#options.readFreeBytes().catch(() => Number.POSITIVE_INFINITY)
    if (this.#isRefused && this.#freeBytes >= this.#options.freeBytesMin) this.#isRefused = !(await canWrite(this.#options.directory))
  }
}

async function freeBytesOf(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory)
  return bavail * bsize
}

async function canWrite(directory: string): Promise<boolean> {
  const path = join(directory, '.room-probe')
  try {
    const file = await open(path, 'w', 0o600)
    try {
      await file.writeFile(probe)
      await file.datasync()
    } finally {
      await file.close()
    }
    return true
  } catch {
    return false
  } finally {
    await unlink(path).catch(() => {})
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
