// Uploads through the edge itself, whose parser of multipart/form-data is not the one that the fast tests run with.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { brokenUploads } from '../fakes/broken-multipart.ts'
import { multipartBody, upload } from '../fakes/multipart-body.ts'
import { call, run, uniqueName } from './caller.ts'

test('a script and a command that were uploaded run like those that came as JSON', async () => {
  const script = await call('POST', '/api/agents', multipartBody(upload('export default (x) => `é ${x}`', { name: uniqueName('script') })))
  expect(script.status).toBe(201)
  expect((await run(script.body.id, 1)).body.output).toBe('é 1')
  const next = multipartBody([{ name: 'source', text: 'export default (x) => x + 1', file: 'two.js' }])
  expect((await call('POST', `/api/agents/${script.body.id}/versions`, next)).status).toBe(201)
  expect((await run(script.body.id, 1, { version: 2 })).body.output).toBe(2)

  const bytes = readFileSync(new URL('../fixtures/agents/echo.wasm', import.meta.url))
  const body = { name: uniqueName('command'), kind: 'command', source: bytes.toString('base64') }
  const [uploaded, posted] = [
    await call('POST', '/api/agents', multipartBody(upload(bytes, { name: uniqueName('command'), kind: 'command' }))),
    await call('POST', '/api/agents', { body }),
  ]
  expect([uploaded.status, uploaded.body.sha256]).toEqual([201, posted.body.sha256])
})

test('fetch and FormData of any client are understood', async () => {
  const form = new FormData()
  form.set('name', uniqueName('form'))
  form.set('kind', 'script')
  form.set('source', new File(['export default () => 7'], 'agent.js'))
  const request = new Request('http://localhost', { method: 'POST', body: form })
  const raw = new Uint8Array(await request.arrayBuffer())
  const answer = await call('POST', '/api/agents', { raw, headers: { 'content-type': request.headers.get('content-type') ?? '' } })
  expect([answer.status, (await run(answer.body.id, 1)).body.output]).toEqual([201, 7])
})

/** It is answered before it is read, and Node's fetch may see the connection end before the answer. */
const isUnread = (name: string) => name === 'a body that no program fills'

describe('an upload with', () => {
  test.each(brokenUploads.filter(([name]) => !isUnread(name)))('%s', async (_, sent, status, code, says) => {
    const answer = await call('POST', '/api/agents', sent())
    expect([answer.status, answer.body.code]).toEqual([status, code])
    expect(answer.body.detail).toMatch(says)
  })
})
