import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loopback } from '../../local/free-port.ts'
import { openFaultyLink, type FaultyLink } from './faulty-link.ts'

let part: Server
let link: FaultyLink
let arrived: string[]

beforeEach(async () => {
  arrived = []
  part = createServer((request: IncomingMessage, response) => {
    arrived.push(request.url ?? '')
    request.pipe(response)
  })
  await new Promise<void>((resolve) => part.listen(0, loopback, resolve))
  link = await openFaultyLink((part.address() as AddressInfo).port)
})

afterEach(async () => {
  await link.close()
  part.closeAllConnections()
  await new Promise((resolve) => part.close(resolve))
})

async function echo(path: string, { body = 'hello', waitMs = 10_000 } = {}): Promise<string> {
  const response = await fetch(`http://${loopback}:${link.port}${path}`, { method: 'POST', body, signal: AbortSignal.timeout(waitMs) })
  return response.text()
}

test('open: bytes pass, large ones whole', async () => {
  const body = 'x'.repeat(3_000_000)
  expect(await echo('/', { body })).toBe(body)
})

test('slow: bytes pass, late', async () => {
  link.set('slow')
  const startedAt = performance.now()
  expect(await echo('/')).toBe('hello')
  expect(performance.now() - startedAt).toBeGreaterThan(250)
})

test('half-open: a connection is taken and nothing comes through; afterwards it is cut, and new ones work', async () => {
  link.set('half-open')
  const hanging = echo('/hanging').catch(() => 'cut')
  await expect(echo('/impatient', { waitMs: 300 })).rejects.toThrow(/timeout/)
  expect(arrived).toEqual([])
  link.set('open')
  expect(await hanging).toBe('cut')
  expect(await echo('/')).toBe('hello')
})

test('lose-answers: the request arrives, its answer does not', async () => {
  link.set('lose-answers')
  await expect(echo('/done')).rejects.toThrow('fetch failed')
  expect(arrived).toEqual(['/done'])
  link.set('open')
  expect(await echo('/')).toBe('hello')
})

test('a part that is not there: the caller is cut', async () => {
  part.closeAllConnections()
  await new Promise((resolve) => part.close(resolve))
  await expect(echo('/')).rejects.toThrow('fetch failed')
  await new Promise<void>((resolve) => part.listen(0, loopback, resolve))
})
