// One starter per directory: a lock file that names who holds it, and that a starter's death leaves behind harmlessly.
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { processBirth } from './process-birth.ts'

type Holder = { pid: number; birth: string; startedAt: string }

/** `isStale`: the last starter was killed, and may have left processes. */
export type LocalLock = { isStale: boolean; release: () => void }

export function lockDirectory(localDir: string): LocalLock {
  const path = join(localDir, 'lock.json')
  const own: Holder = { pid: process.pid, birth: processBirth(process.pid) ?? '', startedAt: new Date().toISOString() }
  const draft = `${path}.${process.pid}`
  let isStale = false
  writeFileSync(draft, JSON.stringify(own))
  try {
    // link fails when the name exists, so the file is never seen empty. The second round is after a stale one was put aside.
    for (let round = 0; round < 3; round++) {
      try {
        linkSync(draft, path)
        return { isStale, release: () => releaseIfOwn(path) }
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
      }
      const holder = readHolder(path)
      if (holder && isAlive(holder)) throw new Error(heldAdvice(localDir, holder))
      isStale = true
      renameSync(path, `${draft}.stale`)
      rmSync(`${draft}.stale`, { force: true })
    }
    throw new Error(`${path} keeps coming back: several starts at once? Try again.`)
  } finally {
    rmSync(draft, { force: true })
  }
}

function heldAdvice(localDir: string, { pid, startedAt }: Holder): string {
  return `${localDir} is in use by another start (pid ${pid}, since ${startedAt}): stop that one, or set LOCAL_DIR (and the ports) for a second copy.`
}

function isAlive({ pid, birth }: Holder): boolean {
  const born = processBirth(pid)
  // Numbers are used again: the same pid born at another time is somebody else.
  return born !== undefined && (born === birth || birth === '')
}

function readHolder(path: string): Holder | undefined {
  try {
    const holder: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof holder !== 'object' || holder === null) return undefined
    const { pid, birth, startedAt } = { pid: 0, birth: '', startedAt: 'unknown', ...holder }
    return typeof pid === 'number' && pid > 0 ? { pid, birth: String(birth), startedAt: String(startedAt) } : undefined
  } catch {
    return undefined
  }
}

function releaseIfOwn(path: string) {
  if (readHolder(path)?.pid === process.pid) rmSync(path, { force: true })
}
