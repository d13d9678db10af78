import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { countsSince, openCountingLink, requestsOf } from '../../bench/counting-link.ts'
import { serveOnFreePort } from '../fakes/serve-on-free-port.ts'

test('passes on what it counts: requests by place, parts of a batch, bytes of both directions', async () => {
  const part = await serveOnFreePort(
    createServer((request, response) => {
      request.on('data', () => {}).on('end', () => response.writeHead(201, { 'x-part': 'yes' }).end('12345'))
    }),
  )
  const link = await openCountingLink('edge-neon', Number(new URL(part.url).port))
  try {
    const post = (path: string, body: string) => fetch(`http://127.0.0.1:${link.port}${path}`, { method: 'POST', body })
    const answer = await post('/sql', '{"query":"select 1"}')
    expect([answer.status, answer.headers.get('x-part'), await answer.text()]).toEqual([201, 'yes', '12345'])
    const before = link.counts()
    expect(before).toEqual({ requests: { 'POST /sql': 1 }, parts: 1, requestBytes: 20, responseBytes: 5 })
    await (await post('/sql', '{"queries":[{},{},{}]}')).text()
    await (await post('/bundles/fly/000000000012?part=1', '[["get"],["set"]]')).text()
    await expect.poll(() => link.counts().parts).toBe(6)
    const since = countsSince(before, link.counts())
    expect(since.requests).toEqual({ 'POST /sql': 1, 'POST /bundles/fly/*': 1 })
    expect([requestsOf(since), requestsOf(since, /^POST .bundles/), since.responseBytes]).toEqual([2, 1, 10])
  } finally {
    link.close()
    await part.stop()
  }
})
