// Resident memory of a process and everything below it, from /proc: proportional set size, so that shared pages count once.
import { readdirSync, readFileSync } from 'node:fs'

/** @returns MiB of proportional set size, summed over the tree */
export function treeMemoryMiB(root: number): number {
  const parents = new Map<number, number>()
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry)
    const parent = Number.isInteger(pid) ? read(`/proc/${pid}/stat`)?.match(/\) \S (\d+)/)?.[1] : undefined
    if (parent) parents.set(pid, Number(parent))
  }
  let kilobytes = 0
  for (const pid of [root, ...parents.keys()]) {
    if (pid !== root && !isBelow(pid)) continue
    kilobytes += Number(read(`/proc/${pid}/smaps_rollup`)?.match(/^Pss:\s+(\d+) kB/m)?.[1] ?? 0)
  }
  return kilobytes / 1024

  function isBelow(pid: number): boolean {
    for (let at = parents.get(pid); at; at = parents.get(at)) if (at === root) return true
    return false
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
