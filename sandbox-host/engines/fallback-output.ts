// What a guest of the fallback engine leaves behind: logs that are cut at their limit, artifacts and output that end the run at theirs.
// The same bounds, in the same words, as `engine/src/store.rs` and `engine/src/script_host.rs`.
import type { RunLimits } from '../sandbox-engine.ts'

const nameBytesMax = 255
const isControl = /[\p{Cc}\\]/u

export class FallbackOutput {
  readonly #limits: RunLimits
  #logs: Record<'stdout' | 'stderr', { chunks: Uint8Array[]; bytes: number }> = emptyLogs()
  readonly #artifacts = new Map<string, Uint8Array>()
  #artifactBytes = 0
  #truncated = false
  #overLimit: string | undefined

  constructor(limits: RunLimits) {
    this.#limits = limits
  }

  get isOverLimit(): boolean {
    return this.#overLimit !== undefined
  }

  get overLimit(): string {
    return this.#overLimit ?? ''
  }

  /** What a module says while it loads belongs to its deploy. */
  forgetLogs(): void {
    this.#logs = emptyLogs()
    this.#truncated = false
  }

  // A guest goes on for a moment after a limit; the native engine's does not, so nothing of that is kept.
  log(stream: 'stdout' | 'stderr', text: Uint8Array): void {
    if (this.isOverLimit) return
    const log = this.#logs[stream]
    const left = this.#limits.logBytes - log.bytes
    if (text.length > left) this.#truncated = true
    if (left <= 0) return
    const kept = text.slice(0, left)
    log.chunks.push(kept)
    log.bytes += kept.length
  }

  /** @returns false when the name is not a relative path of at most 255 bytes without `.` and `..`; the last artifact of a name stands */
  artifact(nameBytes: Uint8Array, bytes: Uint8Array): boolean {
    const name = artifactName(nameBytes)
    if (name === undefined) return false
    if (this.isOverLimit) return true
    const { artifactBytes, artifactCount } = this.#limits
    this.#artifactBytes -= this.#artifacts.get(name)?.length ?? 0
    this.#artifacts.delete(name)
    const wanted = this.#artifactBytes + bytes.length
    if (this.#artifacts.size >= artifactCount) this.#overLimit = `more than the allowed ${artifactCount} artifacts`
    else if (wanted > artifactBytes) this.#overLimit = `artifacts of ${wanted} bytes, allowed are ${artifactBytes}`
    else {
      this.#artifacts.set(name, bytes.slice())
      this.#artifactBytes = wanted
    }
    return true
  }

  checkOutput(output: string): void {
    const bytes = Buffer.byteLength(output)
    const { outputBytes } = this.#limits
    if (bytes > outputBytes) this.#overLimit ??= `output of ${bytes} bytes, allowed are ${outputBytes}`
  }

  collected() {
    const { stdout, stderr } = this.#logs
    return {
      stdout: new Uint8Array(Buffer.concat(stdout.chunks)),
      stderr: new Uint8Array(Buffer.concat(stderr.chunks)),
      logsTruncated: this.#truncated,
      artifacts: [...this.#artifacts].map(([name, bytes]) => ({ name, bytes })),
    }
  }
}

function emptyLogs() {
  return { stdout: { chunks: [], bytes: 0 }, stderr: { chunks: [], bytes: 0 } }
}

function artifactName(bytes: Uint8Array): string | undefined {
  if (bytes.length > nameBytesMax) return undefined
  try {
    const name = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const isPath = name.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
    return isPath && !isControl.test(name) ? name : undefined
  } catch {
    return undefined
  }
}
