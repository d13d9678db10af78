// Following a submission while it is judged: every event once, whatever happens to the connection, and nothing of hidden cases but numbers.
import { beforeEach, describe, expect, test } from 'vitest'
import { submissionEventSchema } from '../../shared/progress.ts'
import { eventually } from '../fakes/eventually.ts'
import { follow } from '../fakes/event-source.ts'
import { idOf } from '../fakes/id-of.ts'
import { judgeByHand } from '../fakes/judge-by-hand.ts'
import { testEdge, type TestEdge } from '../fakes/test-edge.ts'

let edge: TestEdge
let key: string
let agentId: string
let id: string
let caseIds: string[]
beforeEach(async () => {
  edge = testEdge()
  const ada = await edge.account('ada')
  key = ada.key
  agentId = await edge.deploy(key, { name: 'echo' })
  // The third is hidden.
  const cases = [0, 1, 2, 3].map((n) => ({ input: n, expected: n, hidden: n === 2 }))
  const { body: bounty } = await edge.call('POST', '/api/bounties', { key, body: { title: 't', rewardCredits: 1, mode: 'best', cases } })
  caseIds = (await edge.database.cases.list(bounty.id, { after: -1, limit: 9 })).map((found) => found.id)
  id = idOf('submission')
  const createdAt = new Date(edge.clock.now).toISOString()
  await judgeByHand(edge.database).begin({ id, bountyId: bounty.id, agentId, version: 1, accountId: ada.id, createdAt })
})

const usage = { fuel: 7, wallMicros: 1, memoryBytesPeak: 1 }
const judged = (...cases: number[]) =>
  judgeByHand(edge.database).record(id, {
    engine: 'engine-1',
    verdicts: cases.map((n) => ({ caseId: caseIds[n] ?? '', status: 'accepted', usage, outputSha256: null })),
  })
const finish = () => judgeByHand(edge.database).finish(id, { status: 'accepted', at: new Date(edge.clock.now).toISOString() })
const path = () => `/api/submissions/${id}/events`
const read = (lastEventId?: string) =>
  edge.call('GET', path(), { key, headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId } })
const idsIn = (text: string) => [...text.matchAll(/^id: (.*)$/gm)].map((match) => match[1])
const open = () => {
  const fetchHere = (url: string, init: RequestInit) => edge.fetch(new Request(url, init))
  return follow(`http://edge${path()}`, { key, fetch: fetchHere })
}

