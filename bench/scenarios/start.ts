// `npm start` as a person does it, from an installed and built tree: to ready with new state, and again with what the first run left.
import { spawn } from 'node:child_process'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { treeMemoryMiB } from '../process-tree.ts'
import type { ScenarioResult } from '../run.ts'

export async function start(): Promise<ScenarioResult> {
  const localDir = await mkdtemp(join(tmpdir(), 'bounty-start-'))
  await chmod(localDir, 0o755)
  try {
    const first = await startOnce(localDir)
    const second = await startOnce(localDir)
    return {
      figures: [
        { name: 'npm start to ready, new state, demo loaded, s', value: first.seconds },
        { name: 'npm start to ready, second time, s', value: second.seconds, target: '< 6' },
        { name: 'memory of the whole process tree when ready, MiB (PSS)', value: second.memoryMiB },
      ],
      raw: { first, second },
    }
  } finally {
    await rm(localDir, { recursive: true, force: true })
  }
}

type Start = { seconds: number; memoryMiB: number; exitCode: number | null; stopSeconds: number }

async function startOnce(localDir: string): Promise<Start> {
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
  const stopping = performance.now()
  // What Ctrl-C sends: the whole process group.
  process.kill(-child.pid, 'SIGINT')
  return { seconds, memoryMiB, exitCode: await exited, stopSeconds: (performance.now() - stopping) / 1000 }
}
