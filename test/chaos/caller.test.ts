import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loopback } from '../../local/free-port.ts'
import { Caller } from './caller.ts'
import { seededRandom } from './seeded-random.ts'

type Answer = (response: ServerResponse) => void

let server: Server
let keys: string[]
let answers: Answer[]
let caller: Caller

beforeEach(async () => {
  keys = []
  server = createServer((request: IncomingMessage, response) => {
    keys.push(String(request.headers['idempotency-key']))
    request.resume().on('end', () => (answers.shift() ?? json(200, { id: 'late' }))(response))
  })
  await new Promise<void>((resolve) => server.listen(0, loopback, resolve))
  const baseUrl = `http://${loopback}:${(server.address() as AddressInfo).port}`
  caller = new Caller({ baseUrl, random: { ...seededRandom(1), isHit: () => false }, giveUp: new AbortController().signal })
})

afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

function json(status: number, body: unknown): Answer {
  return (response) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
const lost: Answer = (response) => response.socket?.destroy()
const half: Answer = (response) => {
  response.writeHead(200, { 'content-length': '100' }).write('{"id":')
  setTimeout(() => response.socket?.destroy(), 20)
}
const mint = () =>
  caller.perform({ kind: 'mint', accountId: 'acc_1', credits: 1, reason: 'one' }, { path: '/mint', body: {}, apiKey: 'key' })

test('what gets no answer, half of one, or one that may change is sent again under the same key', async () => {
  answers = [lost, half, json(503, { code: 'database-unavailable', retryable: true }), json(502, 'not ours'), json(201, { id: 'trf_1' })]
  expect(await mint()).toEqual({ id: 'trf_1' })
  expect(keys).toEqual(Array.from({ length: 5 }, () => 'storm-1'))
  expect(caller.deeds).toMatchObject([{ key: 'storm-1', answers: [{ id: 'trf_1' }], refusal: undefined }])
  expect(caller.answers).toEqual({ none: 2, '503 database-unavailable': 1, '502': 1, '201': 1 })
})

test('a final no is kept, and not asked again', async () => {
  answers = [json(409, { code: 'bounty-closed', retryable: false })]
  expect(await mint()).toBeUndefined()
  await caller.settled()
  expect(caller.deeds).toMatchObject([{ answers: [], refusal: 'bounty-closed' }])
  expect(keys).toHaveLength(1)
})

test('two different answers to a request that is sent twice at once are both kept', async () => {
  const baseUrl = `http://${loopback}:${(server.address() as AddressInfo).port}`
  caller = new Caller({ baseUrl, random: { ...seededRandom(1), isHit: () => true }, giveUp: new AbortController().signal })
  answers = [json(201, { id: 'one' }), json(201, { id: 'other' })]
  await mint()
  await caller.settled()
  expect(keys).toEqual(['storm-1', 'storm-1'])
  expect(caller.deeds[0]?.answers).toEqual(expect.arrayContaining([{ id: 'one' }, { id: 'other' }]))
})
