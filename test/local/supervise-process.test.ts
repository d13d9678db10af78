import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { openProcessLog } from '../../local/process-log.ts'
import { restartDelayMs, superviseProcess, type SupervisedProcess } from '../../local/supervise-process.ts'

const directory = mkdtempSync(join(tmpdir(), 'bounty-supervise-'))
const log = openProcessLog(join(directory, 'child.log'))
let child: SupervisedProcess | undefined
const said: string[] = []
afterEach(() => child?.stop())
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function supervise(script: string, startWallMsMax = 5_000): SupervisedProcess {
  said.length = 0
  const spec = { name: 'child', command: process.execPath, args: ['-e', script], env: {}, startWallMsMax }
  child = superviseProcess(spec, { log, report: (line) => said.push(line), onPid: () => {} })
  return child
}

const alive = (pid: number) => existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))

test('restartDelayMs heals the first death at once and has an upper bound', () => {
  expect([1, 2, 3, 4, 8, 9, 1_000].map(restartDelayMs)).toEqual([0, 100, 200, 400, 5_000, 5_000, 5_000])
})

describe('superviseProcess', () => {
  test('a killed child is started again', async () => {
    const { ready, pid } = supervise("process.send({ type: 'ready' }); setInterval(() => {}, 1000)")
    await ready
    const first = pid() ?? 0
    process.kill(first, 'SIGKILL')
    await vi.waitFor(() => expect(said.join()).toContain('is back'), 3_000)
    expect(pid()).not.toBe(first)
  })

  test.runIf(process.platform === 'linux')('what a killed child had started dies with it', async () => {
    const script = `const { pid } = require('node:child_process').spawn('sleep', ['1000']); console.log('started', pid)
      process.send({ type: 'ready' }); setInterval(() => {}, 1000)`
    const { ready, pid } = supervise(script)
    await ready
    await vi.waitFor(() => expect(log.tail()).toMatch(/started \d+/))
    const grandchild = Number(/started (\d+)/.exec(log.tail())?.[1])
    expect(alive(grandchild)).toBe(true)
    process.kill(pid() ?? 0, 'SIGKILL')
    await vi.waitFor(() => expect(alive(grandchild)).toBe(false), 3_000)
  })

  test('a child that cannot start is given up, with its last words', async () => {
    await expect(supervise("console.error('no such thing'); process.exit(3)").ready).rejects.toThrow(
      /ended with code 3[\s\S]*no such thing/,
    )
  })

  test('a child that never gets ready is killed', async () => {
    await expect(supervise('setInterval(() => {}, 1000)', 100).ready).rejects.toThrow(/was killed[\s\S]*not ready after 100 ms/)
  })

  test('a program that does not exist is given up', async () => {
    const spec = { name: 'child', command: join(directory, 'absent'), args: [], env: {} }
    child = superviseProcess(spec, { log, report: () => {}, onPid: () => {} })
    await expect(child.ready).rejects.toThrow(/ENOENT/)
  })

  test('a child that ignores the signal is killed after the grace', async () => {
    const { ready, pid, stop } = supervise("process.on('SIGTERM', () => {}); process.send({ type: 'ready' }); setInterval(() => {}, 1000)")
    await ready
    const own = pid() ?? 0
    await stop()
    expect(alive(own)).toBe(false)
  })
})

test('a log keeps to its bound', () => {
  const path = join(directory, 'long.log')
  const long = openProcessLog(path)
  for (let i = 0; i < 20; i++) long.write('x'.repeat(1024 * 1024))
  long.close()
  expect(statSync(path).size).toBeLessThanOrEqual(8 * 1024 * 1024)
  expect(statSync(`${path}.1`).size).toBeLessThanOrEqual(8 * 1024 * 1024)
  expect(long.tail().length).toBeLessThan(12 * 600)
})