describe('a submission', () => {
  test('is told from its beginning to its end, hidden cases in numbers only', async () => {
    const { told, finished } = open()
    await eventually(() => told.map((event) => event.id), ['0+'])
    await judged(1, 2)
    await eventually(() => told.map((event) => event.id), ['0+', '1', '2+'])
    await judged(0, 3)
    await eventually(() => told.length, 6)
    await finish()
    await finished
    expect(told.map((event) => event.id)).toEqual(['0+', '1', '2+', '3', '4', '4+', 'end'])
    expect(told[1]).toEqual({ event: 'verdict', id: '1', data: { number: 1, caseId: caseIds[1], status: 'accepted', usage } })
    expect(told[2]).toEqual({ event: 'progress', id: '2+', data: { casesTotal: 4, casesJudged: 2, casesPassed: 2 } })
    const { body } = await edge.call('GET', `/api/submissions/${id}`, { key })
    const { verdicts: _verdicts, ...whole } = body
    expect(told.at(-1)?.data).toEqual(whole)
    for (const event of told) expect(submissionEventSchema.parse(event)).toEqual(event)
    expect(JSON.stringify(told)).not.toContain(caseIds[2])
  })

  test('is told on from wherever the connection was cut, every event once', async () => {
    const follower = open()
    const steps = [() => judged(0), () => judged(1, 2), () => judged(3), finish]
    for (const step of steps) {
      const before = follower.told.length
      await step()
      await eventually(() => follower.told.length > before, true)
      follower.cut()
    }
    await follower.finished
    expect(follower.told.map((event) => event.id)).toEqual(['0+', '1', '1+', '2', '3+', '4', '4+', 'end'].slice(-follower.told.length))
    expect(follower.told.length).toBeGreaterThanOrEqual(7)
    expect(follower.connections.length).toBeGreaterThanOrEqual(4)
    expect(follower.connections.slice(1)).not.toContain(null)
  }, 30_000)

  test('that has ended is told whole, or from any position, and then no more', async () => {
    await judged(0, 1, 2, 3)
    await finish()
    const whole = await read()
    expect([whole.status, whole.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
    expect(whole.text).toMatch(/^retry: 1000\n\nevent: verdict\n/)
    const ids = ['1', '2', '4', '4+', 'end']
    expect(idsIn(whole.text)).toEqual(ids)
    for (const [i, position] of ids.slice(0, -1).entries()) expect(idsIn((await read(position)).text)).toEqual(ids.slice(i + 1))
    // Also behind a verdict that is not the client's to see.
    expect(idsIn((await read('3')).text)).toEqual(['4', '4+', 'end'])
    const over = await read('end')
    expect([over.status, over.text]).toEqual([204, ''])
  })

  test('with many verdicts is told in pieces, and progress when it is up to date', async () => {
    const cases = Array.from({ length: 450 }, (_, n) => ({ input: n, expected: n }))
    const { body: bounty } = await edge.call('POST', '/api/bounties', { key, body: { title: 't', rewardCredits: 1, mode: 'best', cases } })
    const { body } = await edge.submit(key, bounty.id, { agentId })
    id = body.id
    expect(idsIn((await read()).text)).toEqual([...Array.from({ length: 450 }, (_, n) => `${n + 1}`), '450+', 'end'])
  })

  test.each([['0x1'], ['-1'], ['1.5'], ['1e3'], ['END'], ['1++'], ['9999999999'], ["1' or '1"], ['\u00e9']])(
    'has no position %j',
    async (position) => {
      const answer = await read(position)
      expect([answer.status, answer.body.code, answer.body.issues[0].field]).toEqual([400, 'invalid-request', 'Last-Event-ID'])
    },
  )

  test('is not told without a key, to a stranger, or beyond its end', async () => {
    const stranger = await edge.account('eve')
    expect((await edge.call('GET', path())).status).toBe(401)
    expect((await edge.call('GET', path(), { key: stranger.key })).body.code).toBe('submission-not-found')
    const over = await edge.call('GET', path(), { key: stranger.key, headers: { 'last-event-id': 'end' } })
    expect(over.body.code).toBe('submission-not-found')
  })
})

describe('a connection', () => {
  /** Opens one, and says how often the store was asked. */
  async function opened() {
    const asked = { count: 0 }
    const { find } = edge.database.progress
    edge.services.progress.find = (...of) => {
      asked.count++
      return find(...of)
    }
    const response = await edge.fetch(new Request(`http://edge${path()}`, { headers: { authorization: `Bearer ${key}` } }))
    if (!response.body) throw new Error('the stream has no body')
    return { asked, reader: response.body.pipeThrough(new TextDecoderStream()).getReader() }
  }
  const textOf = async (reader: ReadableStreamDefaultReader<string>) => {
    let text = ''
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return text
      text += value
    }
  }

  test('says every fifteen seconds that it is there, and ends after five minutes', async () => {
    const begun = edge.clock.now
    edge = testEdge({
      beside: edge,
      sleep: async (ms) => {
        edge.clock.now += ms
        await new Promise(setImmediate)
      },
    })
    const text = await textOf((await opened()).reader)
    expect(text).toMatch(/id: 0\+\n\n(:\n\n)+$/)
    expect(text.match(/^:$/gm)?.length).toBeGreaterThanOrEqual(300 / 20 - 1)
    expect(edge.clock.now - begun).toBeGreaterThanOrEqual(300_000)
    expect(edge.clock.now - begun).toBeLessThanOrEqual(305_000)
  })

  test('asks no more when the client has gone', async () => {
    const { asked, reader } = await opened()
    await eventually(() => asked.count > 3, true)
    await reader.cancel()
    await new Promise((resolve) => setTimeout(resolve, 20))
    const { count } = asked
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(asked.count).toBe(count)
  })

  test('asks more and more seldom while nothing happens, and soon when something does', async () => {
    const waits: number[] = []
    const { sleep } = edge.services
    edge = testEdge({ beside: edge, sleep: (ms) => (waits.push(ms), sleep(ms)) })
    const { reader } = await opened()
    const drained = textOf(reader)
    await eventually(() => waits.length > 8, true)
    expect(waits.slice(0, 8)).toEqual([500, 750, 1_125, 1_687.5, 2_531.25, 3_796.875, 5_000, 5_000])
    await judged(0)
    await eventually(() => waits.slice(8).includes(500), true)
    await reader.cancel()
    expect(await drained).toContain('id: 1+')
  })

  test('that the database breaks off ends, and says nothing of it', async () => {
    const { reader } = await opened()
    edge.services.progress.find = async () => {
      throw new Error('a secret of the database')
    }
    const text = await textOf(reader)
    expect(text).not.toMatch(/secret|error/)
    expect(edge.log.at(-1)).toMatchObject({ level: 'error', event: 'stream broken off' })
  })

  test('for the head alone writes nothing', async () => {
    const answer = await edge.call('HEAD', path(), { key })
    expect([answer.status, answer.headers.get('content-type'), answer.text]).toEqual([200, 'text/event-stream', ''])
  })
})

test('the OpenAPI document says what streams take and tell', async () => {
  const { paths } = (await edge.call('GET', '/api/openapi.json')).body
  const described = (thing: string) => paths[`/api/${thing}/{id}/events`].get
  for (const thing of ['submissions', 'executions']) {
    expect(described(thing).parameters.map(({ name }: { name: string }) => name)).toContain('Last-Event-ID')
  }
  const schemaOf = (thing: string) => described(thing).responses['200'].content['text/event-stream'].schema
  const named = (schema: { properties: { event: { enum: string[] } } }) => schema.properties.event.enum
  expect(schemaOf('submissions').anyOf.flatMap(named)).toEqual(['verdict', 'progress', 'finished'])
  expect(named(schemaOf('executions'))).toEqual(['finished'])
  // Data is JSON text, and what is in it is described, too.
  const { data } = schemaOf('executions').properties
  expect(data).toMatchObject({ type: 'string', contentMediaType: 'application/json' })
  expect(data.contentSchema.required).toEqual(expect.arrayContaining(['id', 'status']))
})

test('an execution has ended when it is there', async () => {
  const { body } = await edge.call('POST', `/api/agents/${agentId}/executions`, { key, body: { input: 1 } })
  const answer = await edge.call('GET', `/api/executions/${body.id}/events`, { key })
  const data = { id: body.id, status: 'completed', usage: body.usage, finishedAt: body.finishedAt }
  expect([answer.status, answer.text]).toEqual([200, `retry: 1000\n\nevent: finished\ndata: ${JSON.stringify(data)}\nid: end\n\n`])
  const over = await edge.call('GET', `/api/executions/${body.id}/events`, { key, headers: { 'last-event-id': 'end' } })
  expect(over.status).toBe(204)
  const unknown = await edge.call('GET', `/api/executions/${idOf('execution')}/events`, { key })
  expect(unknown.body.code).toBe('execution-not-found')
})
