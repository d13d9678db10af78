// Memory, CPU time and busy threads of a process and everything below it, from /proc. Memory is the proportional set size, so that shared pages count once.
import { readdirSync, readFileSync } from 'node:fs'

/** @returns MiB of proportional set size, summed over the tree */
export function treeMemoryMiB(root: number): number {
  let kilobytes = 0
  for (const pid of treeOf(root)) kilobytes += Number(read(`/proc/${pid}/smaps_rollup`)?.match(/^Pss:\s+(\d+) kB/m)?.[1] ?? 0)
  return kilobytes / 1024
}

/** Linux tells it in hundredths of a second, whatever the kernel's own clock. */
const tickMs = 10

/**
 * @param named only processes of this name; all of the tree when absent
 * @returns milliseconds of user and system time so far; children that have ended and been waited for are in it
 */
export function treeCpuMs(root: number, named?: string): number {
  let ticks = 0
  for (const pid of treeOf(root)) {
    const stat = read(`/proc/${pid}/stat`)
    const name = stat?.match(/\((.*)\)/)?.[1]
    // Behind the name: utime, stime, cutime and cstime are the 12th to 15th.
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? []
    if (named === undefined || name === named) ticks += fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
  }
  return ticks * tickMs
}

/** @returns threads of the tree that run, or could if there were a core for them */
export function runnableThreads(root: number): Set<string> {
  const threads = treeOf(root).flatMap((pid) => list(`/proc/${pid}/task`).map((tid) => `${pid}/task/${tid}`))
  return new Set(threads.filter((thread) => /\) R /.test(read(`/proc/${thread}/stat`) ?? '')))
}

function treeOf(root: number): number[] {
  const parents = new Map<number, number>()
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry)
    const parent = Number.isInteger(pid) ? read(`/proc/${pid}/stat`)?.match(/\) \S (\d+)/)?.[1] : undefined
    if (parent) parents.set(pid, Number(parent))
  }
  return [root, ...[...parents.keys()].filter(isBelow)]

  function isBelow(pid: number): boolean {
    for (let at = parents.get(pid); at; at = parents.get(at)) if (at === root) return true
    return false
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    // As below.
    return []
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // The process ended between the listing and the look.
    return undefined
  }
}
