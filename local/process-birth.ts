// When a process was born, to tell a process from a later one with the same number.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** @returns undefined when there is no such process (a zombie counts as none); comparable only on one machine and boot */
export function processBirth(pid: number): string | undefined {
  if (process.platform === 'linux') {
    try {
      // proc(5): the name in brackets may hold anything; state is the first column after it, start time the twentieth.
      const columns = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')
      return columns[0] === 'Z' ? undefined : columns[19]
    } catch {
      return undefined
    }
  }
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined
  } catch {
    return undefined
  }
}
