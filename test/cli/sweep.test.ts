// `bounty sweep` as a process, against the edge in this one.
import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { serveOnFreePort } from '../fakes/serve-on-free-port.ts'
import { adminKey, testEdge } from '../fakes/test-edge.ts'
import { bounty } from './bounty.ts'

const edge = testEdge()
let env: Record<string, string>
let stop: () => Promise<void>
beforeAll(async () => {
  const server = createAdaptorServer({ fetch: edge.fetch }) as Server // without options it is one of node:http
  const served = await serveOnFreePort(server)
  stop = served.stop
  env = { BOUNTY_URL: served.url, BOUNTY_KEY: adminKey }
  for (let number = 1; number <= 1_200; number++) edge.artifacts.put(`bundles/host/${String(number).padStart(12, '0')}`, new Uint8Array(2))
  edge.clock.now += 100 * 86_400_000
})
afterAll(() => stop())

test('says what it would delete, then deletes it', async () => {
  const dry = await bounty(['sweep', '--dry-run'], { env })
  expect([dry.code, dry.err]).toEqual([0, ''])
  expect(dry.out).toMatch(/looked at\s+would be deleted/)
  expect(dry.out).toMatch(/bundles\s+1200\s+1200\s+2400\s+bundles\/host\/000000000001/)
  expect(edge.artifacts.objects.size).toBe(1_200)
  const done = await bounty(['sweep', '--json'], { env })
  expect(done.code).toBe(0)
  const steps = done.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line)) // one object a line
  expect(steps.map(({ phase, deleted }) => `${phase} ${deleted}`)).toEqual([
    'executions 0',
    'programs 0',
    'artifacts 0',
    'bundles 1000',
    'bundles 200',
  ])
  expect(edge.artifacts.objects.size).toBe(0)
})

test('is for the administrator', async () => {
  const { key } = await edge.account('ada')
  const answer = await bounty(['sweep', '--dry-run'], { env: { ...env, BOUNTY_KEY: key } })
  expect(answer.code).toBe(1)
  expect(answer.err).toContain('administrator')
  expect((await bounty(['sweep', 'now'], { env })).code).toBe(2)
})
