// `npm start` as a person does it, from an installed and built tree: to ready with new state, and again with what the first run left.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { treeMemoryMiB } from '../process-tree.ts'
import type { ScenarioResult } from '../scenario.ts'

export async function start(): Promise<ScenarioResult> {
  const localDir = await mkdtemp(join(tmpdir(), 'bounty-start-'))
  await chmod(localDir, 0o755)
  try {
    const first = await startOnce(localDir)
    const second = await startOnce(localDir, { withKills: true })
    return {
      figures: [
        { name: 'npm start to ready, new state, demo loaded, s', value: first.seconds },
        { name: 'npm start to ready, second time, s', value: second.seconds, target: '< 6' },
        { name: 'memory of the whole process tree when ready, MiB (PSS)', value: second.memoryMiB },
        ...Object.entries(second.healSeconds).map(([name, value]) => ({
          name: `kill -9 of ${name} to serving again, s`,
          value,
          target: '< 3',
        })),
      ],
      raw: { first, second },
    }
  } finally {
    await rm(localDir, { recursive: true, force: true })
  }
}

type Start = { seconds: number; memoryMiB: number; healSeconds: Record<string, number>; exitCode: number | null; stopSeconds: number }

async function startOnce(localDir: string, { withKills = false } = {}): Promise<Start> {
  const started = performance.now()
  const env = { ...process.env, LOCAL_DIR: localDir, EDGE_PORT: '18787', DIRECT_PORT: '18788', HOST_PORT: '18789' }
  const child = spawn('npm', ['start'], { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  let shown = ''
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const ready = new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      shown += chunk.toString()
      if (/^ *Agent Bounty is ready /m.test(shown)) resolve()
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    void exited.then((code) => reject(new Error(`npm start ended with ${code} before it was ready:\n${shown.slice(-2000)}`)))
  })
  await ready
  const seconds = (performance.now() - started) / 1000
  if (child.pid === undefined) throw new Error('npm start has no process')
  const memoryMiB = treeMemoryMiB(child.pid)
  const healSeconds = withKills ? await killEach(localDir) : {}
  const stopping = performance.now()
  // What Ctrl-C sends: the whole process group.
  process.kill(-child.pid, 'SIGINT')
  return { seconds, memoryMiB, healSeconds, exitCode: await exited, stopSeconds: (performance.now() - stopping) / 1000 }
}

/** Longer than a life must last so that the next death is the first of a series (`supervise-process.ts`). */
const soundLifeMs = 10_500

async function killEach(localDir: string): Promise<Record<string, number>> {
  const read = (file: string) => JSON.parse(readFileSync(join(localDir, file), 'utf8'))
  const pids: Record<string, number> = read('processes.json')
  const { baseUrl, demoKey, hostUrl }: Record<string, string> = read('credentials.json')
  const isServing = async () => {
    const headers = { authorization: `Bearer ${demoKey}` }
    const urls = [`${baseUrl}/api/bounties`, `${baseUrl}/api/accounts/me`, `${baseUrl}/api/ready`, `${hostUrl}/metrics`]
    const answers = await Promise.all(urls.map((url) => fetch(url, { headers, signal: AbortSignal.timeout(1_000) })))
    return answers.every(({ status }) => status < 500)
  }
  const healSeconds: Record<string, number> = {}
  for (const [name, pid] of Object.entries(pids)) {
    await pause(soundLifeMs)
    const killedAt = performance.now()
    process.kill(pid, 'SIGKILL')
    while (read('processes.json')[name] === pid || !(await isServing().catch(() => false))) await pause(10)
    healSeconds[name] = (performance.now() - killedAt) / 1000
  }
  return healSeconds
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
