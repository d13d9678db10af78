// The host as a process: exit codes, signals, the channel to its parent, and a kill at the worst moment.
import { expect, test } from 'vitest'
import { eventually } from '../fakes/eventually.ts'
import { execute, peers, portOf, runMain } from '../fakes/host-process.ts'
import { secret } from '../fakes/test-host.ts'

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
