// Disks that are full, and disks that do not keep what they said they would: real ones, where this machine lets a test mount them, and the
// limit on files that any process may have.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { Journal } from '../../sandbox-host/journal.ts'
import type { JournalOptions } from '../../sandbox-host/journal.ts'
import { createLog } from '../../sandbox-host/log.ts'
import { eventually } from '../fakes/eventually.ts'
import { execute, peers, portOf, post, runMain } from '../fakes/host-process.ts'

const MiB = 1024 * 1024
const opened: Journal[] = []
afterEach(async () => {
  vi.restoreAllMocks()
  for (const journal of opened.splice(0)) await journal.close().catch(() => {})
})

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'bounty-disk-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

async function open(directory: string, options: Partial<JournalOptions> = {}): Promise<Journal> {
  const journal = await Journal.open({
    directory,
    host: 'host-1',
    log: createLog('silent'),
    bytesMax: 1e9,
    segmentAgeMsMax: 60_000,
    retainMs: 0,
    ...options,
  })
  opened.push(journal)
  return journal
}

const keep = (journal: Journal, id: string, bytes = 10) =>
  journal.append({ id, bytes, artifacts: [Buffer.alloc(bytes, id)], record: () => JSON.stringify({ id }) })

async function kept(directory: string): Promise<string[]> {
  const journal = await open(directory)
  const ids: string[] = []
  for (let batch = await next(journal); batch; batch = await next(journal)) {
    ids.push(...batch.records.map((record) => String(JSON.parse(record.toString()).id)))
    await journal.backlog.acknowledge(batch)
  }
  return ids
}

const next = (journal: Journal) => journal.backlog.nextToDeliver({ count: 100, bytes: 1e9 })

/** What every file of this process is made of. */
async function fileHandles() {
  const file = await openFile(newDirectory(), 'r')
  await file.close()
  // The class has no name that is exported.
  return Object.getPrototypeOf(file) as { datasync: () => Promise<void> }
}

