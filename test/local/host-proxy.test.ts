// The proxy before several hosts does what Fly's documents of its own: prefer, force, fall back, and never send again what may have arrived.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { claimPorts } from '../../local/free-port.ts'

type Seen = { instance: string; headers: IncomingMessage['headers']; body: string }
let seen: Seen[]
let handle: (instance: string, request: IncomingMessage, response: ServerResponse) => void
let servers: Server[]
let proxy: ChildProcess
let url: string

beforeAll(async () => {
  servers = await Promise.all(
    ['a', 'b'].map(async (instance) => {
      const server = createServer((request, response) => {
        let body = ''
        request.on('data', (chunk) => (body += String(chunk)))
        request.on('end', () => {
          seen.push({ instance, headers: request.headers, body })
          handle(instance, request, response)
        })
      }).listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const [port = 0, gone = 0] = await claimPorts([
    { port: 0, variable: '' },
    { port: 0, variable: '' },
  ])
  const [a = 0, b = 0] = servers.map((server) => (server.address() as AddressInfo).port)
  proxy = fork('local/host-proxy.ts', [], {
    env: { PATH: process.env['PATH'] ?? '', PORT: String(port), INSTANCES: JSON.stringify({ a, b, gone }) },
    execPath: 'node_modules/.bin/node',
    execArgv: [],
  })
  await once(proxy, 'message')
  url = `http://127.0.0.1:${port}`
})
beforeEach(() => {
  seen = []
  handle = (instance, _request, response) => response.writeHead(200, { 'x-instance': instance }).end(`from ${instance}`)
})
afterAll(async () => {
  proxy.kill('SIGTERM')
  await once(proxy, 'exit')
  for (const server of servers) server.close()
})

async function send(headers: Record<string, string>, body = 'a body'): Promise<{ status: number; text: string }> {
  const response = await fetch(`${url}/v1/x?y=1`, { method: 'POST', headers, body })
  return { status: response.status, text: await response.text() }
}

test.each(['fly-prefer-instance-id', 'fly-force-instance-id'])('%s names the one that is reached', async (header) => {
  for (const instance of ['a', 'b', 'a']) expect(await send({ [header]: instance })).toEqual({ status: 200, text: `from ${instance}` })
  expect(seen.map(({ body }) => body)).toEqual(['a body', 'a body', 'a body'])
})

test('one that is preferred and away is replaced, and the other one is told so', async () => {
  const large = 'x'.repeat(300_000)
  expect((await send({ 'fly-prefer-instance-id': 'gone' }, large)).status).toBe(200)
  expect(seen).toMatchObject([{ headers: { 'fly-preferred-instance-unavailable': 'gone' }, body: large }])
  expect((await send({ 'fly-prefer-instance-id': 'unknown' })).status).toBe(200)
})

test('one that is forced and away is not', async () => {
  expect((await send({ 'fly-force-instance-id': 'gone' })).status).toBe(503)
  expect(seen).toEqual([])
})

test('without a wish whoever has the least under way is asked, and none that is away', async () => {
  const answers: (() => void)[] = []
  handle = (instance, _request, response) => answers.push(() => response.end(instance))
  const held = [send({}), send({})]
  while (answers.length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
  expect(seen.map(({ instance }) => instance).toSorted()).toEqual(['a', 'b'])
  for (const answer of answers) answer()
  await Promise.all(held)
})

test('what was sent is not sent again: an instance that is lost is a 502, or a broken answer', async () => {
  handle = (_instance, request) => request.socket.destroy()
  expect((await send({ 'fly-prefer-instance-id': 'a' })).status).toBe(502)
  expect(seen).toHaveLength(1)
  handle = (_instance, request, response) => {
    response.writeHead(200).write('half')
    setTimeout(() => request.socket.destroy(), 20)
  }
  await expect(send({ 'fly-prefer-instance-id': 'a' })).rejects.toThrow('terminated')
  expect(seen).toHaveLength(2)
})

test('a caller who goes is told to the instance', async () => {
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  handle = (_instance, _request, response) => {
    response.once('close', resolve)
    begin()
  }
  const leaving = new AbortController()
  const sent = fetch(url, { headers: { 'fly-prefer-instance-id': 'b' }, signal: leaving.signal }).catch(() => {})
  await begun
  leaving.abort()
  await Promise.all([sent, closed])
})
