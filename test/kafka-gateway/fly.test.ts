// The gateway's fly.toml and Dockerfile against its own configuration: they cannot be tried here.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { parse } from 'smol-toml'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { readConfig } from '../../kafka-gateway/config.ts'

const flySchema = z.object({
  kill_signal: z.literal('SIGTERM'),
  kill_timeout: z.number().int().max(300),
  build: z.strictObject({ dockerfile: z.string(), ignorefile: z.string() }),
  processes: z.record(z.string(), z.string()),
  env: z.record(z.string(), z.string()),
  http_service: z.object({
    processes: z.array(z.string()),
    internal_port: z.number().int(),
    force_https: z.literal(true),
    concurrency: z.object({ type: z.literal('requests'), hard_limit: z.number().int() }),
    checks: z.array(z.object({ path: z.string() })),
  }),
})
const fly = flySchema.parse(parse(readFileSync('kafka-gateway/fly.toml', 'utf8')))
const secrets = { GATEWAY_PASSWORD: 'x'.repeat(32), KAFKA_BROKERS: 'broker.internal:9092' }
const config = readConfig({ ...fly.env, ...secrets })

test('the environment is a valid configuration, holds no secret, and fits the platform', () => {
  expect(Object.keys(fly.env).filter((name) => name in secrets)).toEqual([])
  expect(config).toMatchObject({ bind: '0.0.0.0', port: fly.http_service.internal_port })
  expect(fly.kill_timeout * 1000).toBeGreaterThan(config.drainGraceMs + 5_000)
  expect(fly.http_service.concurrency.hard_limit).toBeLessThanOrEqual(config.requestsMax)
  expect(fly.http_service.processes).toEqual(Object.keys(fly.processes))
  expect(fly.http_service.checks.map(({ path }) => path)).toEqual(['/health', '/ready'])
})

test('everything that the image copies exists, runs on the pinned Node line, and is no root', () => {
  const dockerfile = readFileSync(fly.build.dockerfile, 'utf8')
  const sources = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, from]) => (from ?? '').split(' '))
  expect(sources.filter((source) => globSync(source).length === 0)).toEqual([])
  expect(existsSync(fly.build.ignorefile)).toBe(true)
  const { devDependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
  expect(dockerfile).toContain(`FROM node:${String(devDependencies.node).split('.')[0]}-`)
  expect(dockerfile).toContain('USER node')
})
