// The whole local cloud, with each of its processes killed in turn: it must be back on the same port within 3 s, and what it kept must
// still be there. Then the starter itself is killed, and the next start recovers.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { leftoverProcesses } from '../../local/leftover-processes.ts'
import { nodeProcess } from '../../local/node-process.ts'
import { processBirth } from '../../local/process-birth.ts'

/** That a part comes back is tested; that it takes less than 3 s is measured (`npm run bench -- start`): other tests share the cores. */
const healWallMsMax = 20_000
type Credentials = { baseUrl: string; directUrl: string; hostUrl: string; demoKey: string }

let localDir: string
let starter: ChildProcess
let credentials: Credentials
const output: string[] = []

beforeAll(async () => {
  localDir = await mkdtemp(join(tmpdir(), 'bounty-stack-'))
  await chmod(localDir, 0o755)
  await start()
}, 60_000)

afterAll(async () => {
  if (starter.exitCode === null) {
    starter.kill('SIGTERM')
    await once(starter, 'exit')
  }
  await rm(localDir, { recursive: true, force: true })
}, 30_000)

function spawnStarter(environment: Record<string, string> = {}): ChildProcess {
  const { command, args } = nodeProcess({ name: 'start', file: 'local/start.ts', env: {} })
  const ports = { EDGE_PORT: '0', DIRECT_PORT: '0', HOST_PORT: '0', LOCAL_DIR: localDir }
  const child = spawn(command, [...args, '--no-demo'], {
    env: { ...process.env, ...ports, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return child
}

/** Everything that it prints from now on. */
function listen(child: ChildProcess, lines: string[] = []): string[] {
  lines.length = 0
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => lines.push(String(chunk)))
  return lines
}

async function refusal(environment: Record<string, string>): Promise<{ code: unknown; said: string }> {
  const child = spawnStarter(environment)
  const lines = listen(child)
  const [code] = await once(child, 'exit')
  return { code, said: lines.join('').trim() }
}

async function start() {
  starter = spawnStarter()
  listen(starter, output)
  await vi.waitFor(
    () => {
      if (starter.exitCode !== null) throw new Error(`start ended with ${starter.exitCode}: ${output.join('')}`)
      expect(output.join('')).toContain('Ctrl-C stops everything')
    },
    { timeout: 50_000, interval: 50 },
  )
  credentials = JSON.parse(readFileSync(join(localDir, 'credentials.json'), 'utf8'))
}

function processes(): Record<string, number> {
  return JSON.parse(readFileSync(join(localDir, 'processes.json'), 'utf8'))
}

async function isServing(): Promise<boolean> {
  const answers = [`${credentials.baseUrl}/api/bounties`, `${credentials.directUrl}/api/accounts/me`, `${credentials.hostUrl}/metrics`].map(
    (url) => fetch(url, { headers: { authorization: `Bearer ${credentials.demoKey}` }, signal: AbortSignal.timeout(1_000) }),
  )
  // 401 is what the host says to an unsigned request: it is there.
  return (await Promise.all(answers)).every(({ status }) => status < 500)
}

const untilServing = (timeout: number) => vi.waitFor(async () => expect(await isServing()).toBe(true), { timeout, interval: 25 })

describe('the local cloud', () => {
  test('each part is a child of its own, never the starter', () => {
    const pids = processes()
    expect(Object.keys(pids)).toEqual(expect.arrayContaining(['host', 'edge', 'neon-http', 'upstash-rest']))
    expect(new Set(Object.values(pids)).size).toBe(Object.keys(pids).length)
    expect(Object.values(pids)).not.toContain(starter.pid)
    // Nothing of Kafka is started unless it is wished for.
    expect(Object.keys(pids).filter((name) => name.includes('kafka'))).toEqual([])
  })

  test('secrets are for this user alone, and are not printed', () => {
    for (const file of ['secrets.json', 'credentials.json']) expect(statSync(join(localDir, file)).mode & 0o077).toBe(0)
    expect(output.join('')).not.toContain(JSON.parse(readFileSync(join(localDir, 'secrets.json'), 'utf8')).sandboxSecret)
  })

  test.each(['edge', 'host', 'neon-http', 'upstash-rest', 'redis', 'postgres'])(
    '%s is healed after kill -9, on the same port',
    { timeout: 60_000 },
    async (name) => {
      const killed = processes()[name]
      if (killed === undefined) return // DATABASE_URL or REDIS_URL replaces it
      await untilServing(healWallMsMax)
      const killedAt = performance.now()
      process.kill(killed, 'SIGKILL')
      output.length = 0
      await vi.waitFor(() => expect(output.join('')).toContain(`${name} is back`), { timeout: healWallMsMax, interval: 10 })
      await untilServing(healWallMsMax)
      expect(processes()[name]).not.toBe(killed)
      const tookMs = Math.round(performance.now() - killedAt)
      console.log(`${name} healed in ${tookMs} ms\n${output.join('')}`)
    },
  )

  test.runIf(process.platform === 'linux')('workerd killed behind the edge is healed too', async () => {
    const edge = processes()['edge'] ?? 0
    const [workerd] = readFileSync(`/proc/${edge}/task/${edge}/children`, 'utf8').trim().split(' ').map(Number)
    process.kill(workerd ?? 0, 'SIGKILL')
    await vi.waitFor(() => expect(processes()['edge']).not.toBe(edge), { timeout: healWallMsMax, interval: 10 })
    await untilServing(healWallMsMax)
  })

  test('an event log that does not exist is refused, with those that do', async () => {
    const { code, said } = await refusal({ EVENT_LOG: 'rabbits' })
    expect([code, said]).toEqual([2, 'EVENT_LOG is "rabbits": it must be queues or kafka.'])
  })

  test('a second start on the same directory is refused in one line', async () => {
    const { code, said } = await refusal({})
    expect(code).toBe(1)
    expect(said).toMatch(/^.* is in use by another start \(pid \d+.*$/)
    expect(await isServing()).toBe(true)
  })

  test('after kill -9 of the starter its children end, and the next start recovers', async () => {
    const before = processes()
    starter.kill('SIGKILL')
    await once(starter, 'exit')
    await start()
    expect(output.join('')).toContain('the last start was killed')
    for (const pid of Object.values(before)) expect(processBirth(pid)).toBeUndefined()
    await untilServing(healWallMsMax)
  }, 60_000)

  test('a stop leaves no process and no lock behind', async () => {
    starter.kill('SIGINT')
    const [code] = await once(starter, 'exit')
    expect(code).toBe(0)
    expect(leftoverProcesses(localDir)).toEqual([])
    expect(existsSync(join(localDir, 'lock.json'))).toBe(false)
    expect(existsSync(join(localDir, 'processes.json'))).toBe(false)
  }, 20_000)

  test('a directory that cannot be written is one line that names it', async () => {
    // Not a file mode: tests that run as root may write anywhere but here.
    const { code, said } = await refusal({ LOCAL_DIR: '/dev/null/below' })
    expect(code).toBe(1)
    expect(said).toMatch(/^cannot write to .*set LOCAL_DIR to a directory that is\.$/)
  })

  test('a port in use is one line that names it and its variable', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const { code, said } = await refusal({ HOST_PORT: String(port), LOCAL_DIR: join(localDir, 'other') })
    server.close()
    expect(code).toBe(1)
    expect(said).toMatch(new RegExp(`^port ${port} is in use.*set HOST_PORT to another port.*$`))
  })

  test('a port that is no port is refused', async () => {
    const { code, said } = await refusal({ EDGE_PORT: '65536' })
    expect(code).toBe(2)
    expect(said).toContain('EDGE_PORT is "65536": a port is a whole number from 0 to 65535.')
  })

  test.each(['0', '17', 'two'])('HOSTS=%s is refused', async (hosts) => {
    const { code, said } = await refusal({ HOSTS: hosts })
    expect(code).toBe(2)
    expect(said).toContain(`HOSTS is "${hosts}": it is a whole number from 1 to 16.`)
  })
})
