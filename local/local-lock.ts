// One starter per directory: a lock file that names who holds it, and that a starter's death leaves behind harmlessly.
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { processBirth } from './process-birth.ts'

const holderSchema = z.object({ pid: z.number().int().positive(), birth: z.string(), startedAt: z.string() })
type Holder = z.infer<typeof holderSchema>

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
    return holderSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    return undefined
  }
}

function releaseIfOwn(path: string) {
  if (readHolder(path)?.pid === process.pid) rmSync(path, { force: true })
}
