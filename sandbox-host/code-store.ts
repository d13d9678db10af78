// What preparing a program made (machine code, snapshots), kept on the host's volume, so that a program that was dropped, or a host that
// starts, loads instead of compiling. Loading is running: each file is authenticated by a key that only this data directory has, and
// belongs by its name to one build of the engine. Losing any of it costs time only.
//
//   file = HMAC-SHA256(key, name, payload) (32 bytes) | payload
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { mkdir, readFile, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const macBytes = 32
const keyBytes = 32

export type CodeStoreOptions = { dataDirectory: string; bytesMax: number }

type Kept = { bytes: number; usedAt: number }

export class CodeStore {
  readonly #directory: string
  readonly #key: Buffer
  readonly #bytesMax: number
  readonly #kept: Map<string, Kept>
  #bytes = 0
  #rejected = 0
  #drafts = 0

  private constructor(directory: string, { key, bytesMax, kept }: { key: Buffer; bytesMax: number; kept: Map<string, Kept> }) {
    this.#directory = directory
    this.#key = key
    this.#bytesMax = bytesMax
    this.#kept = kept
    for (const { bytes } of kept.values()) this.#bytes += bytes
  }

  static async open({ dataDirectory, bytesMax }: CodeStoreOptions): Promise<CodeStore> {
    const directory = join(dataDirectory, 'code')
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const key = await readKey(join(dataDirectory, 'code-key'))
    const kept = new Map<string, Kept>()
    for (const name of await readdir(directory)) {
      // A draft is of a process that died while it wrote.
      const file = name.endsWith('.draft') ? undefined : await stat(join(directory, name)).catch(() => undefined)
      if (file) kept.set(name, { bytes: file.size, usedAt: file.mtimeMs })
      else await rm(join(directory, name), { force: true })
    }
    const store = new CodeStore(directory, { key, bytesMax, kept })
    await store.#removeBeyondBudget()
    return store
  }

  /** @param name of letters, digits and hyphens; it names the build, too. @returns undefined when it is not there, or not ours */
  async read(name: string): Promise<Buffer | undefined> {
    const kept = this.#kept.get(name)
    if (!kept) return undefined
    const file = await readFile(this.#path(name)).catch(() => undefined)
    if (file && this.#isOurs(name, file)) {
      kept.usedAt = Date.now()
      // Only for the order in which the next process removes them.
      await utimes(this.#path(name), new Date(), new Date()).catch(() => {})
      return file.subarray(macBytes)
    }
    this.#rejected++
    await this.#remove(name)
    return undefined
  }

  /** Keeps it if there is room. A disk that is full or gone is no error: it will be made anew. */
  async write(name: string, payload: Buffer): Promise<void> {
    const bytes = macBytes + payload.length
    if (bytes > this.#bytesMax) return
    const draft = `${this.#path(name)}.${++this.#drafts}.draft`
    try {
      await writeFile(draft, Buffer.concat([this.#mac(name, payload), payload]), { mode: 0o600 })
      await rename(draft, this.#path(name))
    } catch {
      await rm(draft, { force: true }).catch(() => {})
      return
    }
    this.#bytes += bytes - (this.#kept.get(name)?.bytes ?? 0)
    this.#kept.set(name, { bytes, usedAt: Date.now() })
    await this.#removeBeyondBudget()
  }

  stats(): { files: number; bytes: number; rejected: number } {
    return { files: this.#kept.size, bytes: this.#bytes, rejected: this.#rejected }
  }

  #path(name: string): string {
    return join(this.#directory, name)
  }

  #mac(name: string, payload: Buffer): Buffer {
    return createHmac('sha256', this.#key).update(`${name}\0`).update(payload).digest()
  }

  #isOurs(name: string, file: Buffer): boolean {
    return file.length >= macBytes && timingSafeEqual(file.subarray(0, macBytes), this.#mac(name, file.subarray(macBytes)))
  }

  async #remove(name: string): Promise<void> {
    this.#bytes -= this.#kept.get(name)?.bytes ?? 0
    this.#kept.delete(name)
    await rm(this.#path(name), { force: true }).catch(() => {})
  }

  async #removeBeyondBudget(): Promise<void> {
    if (this.#bytes <= this.#bytesMax) return
    const oldest = [...this.#kept].toSorted(([, a], [, b]) => a.usedAt - b.usedAt)
    for (const [name] of oldest) {
      if (this.#bytes <= this.#bytesMax) return
      await this.#remove(name)
    }
  }
}

/** Made at the first start. One that is damaged is replaced: what it signed is made anew. */
async function readKey(path: string): Promise<Buffer> {
  const kept = await readFile(path).catch(() => undefined)
  if (kept?.length === keyBytes) return kept
  const key = randomBytes(keyBytes)
  await writeFile(`${path}.draft`, key, { mode: 0o600, flush: true })
  await rename(`${path}.draft`, path)
  return key
}
