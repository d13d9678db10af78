// A host tells the Worker that it is there, that it drains, and that it has left.
import { expect, test } from 'vitest'
import { createHeartbeat } from '../../sandbox-host/heartbeat.ts'
import { createLog } from '../../sandbox-host/log.ts'
import { beatOf } from '../fakes/beat-of.ts'
import { eventually } from '../fakes/eventually.ts'
import { secret, startTestHost } from '../fakes/test-host.ts'
import type { TestHost } from '../fakes/test-host.ts'
import { startWorkerServer } from '../fakes/worker-server.ts'

const states = (host: TestHost) => host.worker.beats.map(({ state }) => state)

test('it says who it is when it listens, and again when it stops', async () => {
  await using host = await startTestHost({ environment: { INSTANCE_ID: 'machine-1', THREADS: '3', SLOTS: '8' } })
  await eventually(() => states(host), ['up'])
  expect(host.worker.beats[0]).toMatchObject({
    host: host.name,
    instance: 'machine-1',
    threads: 3,
    load: 0,
    tiers: expect.arrayContaining(['basic']),
  })
  await host.stop()
  expect(states(host)).toEqual(['up', 'draining', 'left'])
  const at = host.worker.beats.map((beat) => Date.parse(beat.at))
  expect(at).toEqual([...new Set(at)].toSorted((a, b) => a - b))
})

test.each([
  [{ FLY_MACHINE_ID: '90801679a10038' }, /^90801679a10038$/],
  [{}, /^host-[0-9a-f]{8}$/],
])('its instance is the name of the machine, or its own: %o', async (environment, instance) => {
  await using host = await startTestHost({ environment })
  await eventually(() => host.worker.beats[0]?.instance.match(instance) !== null && host.worker.beats.length > 0, true)
})

test('until the last moment it says to whoever asks that it drains', async () => {
  await using host = await startTestHost()
  const stopped = host.stop()
  expect((await host.post('/v1/executions', host.execution('plain'))).problem().code).toBe('draining')
  await stopped
})

test('a host that could not hand over all that it had has not left', async () => {
  await using host = await startTestHost({ environment: { DRAIN_GRACE_MS: '400' } })
  await host.post('/v1/executions', host.execution('plain'))
  host.bucket.failing = true
  await host.stop()
  expect(states(host).at(-1)).toBe('draining')
})

test('without work it says that it rests, and then nothing, until there is work', async () => {
  const worker = await startWorkerServer(secret)
  const { state: _state, load: _load, at: _at, ...host } = beatOf()
  let load = 1
  const times = { beatMs: 10, restAfterMs: 150, restBeatMs: 600_000 }
  const heartbeat = createHeartbeat({ host, load: () => load, workerUrl: worker.url, secret, log: createLog('silent'), times })
  const said = () => [...new Set(worker.beats.map(({ state }) => state))]
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
  heartbeat.start()
  await pause(400)
  // A run that takes long is work.
  expect(said()).toEqual(['up'])
  load = 0
  await eventually(said, ['up', 'resting'])
  const count = worker.beats.length
  await pause(200)
  expect(worker.beats).toHaveLength(count)
  heartbeat.stir()
  await eventually(() => worker.beats.at(count)?.state, 'up')
  await heartbeat.end('left', Date.now() + 5_000)
  expect(worker.beats.at(-1)?.state).toBe('left')
  await worker.stop()
})

test('where the Worker does not know of rest yet, it goes on beating', async () => {
  const worker = await startWorkerServer(secret)
  worker.isFromBefore = true
  const { state: _state, load: _load, at: _at, ...host } = beatOf()
  const times = { beatMs: 10, restAfterMs: 50, restBeatMs: 600_000 }
  const heartbeat = createHeartbeat({ host, load: () => 0, workerUrl: worker.url, secret, log: createLog('silent'), times })
  heartbeat.start()
  await new Promise((resolve) => setTimeout(resolve, 150))
  const count = worker.beats.length
  await eventually(() => worker.beats.length > count + 5, true)
  await heartbeat.end('left', Date.now() + 5_000)
  await worker.stop()
})
