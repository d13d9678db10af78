// Artifacts of both kinds, a range of a bundle and an object of its own, read the same; only the latter has a URL.
import { beforeAll, describe, expect, test } from 'vitest'
import { artifactKey, bundledArtifactBytesMax } from '../../shared/execution.ts'
import { testEdge } from '../fakes/test-edge.ts'

const edge = testEdge()
const text = `begin${'.'.repeat(bundledArtifactBytesMax)}end`
let key: string
let stranger: string
let id: string
const pathTo = (name: string) => `/api/executions/${id}/artifacts/${name}`
const urlOf = (name: string, options: { key: string } = { key }) => edge.call('GET', `/api/executions/${id}/artifact-urls/${name}`, options)

beforeAll(async () => {
  key = (await edge.account('ada')).key
  stranger = (await edge.account('eve')).key
  edge.sandbox.programs.set('// writes', () => ({ output: null, artifacts: { small: 'begin.end', 'dir/large': text, empty: '' } }))
  const { body: agent } = await edge.call('POST', '/api/agents', { key, body: { name: 'w', kind: 'script', source: '// writes' } })
  id = (await edge.call('POST', `/api/agents/${agent.id}/executions`, { key, body: { input: 1 } })).body.id
})

describe.each([
  ['small', 'begin.end'],
  ['dir/large', text],
])('%s', (name, whole) => {
  const read = (headers: Record<string, string> = {}, method = 'GET') => edge.call(method, pathTo(name), { key, headers })

  test('whole, by range, from the end, not again when it is known', async () => {
    const answer = await read()
    expect([answer.status, answer.text === whole, answer.headers.get('accept-ranges')]).toEqual([200, true, 'bytes'])
    const etag = answer.headers.get('etag') ?? ''
    const part = await read({ range: 'bytes=0-4' })
    expect([part.status, part.text, part.headers.get('content-range')]).toEqual([206, 'begin', `bytes 0-4/${whole.length}`])
    expect((await read({ range: 'bytes=-3' })).text).toBe('end')
    expect((await read({ 'if-none-match': etag })).status).toBe(304)
    expect((await read({ range: 'bytes=0-4', 'if-range': '"other"' })).status).toBe(200)
    expect((await read({ range: 'bytes=0-4', 'if-range': etag })).status).toBe(206)
    expect((await read({ range: `bytes=${whole.length}-` })).body.code).toBe('range-not-satisfiable')
  })

  test('HEAD says what GET would, and reads nothing', async () => {
    const { read: readStored } = edge.artifacts
    edge.artifacts.read = () => Promise.reject(new Error('was read'))
    try {
      const head = await read({}, 'HEAD')
      expect([head.status, head.text, head.headers.get('content-length')]).toEqual([200, '', String(whole.length)])
      expect(head.headers.get('etag')).toMatch(/^"[0-9a-f]{64}"$/)
      const part = await read({ range: 'bytes=2-3' }, 'HEAD')
      expect([part.status, part.headers.get('content-length'), part.headers.get('content-range')]).toEqual([
        206,
        '2',
        `bytes 2-3/${whole.length}`,
      ])
    } finally {
      edge.artifacts.read = readStored
    }
  })
})

test('an artifact of no bytes', async () => {
  const answer = await edge.call('GET', pathTo('empty'), { key })
  expect([answer.status, answer.text, answer.headers.get('content-length')]).toEqual([200, '', '0'])
})

test('a URL, once the object is in the bucket, for five minutes and for that object alone', async () => {
  const early = await urlOf('dir/large')
  expect([early.status, early.body.code, early.headers.get('retry-after')]).toEqual([503, 'artifacts-unavailable', '1'])
  const object = artifactKey({ host: 'fake-host', execution: id, position: 1 })
  edge.artifacts.put(object, new Uint8Array(1))
  const answer = await urlOf('dir/large')
  expect(answer.body).toEqual({
    url: `https://bucket.example/${object}?X-Amz-Expires=300`,
    expiresAt: new Date(edge.clock.now + 300_000).toISOString(),
  })
  expect(answer.headers.get('cache-control')).toBe('no-store')
})

test('never one of a bundle, of what is not there, or of what is not the caller’s', async () => {
  edge.artifacts.objects.set('bundles/fake-host/000000000001', edge.sandbox.bundle)
  const small = await urlOf('small')
  expect([small.status, small.body.code]).toEqual([409, 'not-presignable'])
  expect(small.body.detail).toContain('9 bytes')
  expect((await urlOf('other')).body.code).toBe('artifact-not-found')
  expect((await urlOf('dir/large', { key: stranger })).body.code).toBe('execution-not-found')
})

test('until they are kept no longer: 410, bytes and URL', async () => {
  const { now } = edge.clock
  edge.clock.now = Date.parse('2026-11-23T12:00:00Z') + edge.services.kept.artifactsMs - 1
  expect((await edge.call('GET', pathTo('small'), { key })).status).toBe(200)
  edge.clock.now += 1
  for (const answer of [await edge.call('GET', pathTo('small'), { key }), await urlOf('dir/large')]) {
    expect([answer.status, answer.body.code]).toEqual([410, 'artifact-expired'])
    expect(answer.body.detail).toContain('2026-12-23T12:00:00.000Z')
  }
  expect((await edge.call('GET', `/api/executions/${id}`, { key })).status).toBe(200)
  edge.clock.now = now
})
