// What a guest of the fallback engine leaves behind: logs that are cut at their limit, artifacts and output that end the run at
// theirs.
import type { RunLimits } from '../sandbox-engine.ts'

export class FallbackOutput {
  readonly #limits: RunLimits
  readonly #logs = { stdout: '', stderr: '' }
  readonly #artifacts = new Map<string, Uint8Array>()
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

  log(stream: 'stdout' | 'stderr', text: string): void {
    const left = this.#limits.logBytes - Buffer.byteLength(this.#logs[stream])
    const line = Buffer.from(text)
    if (line.length > left) this.#truncated = true
    if (left > 0) this.#logs[stream] += line.subarray(0, left).toString('utf8')
  }

  /** @returns false when the name is not a relative path of at most 255 bytes without `.` and `..` */
  artifact(name: string, bytes: Uint8Array): boolean {
    const isPath = name.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
    if (!isPath || name.includes('\0') || Buffer.byteLength(name) > 255) return false
    const { artifactBytes, artifactCount } = this.#limits
    this.#artifacts.set(name, bytes)
    let sum = 0
    for (const artifact of this.#artifacts.values()) sum += artifact.length
    if (this.#artifacts.size > artifactCount) this.#overLimit = `made more than ${artifactCount} artifacts`
    if (sum > artifactBytes) this.#overLimit = `made more than ${artifactBytes} bytes of artifacts`
    return true
  }

  checkOutput(output: string): void {
    const { outputBytes } = this.#limits
    if (Buffer.byteLength(output) > outputBytes) this.#overLimit = `returned more than ${outputBytes} bytes of JSON`
  }

  collected(): { stdout: string; stderr: string; logsTruncated: boolean; artifacts: { name: string; bytes: Uint8Array }[] } {
    return {
      ...this.#logs,
      logsTruncated: this.#truncated,
      artifacts: [...this.#artifacts].map(([name, bytes]) => ({ name, bytes })),
    }
  }
}
