// fly.toml and the Dockerfile against the host's own configuration and the public schema's types: they cannot be tried here.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { parse } from 'smol-toml'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { readConfig } from '../../sandbox-host/config.ts'

const duration = z.string().regex(/^\d+(s|m)$/)
/** The facts that matter, with the types that the public JSON schema of fly.toml gives them. */
const flySchema = z.object({
  app: z.string(),
  primary_region: z.string(),
  kill_signal: z.literal('SIGTERM'),
  kill_timeout: z.number().int().max(300),
  deploy: z.strictObject({ strategy: z.literal('rolling'), max_unavailable: z.literal(1) }),
  build: z.strictObject({ dockerfile: z.string(), ignorefile: z.string() }),
  env: z.record(z.string(), z.string()),
  mounts: z.strictObject({ source: z.string(), destination: z.string(), initial_size: z.string() }),
  http_service: z.object({
    internal_port: z.number().int(),
    force_https: z.literal(true),
    auto_start_machines: z.literal(true),
    // The proxy knows nothing of placement: it would stop a host that programs are warm on.
    auto_stop_machines: z.literal('off'),
    min_machines_running: z.number().int().min(1),
    concurrency: z.object({ type: z.literal('requests'), soft_limit: z.number().int(), hard_limit: z.number().int() }),
    checks: z.array(
      z.object({ method: z.literal('GET'), path: z.string(), interval: duration, timeout: duration, grace_period: duration }),
    ),
  }),
  vm: z.array(z.object({ size: z.literal('shared-cpu-1x'), memory: z.literal('512mb') })).length(1),
})

const fly = flySchema.parse(parse(readFileSync('fly.toml', 'utf8')))
const secrets = {
  SANDBOX_SECRET: 'x'.repeat(32),
  WORKER_URL: 'https://bounty.example',
  R2_ENDPOINT: 'https://account.r2.example/bucket',
  R2_ACCESS_KEY_ID: 'key',
  R2_SECRET_ACCESS_KEY: 'secret',
}
const config = readConfig({ ...fly.env, ...secrets })

test('the environment is a valid configuration and holds no secret', () => {
  expect(config).toMatchObject({ nodeEnvironment: 'production', bind: '0.0.0.0', engine: { choice: 'wasmtime' } })
  expect(Object.keys(fly.env).filter((name) => name in secrets)).toEqual([])
})

test('the proxy talks to the port that the host listens on', () => expect(fly.http_service.internal_port).toBe(config.port))

test('the Worker finds the machine by the name that the platform gives it', () => {
  expect(readConfig({ ...fly.env, ...secrets, FLY_MACHINE_ID: '90801679a10038' }).instance).toBe('90801679a10038')
  expect(fly.env['INSTANCE_ID']).toBeUndefined()
})

test('the journal lies on the volume', () => expect(config.dataDirectory).toBe(fly.mounts.destination))

test('a journal at its limit fits the volume', () => expect(config.journalBytesMax * 2).toBeLessThan(1e9))

test('the platform waits longer than the host drains', () => expect(fly.kill_timeout * 1000).toBeGreaterThan(config.drainGraceMs + 5_000))

test('the platform sends no more than slots and queue hold', () => {
  expect(fly.http_service.concurrency.hard_limit).toBeLessThanOrEqual(config.admission.runningMax + config.admission.queueMax)
})

test('guests, programs and heap leave a part of the memory free', () => {
  const heapMiB = Number(/--max-old-space-size=(\d+)/.exec(fly.env['NODE_OPTIONS'] ?? '')?.[1])
  const guestMiB = (config.engine.slots * config.engine.memoryBytesMax + config.programBytesBudget) / 2 ** 20
  // Swap is counted: all slots at their limit at once is the worst case, not the usual one.
  expect(heapMiB + guestMiB).toBeLessThan(512)
})

test('health and readiness are checked', () => expect(fly.http_service.checks.map(({ path }) => path)).toEqual(['/health', '/ready']))

test('everything that the image copies exists and is not ignored', () => {
  const dockerfile = readFileSync(fly.build.dockerfile, 'utf8')
  const copies = [...dockerfile.matchAll(/^COPY (?!--from)(.*)$/gm)].map(([, args]) =>
    (args ?? '').split(' ').filter((arg) => !arg.startsWith('--')),
  )
  const sources = copies.flatMap((args) => args.slice(0, -1))
  expect(sources.length).toBeGreaterThan(7)
  expect(sources.filter((source) => globSync(source).length === 0)).toEqual([])
  expect(existsSync(fly.build.ignorefile)).toBe(true)
})

test('the image runs on the Node line that the project pins, and drops its rights', () => {
  const { devDependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
  const major = String(devDependencies.node).split('.')[0]
  const images = [...readFileSync(fly.build.dockerfile, 'utf8').matchAll(/^FROM node:(\d+)-/gm)].map(([, version]) => version)
  expect(images).toEqual([major, major])
  expect(readFileSync('sandbox-host/entrypoint.sh', 'utf8')).toContain('exec setpriv --reuid=node')
})
