import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { claimPorts, loopback } from '../../local/free-port.ts'

test('free ports are all different', async () => {
  const ports = await claimPorts(Array.from({ length: 20 }, () => ({ port: 0, variable: '' })))
  expect(new Set(ports).size).toBe(20)
  expect(Math.min(...ports)).toBeGreaterThan(1023)
})

test('a port in use is one line: who has it, and which variable moves it', async () => {
  const server = createServer().listen(0, loopback)
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const error = await claimPorts([{ port, variable: 'EDGE_PORT' }]).catch((caught: unknown) => caught)
  expect(String(error)).toContain(`port ${port} is in use`)
  expect(String(error)).toContain('set EDGE_PORT to another port')
  if (process.platform === 'linux') expect(String(error)).toContain(`(pid ${process.pid})`)
  server.close()
})
