// The bucket as the Worker has it, on miniflare's R2 and its S3 endpoint.
import { Miniflare } from 'miniflare'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { artifactKey } from '../../shared/execution.ts'
import { createBucket } from '../../sandbox-host/bucket.ts'
import { r2ArtifactStore, type R2Binding, type S3Access } from '../../workers/adapters/r2.ts'
import { idOf } from '../fakes/id-of.ts'

let server: Miniflare
let binding: R2Binding
let s3: S3Access
beforeAll(async () => {
  const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' }
  server = new Miniflare({
    modules: true,
    script: 'export default { fetch: () => new Response("none", { status: 404 }) }',
    r2Buckets: { BUCKET: { id: 'bucket', s3Credentials: credentials } },
    cf: false,
  })
  s3 = { url: `${(await server.ready).origin}/cdn-cgi/local/r2/s3/bucket`, ...credentials }
  binding = await server.getR2Bucket('BUCKET')
})
afterAll(() => server.dispose())

test('objects are listed behind a key, in pages, with their size and age; what is removed is gone, what is not there is no error', async () => {
  const store = r2ArtifactStore(binding)
  const host = createBucket(s3)
  const begunAt = Date.now() - 1_000
  for (const name of ['a/1', 'a/2', 'a/3', 'b/1']) await host.put(`bundles/${name}`, Buffer.from(name))
  const first = await store.list('bundles/a/', { after: '', limit: 2 })
  expect(first).toMatchObject({ objects: [{ key: 'bundles/a/1', bytes: 3 }, { key: 'bundles/a/2' }], hasMore: true })
  expect(first.objects[0]?.storedAt).toBeGreaterThan(begunAt)
  const second = await store.list('bundles/a/', { after: 'bundles/a/2', limit: 2 })
  expect(second).toMatchObject({ objects: [{ key: 'bundles/a/3' }], hasMore: false })
  expect((await store.list('bundles/', { after: 'bundles/a/~', limit: 9 })).objects.map(({ key }) => key)).toEqual(['bundles/b/1'])
  await store.remove(['bundles/a/1', 'bundles/a/3', 'bundles/never'])
  expect((await store.list('bundles/a/', { after: '', limit: 9 })).objects.map(({ key }) => key)).toEqual(['bundles/a/2'])
  await store.remove(['bundles/a/2', 'bundles/b/1'])
})

test('a presigned URL gives the object to anybody, as a file to save, by ranges too, and nothing else', async () => {
  const store = r2ArtifactStore(binding, s3)
  const key = artifactKey({ host: 'host-1', execution: idOf('execution'), position: 0 })
  expect(await store.presign(key, { seconds: 300 })).toBeUndefined()
  await createBucket(s3).put(key, Buffer.from('the bytes'))
  const url = (await store.presign(key, { seconds: 300 })) ?? ''
  const whole = await fetch(url)
  expect([whole.status, await whole.text()]).toEqual([200, 'the bytes'])
  expect(whole.headers.get('content-disposition')).toBe('attachment')
  expect(whole.headers.get('content-type')).toBe('application/octet-stream')
  const part = await fetch(url, { headers: { range: 'bytes=4-' } })
  expect([part.status, await part.text()]).toEqual([206, 'bytes'])
  expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe('300')
  expect(url).not.toContain(s3.secretAccessKey)
  for (const other of [
    url.replace(key, artifactKey({ host: 'host-1', execution: idOf('execution'), position: 0 })),
    url.replace('X-Amz-Expires=300', 'X-Amz-Expires=86400'),
    url.replace(/\?.*/, ''),
  ])
    expect((await fetch(other)).status).toBeGreaterThanOrEqual(400)
  expect((await fetch(url, { method: 'PUT', body: 'mine' })).status).toBeGreaterThanOrEqual(400)
})

test('a deployment without an S3 key says so', async () => {
  await expect(r2ArtifactStore(binding).presign('artifacts/x', { seconds: 1 })).rejects.toMatchObject({ code: 'presigning-unavailable' })
})
