// The resolver against a server that speaks the JSON form of DNS over HTTPS, and the fake against the same contract.
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dnsOverHttps } from '../../workers/adapters/dns-over-https.ts'
import { addressesContract } from '../contracts/addresses.contract.ts'
import { memoryAddresses } from '../fakes/memory-addresses.ts'
import { serveOnFreePort, type TestServer } from '../fakes/serve-on-free-port.ts'

const names = new Map<string, string[]>()
/** Given instead of what the names say. */
let answer: { status: number; body: string } | undefined
let server: TestServer

beforeAll(async () => {
  const dns = createServer((request, response) => {
    const query = new URL(request.url ?? '', 'http://dns').searchParams
    if (request.headers.accept !== 'application/dns-json') return response.writeHead(400).end()
    if (answer) return response.writeHead(answer.status, { location: 'http://127.0.0.1:1/' }).end(answer.body)
    const found = names.get(query.get('name') ?? '')
    const isV6 = query.get('type') === 'AAAA'
    const records = (found ?? []).filter((data) => data.includes(':') === isV6).map((data) => ({ type: isV6 ? 28 : 1, data }))
    const alias = { name: 'x', type: 5, data: 'alias.example.com.' }
    const body = found ? { Status: 0, ...(records.length > 0 ? { Answer: [alias, ...records] } : {}) } : { Status: 3 }
    return response.writeHead(200, { 'content-type': 'application/dns-json' }).end(JSON.stringify(body))
  })
  server = await serveOnFreePort(dns, '/dns-query')
})
afterAll(() => server.stop())

addressesContract('DNS over HTTPS', () => ({
  resolver: dnsOverHttps({ url: server.url }),
  names,
  fail: (isFailing) => (answer = isFailing ? { status: 503, body: '' } : undefined),
}))

addressesContract('memory', () => {
  const resolver = memoryAddresses()
  return { resolver, names: resolver.names, fail: (isFailing) => (resolver.failing = isFailing) }
})

describe('an answer that is none', () => {
  test.each([
    ['a redirect', { status: 302, body: '' }],
    ['a failure of DNS', { status: 200, body: '{"Status":2}' }],
    ['no JSON', { status: 200, body: '<html>' }],
    ['another form', { status: 200, body: '{"Answer":[]}' }],
    ['far too much', { status: 200, body: `{"Status":0,"Comment":"${'x'.repeat(70_000)}"}` }],
  ])('%s', async (_, given) => {
    answer = given
    await expect(dnsOverHttps({ url: server.url }).resolve('one.example.com')).rejects.toThrow(/resolver|JSON|invalid/i)
    answer = undefined
  })
})
