// The host as a process of its own, beside a bucket and a Worker of a test.
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { signRequest } from '../../sandbox-host/signature.ts'
import { answerOf, secret, startTestHost } from './test-host.ts'
import type { TestAnswer, TestHost } from './test-host.ts'

export type Run = { child: ChildProcess; output: () => string; exit: Promise<number | null> }

export function runMain(environment: Record<string, string>): Run {
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
export async function peers(): Promise<TestHost & { mainEnvironment: Record<string, string> }> {
  const host = await startTestHost()
  await host.stop()
  return Object.assign(host, { mainEnvironment: { ...host.environment, ENGINE: 'quickjs', THREADS: '1', LOG_LEVEL: 'info' } })
}

export async function post(host: TestHost, port: number, source: string): Promise<TestAnswer & { id: string }> {
  const execution = host.execution(source)
  const body = Buffer.from(JSON.stringify(execution))
  const path = '/v1/executions'
  // A signature is for one host; which one this is depends on its folder.
  const { host: id } = (await (await fetch(`http://127.0.0.1:${port}/ready`)).json()) as { host: string }
  const headers = signRequest({ secret, audience: `host ${id}`, method: 'POST', path, body, now: Date.now() })
  return { id: execution.id, ...(await answerOf(await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers, body }))) }
}

/** @throws when it is not answered with 200 */
export async function execute(host: TestHost, port: number, source: string): Promise<string> {
  const { id, status } = await post(host, port, source)
  if (status !== 200) throw new Error(`the execution was answered ${status}`)
  return id
}

export const portOf = async ({ child }: Run): Promise<number> =>
  ((await once(child, 'message')) as [{ type: 'ready'; port: number }])[0].port
