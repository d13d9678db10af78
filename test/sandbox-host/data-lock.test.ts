import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lockData } from '../../sandbox-host/data-lock.ts'
import { createLog } from '../../sandbox-host/log.ts'

const log = createLog('silent')
let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bounty-lock-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

test('a data directory has one host', async () => {
  const lock = await lockData(directory, { waitMs: 0, log })
  await expect(lockData(directory, { waitMs: 50, log })).rejects.toThrow(`DATA_DIR ${directory} is in use by another host`)
  await lock.release()
  await (await lockData(directory, { waitMs: 0, log })).release()
})

test('a host that is still draining is waited for', async () => {
  const lock = await lockData(directory, { waitMs: 0, log })
  setTimeout(() => void lock.release(), 50)
  const next = await lockData(directory, { waitMs: 5_000, log })
  await expect(lockData(directory, { waitMs: 0, log })).rejects.toThrow('in use')
  await next.release()
})

test('another directory is another lock', async () => {
  const lock = await lockData(directory, { waitMs: 0, log })
  const other = await lockData(join(directory, 'other'), { waitMs: 0, log })
  expect(other).not.toBe(lock)
  await other.release()
  await lock.release()
})
