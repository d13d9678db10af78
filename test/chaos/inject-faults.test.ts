// Faults on a real process: one that did nothing would make every storm a calm one.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Stack } from '../../local/stack.ts'
import { processTree } from './child-processes.ts'
import { injectFaults } from './inject-faults.ts'
import type { Fault } from './plan-faults.ts'

/** Adds a byte to a file again and again, and says how it went. */
const writing = `
  const { appendFileSync } = require('node:fs')
  setInterval(() => {
    try { appendFileSync(process.argv[1], '.'); console.log('written') } catch (error) { console.log(error.code) }
  }, 20)`

let directory: string
let host: ChildProcess
let said: string[]

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bounty-faults-'))
  said = []
  host = spawn(process.execPath, ['-e', writing, join(directory, 'file')], { stdio: ['ignore', 'pipe', 'inherit'] })
  host.stdout?.on('data', (chunk) => said.push(...String(chunk).trim().split('\n')))
})

afterEach(async () => {
  if (host.exitCode === null && host.signalCode === null) {
    host.kill('SIGKILL')
    await once(host, 'exit')
  }
  rmSync(directory, { recursive: true })
})

function inject(...faults: Fault[]) {
  const stack = { processes: () => ({ host: host.pid ?? 0 }), hostUrls: { host: '' } } as Partial<Stack> as Stack
  const plan = faults.map((fault) => ({ atMs: 0, fault }))
  return injectFaults({ stack, links: new Map(), localDir: directory }, { plan, report: () => {} })
}

const untilSaid = (word: string) => vi.waitFor(() => expect(said).toContain(word), { timeout: 20_000 })
const state = () => readFileSync(`/proc/${host.pid}/stat`, 'utf8').match(/\) (\S)/)?.[1]

describe.runIf(process.platform === 'linux')('a fault', () => {
  test('kill -9 ends the process', async () => {
    await untilSaid('written')
    const ended = once(host, 'exit')
    expect((await inject({ kind: 'kill', part: 'host' })).counts).toEqual({ 'kill host': 1 })
    expect(await ended).toEqual([null, 'SIGKILL'])
  })

  test('freeze stops the process, and lets it go on', async () => {
    await untilSaid('written')
    const injected = inject({ kind: 'freeze', part: 'host', forMs: 1_000 })
    await vi.waitFor(() => expect(state()).toBe('T'), { timeout: 20_000, interval: 10 })
    expect((await injected).counts).toEqual({ 'freeze host': 1 })
    said.length = 0
    await untilSaid('written')
  })

  test('a full disk fails what is written, and then no more', async () => {
    await untilSaid('written')
    const injected = inject({ kind: 'full-disk', forMs: 1_000 })
    await untilSaid('EFBIG')
    await injected
    said.length = 0
    await untilSaid('written')
  })

  test('a link that is not there is missed, and counted so', async () => {
    const { counts } = await inject({ kind: 'slow', link: 'edge-host', forMs: 1 })
    expect(counts).toEqual({ 'missed: slow edge-host': 1 })
  })

  test('a tree holds what is below the process', () => {
    expect(processTree(process.pid).map(({ pid }) => pid)).toContain(host.pid)
  })
})
