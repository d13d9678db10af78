// What one child prints, in a file that is emptied at each start of the stack and cannot grow without bound, and its last lines in memory
// to be shown when it dies.
import type { ChildProcess } from 'node:child_process'
import { closeSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** The file and one predecessor, so at most twice this per child. */
const fileBytesMax = 8 * 1024 * 1024
const tailLinesMax = 12
const lineCharsMax = 500

export type ProcessLog = {
  path: string
  attach: (child: ChildProcess) => void
  write: (line: string) => void
  /** The last lines since the latest `attach`, indented. */
  tail: () => string
  close: () => void
}

export function openProcessLog(path: string): ProcessLog {
  mkdirSync(dirname(path), { recursive: true })
  let file: number | undefined = openSync(path, 'w', 0o600)
  let bytes = 0
  let tail: string[] = []

  function append(chunk: Buffer | string) {
    const lines = String(chunk).split('\n')
    for (const line of lines) if (line.trim()) tail.push(line.slice(0, lineCharsMax))
    tail = tail.slice(-tailLinesMax)
    if (file === undefined) return
    try {
      if (bytes + chunk.length > fileBytesMax) {
        closeSync(file)
        renameSync(path, `${path}.1`)
        file = openSync(path, 'w', 0o600)
        bytes = 0
      }
      bytes += chunk.length
      writeSync(file, String(chunk))
    } catch {
      // A full disk, or a directory that was removed, must not take the whole cloud down with its logs.
    }
  }

  return {
    path,
    attach: (child) => {
      tail = []
      child.stdout?.on('data', append)
      child.stderr?.on('data', append)
    },
    write: (line) => append(`${line}\n`),
    tail: () => tail.map((line) => `    ${line}`).join('\n'),
    close: () => {
      if (file !== undefined) closeSync(file)
      file = undefined
    },
  }
}
