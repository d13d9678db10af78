// Programs that are uploaded as files: they arrive byte for byte, and whatever is wrong with an upload has its own answer and writes nothing.
import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { limits } from '../../shared/tiers.ts'
import { brokenUploads } from '../fakes/broken-multipart.ts'
import { countWrites } from '../fakes/count-writes.ts'
import { multipartBody, upload } from '../fakes/multipart-body.ts'
import { testEdge } from '../fakes/test-edge.ts'

const edge = testEdge()
const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex')
let key: string
beforeAll(async () => {
  key = (await edge.account('ada')).key
  for (const source of ['// é', '// one', '// two']) edge.sandbox.programs.set(source, () => ({ output: null }))
})

describe('an upload', () => {
  test('of a script is deployed as its JSON would be, and its next version, too', async () => {
    const made = await edge.call('POST', '/api/agents', { key, ...multipartBody(upload('// é', { name: 'script' })) })
    expect([made.status, made.body.name, made.body.sha256, made.body.bytes]).toEqual([201, 'script', sha256('// é'), 5])
    const version = multipartBody([{ name: 'source', text: '// two', file: 'two.js' }])
    const next = await edge.call('POST', `/api/agents/${made.body.id}/versions`, { key, ...version })
    expect([next.status, next.body.version, next.body.sha256]).toEqual([201, 2, sha256('// two')])
  })

  test('of the largest command is stored byte for byte, whatever its bytes are', async () => {
    const bytes = new Uint8Array(limits.programBytesMax).map((_, i) => i % 256)
    bytes.set(Buffer.from('\r\n--a-boundary-of-test\r\n'), 1_000)
    await edge.call('POST', '/api/agents', { key, ...multipartBody(upload(bytes, { name: 'largest', kind: 'command' })) })
    // The fake host knows no such program; it is stored before the host is asked.
    expect(Buffer.from(edge.artifacts.programs.get(sha256(bytes)) ?? []).equals(bytes)).toBe(true)
  })

  test('is one deploy under an Idempotency-Key; another file is another request', async () => {
    const send = (source: string) => {
      const { raw, headers } = multipartBody(upload(source, { name: 'once' }))
      return edge.call('POST', '/api/agents', { key, raw, headers: { ...headers, 'idempotency-key': 'upload' } })
    }
    const [first, again, other] = [await send('// one'), await send('// one'), await send('// other')]
    expect([first.status, again.status, again.text]).toEqual([201, 201, first.text])
    expect([other.status, other.body.code]).toEqual([409, 'idempotency-key-reused'])
  })

  test('is taken by calls that take a file, and by no other', async () => {
    const { raw, headers } = multipartBody([{ name: 'name', text: 'ci' }])
    const answer = await edge.call('POST', '/api/keys', { key, raw, headers })
    expect([answer.status, answer.body.detail]).toEqual([415, expect.stringMatching(/must be application\/json$/)])
    const text = await edge.call('POST', '/api/agents', { key, raw: 'x', headers: { 'content-type': 'text/plain' } })
    expect([text.status, text.body.detail]).toEqual([415, expect.stringMatching(/application\/json or multipart\/form-data$/)])
  })
})

describe('an upload with', () => {
  test.each(brokenUploads)('%s', async (_, sent, status, code, says) => {
    const writes = countWrites(edge.database)
    const answer = await edge.call('POST', '/api/agents', { key, ...sent() })
    expect([answer.status, answer.body.code]).toEqual([status, code])
    expect(answer.body.detail).toMatch(says)
    expect(writes()).toBe(0)
  })
})