function command(name: string, ...argv: string[]): boolean {
  try {
    execFileSync(name, argv, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** A disk of its own of so many bytes; undefined where that is not allowed. */
function mountSmallDisk(bytes: number): string | undefined {
  const directory = newDirectory()
  if (!command('mount', '-t', 'tmpfs', '-o', `size=${bytes}`, 'none', directory)) return undefined
  onTestFinished(() => void command('umount', directory))
  return directory
}

describe('a sync that fails', () => {
  test('ends the journal at once: what it was for is refused, and so is everything after it, though the disk would take it', async () => {
    const directory = newDirectory()
    const journal = await open(directory)
    await keep(journal, 'a')
    const changed = vi.fn<() => void>()
    journal.onChange(changed)
    vi.spyOn(await fileHandles(), 'datasync').mockRejectedValueOnce(Object.assign(new Error('i/o error'), { code: 'EIO' }))
    const [b, c] = [keep(journal, 'b'), keep(journal, 'c')]
    await expect(b).rejects.toMatchObject({ code: 'overloaded', retryAfterSeconds: 5 })
    await expect(c).rejects.toMatchObject({ code: 'overloaded' })
    expect(journal.fullReason).toBe('failed')
    expect(journal.failure).toBeInstanceOf(Error)
    expect(changed).toHaveBeenCalled()
    await expect(keep(journal, 'd')).rejects.toMatchObject({ code: 'overloaded' })
    await journal.seal()
    await journal.close()
    const found = await kept(directory)
    expect(found).toContain('a')
    expect(found).not.toContain('d')
  })

  test('of an artifact that is an object of its own does the same', async () => {
    const directory = newDirectory()
    const journal = await open(directory)
    vi.spyOn(await fileHandles(), 'datasync').mockRejectedValueOnce(Object.assign(new Error('i/o error'), { code: 'EIO' }))
    await expect(
      journal.append({ id: 'exe_01000000000000000000000000', bytes: 1, artifacts: [Buffer.alloc(2 * MiB)], record: () => '{}' }),
    ).rejects.toMatchObject({ code: 'overloaded' })
    expect(journal.fullReason).toBe('failed')
  })

  test('may have left in memory alone what the next start reads, so it is written anew', async () => {
    const directory = newDirectory()
    const writer = await open(directory)
    await keep(writer, 'a')
    await writer.seal()
    await keep(writer, 'b')
    await writer.close()
    const paths = ['000000000001.segment', '000000000002.segment'].map((name) => join(directory, name))
    const before = paths.map((path) => ({ inode: statSync(path).ino, bytes: readFileSync(path) }))
    await open(directory)
    for (const [i, path] of paths.entries()) {
      expect(statSync(path).ino).not.toBe(before[i]?.inode)
      expect(readFileSync(path).subarray(0, before[i]?.bytes.length)).toEqual(before[i]?.bytes)
    }
  })

  test('on a real disk: what was answered before is there after the caches are dropped, and nothing else was answered', async ({
    skip,
  }) => {
    // ext4, as hosts have it, on a file that may not grow: it takes bytes into memory, and cannot write them.
    const below = mountSmallDisk(12 * MiB)
    const directory = newDirectory()
    const image = join(below ?? '', 'disk')
    const made = below !== undefined && command('truncate', '-s', '64M', image) && command('mkfs.ext4', '-q', image)
    if (!made || !command('mount', '-o', 'loop', image, directory)) return skip('loop devices cannot be mounted here')
    let isMounted = true
    const unmount = () => (isMounted = isMounted && !command('umount', directory))
    onTestFinished(() => void unmount())
    const data = join(directory, 'journal')
    const journal = await open(data)
    const answered: string[] = []
    for (let i = 0; journal.fullReason === undefined && i < 40; i++) {
      await keep(journal, `x${i}`, MiB).then(
        () => answered.push(`x${i}`),
        () => {},
      )
    }
    expect(journal.fullReason).toBe('failed')
    expect(answered.length).toBeGreaterThan(1)
    await journal.close()
    unmount()
    command('mount', '-o', 'remount,size=100m', below)
    expect(command('mount', '-o', 'loop', image, directory)).toBe(true)
    isMounted = true
    const found = await kept(data)
    expect(found.slice(0, answered.length)).toEqual(answered)
    for (const journalToClose of opened.splice(0)) await journalToClose.close().catch(() => {})
    unmount()
  })
})

describe('a disk that is full', () => {
  test('new work is refused while less than the reserve is free, before anything fails', async () => {
    let free = 100
    const journal = await open(newDirectory(), { diskFreeBytesMin: 100, readFreeBytes: async () => free })
    expect(journal.fullReason).toBeUndefined()
    await keep(journal, 'a', 1)
    expect(journal.fullReason).toBe('disk')
    expect(journal.stats()).toMatchObject({ full: 1 })
    // What is under way is kept all the same.
    await keep(journal, 'b', 1)
    free = 1_000
    await eventually(() => journal.fullReason, undefined)
  })

  test('a real one: what does not fit is refused and taken back, the rest is kept; with room it goes on', async ({ skip }) => {
    const directory = mountSmallDisk(2 * MiB)
    if (directory === undefined) return skip('a tmpfs cannot be mounted here')
    const journal = await open(directory)
    await keep(journal, 'a', MiB / 2)
    await expect(keep(journal, 'b', 1.75 * MiB)).rejects.toMatchObject({ code: 'overloaded' })
    expect(journal.failure).toBeUndefined()
    command('mount', '-o', 'remount,size=8m', directory)
    await eventually(() => journal.fullReason, undefined)
    await keep(journal, 'c', MiB / 2)
    await journal.close()
    expect(await kept(directory)).toEqual(['a', 'c'])
    for (const journalToClose of opened.splice(0)) await journalToClose.close().catch(() => {})
  })

  test('the host refuses with Retry-After and is not ready; with room it takes work again, and nothing it answered is lost', async () => {
    await using host = await peers()
    host.worker.failing = true
    const run = runMain(host.mainEnvironment)
    const port = await portOf(run)
    const ready = async () => (await fetch(`http://127.0.0.1:${port}/ready`)).status
    const before = await execute(host, port, 'export default () => 1')
    const pid = String(run.child.pid)
    // Whatever it adds to a file fails with EFBIG.
    if (!command('prlimit', '--pid', pid, '--fsize=0:')) throw new Error('prlimit (util-linux) is needed')
    expect((await post(host, port, 'export default () => 1')).status).toBe(429)
    const refused = await post(host, port, 'export default () => 1')
    expect(refused.problem()).toMatchObject({ status: 429, code: 'overloaded', detail: expect.stringContaining('disk is full') })
    expect(refused.headers.get('retry-after')).toBe('5')
    expect(await ready()).toBe(503)
    command('prlimit', '--pid', pid, '--fsize=unlimited:')
    await eventually(ready, 200, { withinMs: 20_000 })
    const after = await execute(host, port, 'export default () => 1')
    host.worker.failing = false
    run.child.kill('SIGTERM')
    expect(await run.exit).toBe(0)
    expect(host.worker.records.map(({ id }) => id)).toEqual([before, after])
  })

  test('a host whose disk failed ends with 1', async ({ skip }) => {
    const below = mountSmallDisk(12 * MiB)
    const directory = newDirectory()
    const image = join(below ?? '', 'disk')
    const made = below !== undefined && command('truncate', '-s', '64M', image) && command('mkfs.ext4', '-q', image)
    if (!made || !command('mount', '-o', 'loop', image, directory)) return skip('loop devices cannot be mounted here')
    onTestFinished(() => void command('umount', directory))
    mkdirSync(join(directory, 'data'))
    await using host = await peers()
    const run = runMain({ ...host.mainEnvironment, DATA_DIR: join(directory, 'data'), DISK_FREE_BYTES_MIN: '0' })
    const port = await portOf(run)
    host.worker.failing = true
    const source = `export default (input, context) => { context.artifact('a', new Uint8Array(1024 * 1024).map((_, i) => i * 7)) }`
    const statuses = []
    for (let i = 0; i < 12 && statuses.at(-1) !== 429; i++)
      statuses.push((await post(host, port, source).catch(() => ({ status: 429 }))).status)
    expect(statuses.at(-1)).toBe(429)
    expect(await run.exit).toBe(1)
    expect(run.output()).toContain('journal')
  })
})
