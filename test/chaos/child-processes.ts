// Which processes are below another one, from /proc: a part of the cloud is more than the process that its supervisor knows.
import { readdirSync, readFileSync } from 'node:fs'

type Process = { pid: number; parent: number; name: string }

/** @returns the process itself first, then everything below it */
export function processTree(root: number): Process[] {
  const all = readdirSync('/proc').flatMap((entry) => readProcess(Number(entry)) ?? [])
  const found = all.filter(({ pid }) => pid === root)
  for (const { pid } of found) found.push(...all.filter(({ parent }) => parent === pid))
  return found
}

function readProcess(pid: number): Process | undefined {
  if (!Number.isInteger(pid)) return undefined
  try {
    // proc(5): pid, name in brackets, state, parent
    const [, name = '', parent] = readFileSync(`/proc/${pid}/stat`, 'utf8').match(/^\d+ \((.*)\) \S (\d+)/s) ?? []
    return { pid, parent: Number(parent), name }
  } catch {
    // It ended between the listing and the look.
    return undefined
  }
}
