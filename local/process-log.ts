// What one child prints, in a file that is emptied at each start of the stack and cannot grow without bound, and its last lines in memory
// to be shown when it dies.
import type { ChildProcess } from 'node:child_process'
import { createWriteStream, mkdirSync, renameSync, statSync, type WriteStream } from 'node:fs'
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
  let file: WriteStream = open(path, 'w')
  let bytes = 0
  let tail: string[] = []

  function append(chunk: Buffer | string) {
    bytes += chunk.length
    if (bytes > fileBytesMax) {
      file.end()
      if (exists(path)) renameSync(path, `${path}.1`)
      file = open(path, 'w')
      bytes = chunk.length
    }
    file.write(chunk)
    const lines = String(chunk).split('\n')
    for (const line of lines) if (line.trim()) tail.push(line.slice(0, lineCharsMax))
    tail = tail.slice(-tailLinesMax)
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
    close: () => file.end(),
  }
}

function open(path: string, flags: string): WriteStream {
  const stream = createWriteStream(path, { flags, mode: 0o600 })
  // A full disk must not take the whole cloud down with its logs.
  stream.on('error', () => {})
  return stream
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}
