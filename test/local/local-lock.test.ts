import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { lockDirectory } from '../../local/local-lock.ts'
import { processBirth } from '../../local/process-birth.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bounty-lock-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const write = (pid: number, birth: string) => writeFileSync(join(directory, 'lock.json'), JSON.stringify({ pid, birth, startedAt: 'then' }))

describe('lockDirectory', () => {
  test('a second start is told who holds it', () => {
    const lock = lockDirectory(directory)
    expect(lock.isStale).toBe(false)
    expect(() => lockDirectory(directory)).toThrow(`in use by another start (pid ${process.pid}`)
    lock.release()
    expect(existsSync(join(directory, 'lock.json'))).toBe(false)
  })

  test('the lock of a dead starter is taken over, and said to be stale', async () => {
    const child = spawn('true')
    await once(child, 'exit')
    write(child.pid ?? 0, '1')
    expect(lockDirectory(directory).isStale).toBe(true)
  })

  test('a later process with the same number does not count as the starter', () => {
    write(process.pid, '1')
    expect(processBirth(process.pid)).not.toBe('1')
    expect(lockDirectory(directory).isStale).toBe(true)
  })

  test('a damaged lock is taken over', () => {
    writeFileSync(join(directory, 'lock.json'), '{')
    expect(lockDirectory(directory).isStale).toBe(true)
  })
})
