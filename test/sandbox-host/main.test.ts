// The host as a process: exit codes, signals, the channel to its parent, and a kill at the worst moment.
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { eventually } from '../fakes/eventually.ts'
import { startTestHost } from '../fakes/test-host.ts'
import type { TestHost } from '../fakes/test-host.ts'
import { signRequest } from '../../sandbox-host/signature.ts'
import { secret } from '../fakes/test-host.ts'

type Run = { child: ChildProcess; output: () => string; exit: Promise<number | null> }

function runMain(environment: Record<string, string>): Run {
  const env = { PATH: process.env['PATH'] ?? '', ...environment }
  const child = fork('sandbox-host/main.ts', [], {
    env,
    execPath: 'node_modules/.bin/node',
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (text += String(chunk)))
  // Not `close`: it does not come for a child that was disconnected.
  const ends = [child.stdout, child.stderr].map((stream) => stream && once(stream, 'end'))
  const exit = Promise.all([once(child, 'exit'), ...ends]).then(([[code]]) => code as number | null)
  return { child, output: () => text, exit }
}

/** Peers, program and environment of a host whose own process is then started beside it. */
async function peers(): Promise<TestHost & { mainEnvironment: Record<string, string> }> {
  const host = await startTestHost()
  await host.stop()
  return Object.assign(host, { mainEnvironment: { ...host.environment, ENGINE: 'quickjs', THREADS: '1', LOG_LEVEL: 'info' } })
}

async function execute(host: TestHost, port: number, source: string): Promise<string> {
  const execution = host.execution(source)
  const body = Buffer.from(JSON.stringify(execution))
  const path = '/v1/executions'
  const headers = signRequest({ secret, audience: `host ${host.name}`, method: 'POST', path, body, now: Date.now() })
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers, body })
  expect(response.status).toBe(200)
  return execution.id
}

const portOf = async ({ child }: Run) => ((await once(child, 'message')) as [{ type: 'ready'; port: number }])[0].port

test('a bad variable is one line and exit code 2', async () => {
  const run = runMain({ DATA_DIR: 'x' })
  expect(await run.exit).toBe(2)
  expect(run.output()).toBe('sandbox-host: SANDBOX_SECRET is not set: it is needed\n')
})

test('the fallback is refused in production', async () => {
  await using host = await peers()
  const run = runMain({ ...host.mainEnvironment, NODE_ENV: 'production' })
  expect(await run.exit).toBe(1)
  expect(run.output()).toContain('with NODE_ENV=production only wasmtime runs')
})

test('SIGTERM hands over and exits with 0; the fallback has warned', async () => {
  await using host = await peers()
  const run = runMain(host.mainEnvironment)
  const id = await execute(host, await portOf(run), 'export default () => 1')
  run.child.kill('SIGTERM')
  expect(await run.exit).toBe(0)
  expect(host.worker.records.map((record) => record.id)).toEqual([id])
  expect(run.output()).toContain('FALLBACK engine')
  expect(run.output()).not.toContain(secret)
})

test('it ends when the parent is gone', async () => {
  await using host = await peers()
  const run = runMain(host.mainEnvironment)
  await portOf(run)
  run.child.disconnect()
  expect(await run.exit).toBe(0)
})

test('killed after an answer, the next start delivers it', async () => {
  await using host = await peers()
  host.worker.failing = true
  const run = runMain(host.mainEnvironment)
  const id = await execute(host, await portOf(run), 'export default () => 1')
  run.child.kill('SIGKILL')
  await run.exit
  host.worker.failing = false
  const again = runMain(host.mainEnvironment)
  await portOf(again)
  await eventually(() => host.worker.records.map((record) => record.id), [id])
  again.child.kill('SIGTERM')
  expect(await again.exit).toBe(0)
})

test('killed under load, every answered execution is delivered by the next start', async () => {
  await using host = await peers()
  const run = runMain(host.mainEnvironment)
  const port = await portOf(run)
  const answered: string[] = []
  const killed = new AbortController()
  const callers = Array.from({ length: 8 }, async () => {
    while (!killed.signal.aborted) {
      const id = await execute(host, port, 'export default () => 1').catch(() => undefined)
      if (id) answered.push(id)
    }
  })
  while (answered.length < 40) await new Promise((resolve) => setTimeout(resolve, 5))
  run.child.kill('SIGKILL')
  killed.abort()
  await Promise.all([run.exit, ...callers])
  const again = runMain(host.mainEnvironment)
  await portOf(again)
  const missing = () => answered.filter((id) => !host.worker.records.some((record) => record.id === id))
  await eventually(missing, [])
  again.child.kill('SIGTERM')
  expect(await again.exit).toBe(0)
})
