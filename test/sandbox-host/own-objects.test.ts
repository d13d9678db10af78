// Artifacts that are objects of their own: on disk before the record, uploaded before the bundle, never lost to a crash, never left behind.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { bundledArtifactBytesMax, executionRecordSchema, placeOf } from '../../shared/execution.ts'
import { Journal } from '../../sandbox-host/journal.ts'
import { createLog } from '../../sandbox-host/log.ts'
import { eventually } from '../fakes/eventually.ts'
import { createFakeEngine } from '../fakes/fake-engine.ts'
import { idOf } from '../fakes/id-of.ts'
import { startTestHost } from '../fakes/test-host.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bounty-objects-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const open = () =>
  Journal.open({ directory, host: 'host-1', log: createLog('silent'), bytesMax: 1e9, segmentAgeMsMax: 60_000, retainMs: 0 })
const objectFiles = () => readdirSync(join(directory, 'objects'))
const largest = Buffer.alloc(bundledArtifactBytesMax, 'b')
const large = Buffer.alloc(bundledArtifactBytesMax + 1, 'o')

async function keep(journal: Journal, artifacts: Buffer[]) {
  const id = idOf('execution')
  const record = await journal.append({
    id,
    artifacts,
    bytes: 100,
    record: (places) => JSON.stringify({ id, artifacts: places.map((place, i) => ({ ...place, bytes: artifacts[i]?.length })) }),
  })
  return { id, places: JSON.parse(record.toString()).artifacts as ({ bundle: string; offset: number } | { object: string })[] }
}

test('one byte more than fits a bundle is an object of its own', async () => {
  const journal = await open()
  const { id, places } = await keep(journal, [largest, large])
  expect(places).toMatchObject([{ bundle: 'host-1/000000000001' }, { object: `artifacts/host-1/${id}/1` }])
  expect(readFileSync(join(directory, 'objects', `host-1.${id}.1`))).toEqual(large)
  const key = `artifacts/host-1/${id}/1`
  expect((await journal.backlog.readObject(key, { offset: large.length - 2, length: 2 }))?.toString()).toBe('oo')
  expect(await journal.backlog.readObject(key, { offset: large.length - 2, length: 3 })).toBeUndefined()
  expect(await journal.backlog.readObject(`artifacts/host-1/${id}/0`, { offset: 0, length: 1 })).toBeUndefined()
  expect(journal.stats().bytesNotHandedOver).toBeGreaterThan(2 * bundledArtifactBytesMax)
  await journal.close()
})

test.each([false, true])(
  'a start finds them by their records, sealed (%s) or not, and deletes them behind their segment',
  async (isSealed) => {
    const writer = await open()
    const { id } = await keep(writer, [large])
    if (isSealed) await writer.seal()
    await writer.close()
    const journal = await open()
    const segment = journal.backlog.nextToUpload()
    expect(segment?.objects).toMatchObject([{ key: `artifacts/host-1/${id}/0`, bytes: large.length }])
    if (segment) await journal.backlog.markUploaded(segment)
    expect(objectFiles()).toHaveLength(1)
    const batch = await journal.backlog.nextToDeliver({ count: 9, bytes: 1e9 })
    if (batch) await journal.backlog.acknowledge(batch)
    expect(objectFiles()).toEqual([])
    await journal.close()
  },
)

test('a file whose record was torn, or never written, goes at the next start; the others stay', async () => {
  const writer = await open()
  const kept = await keep(writer, [large])
  const torn = await keep(writer, [large])
  await writer.close()
  const path = join(directory, '000000000001.segment')
  truncateSync(path, readFileSync(path).length - 1)
  writeFileSync(join(directory, 'objects', `host-1.${idOf('execution')}.0`), 'half')
  const journal = await open()
  expect(objectFiles()).toEqual([`host-1.${kept.id}.0`])
  expect(journal.backlog.has(torn.id)).toBe(false)
  await journal.close()
})

test('through the host: uploaded as an object, before the bundle that names it; read here while it is here', async () => {
  const engine = createFakeEngine({ behaviours: { large: () => ({ artifacts: [{ name: 'a.bin', bytes: large }] }) } })
  await using host = await startTestHost({ engine })
  const record = executionRecordSchema.parse((await host.post('/v1/executions', host.execution('large'))).json())
  const [artifact] = record.artifacts
  const { key } = artifact ? placeOf(artifact) : { key: '' }
  expect(key).toBe(`artifacts/${host.name}/${record.id}/0`)
  expect((await host.get(`/v1/${key}?offset=1&length=3`)).bytes.toString()).toBe('ooo')
  expect((await host.get(`/v1/${key}?offset=${large.length}&length=1`)).status).toBe(404)
  expect((await host.get(`/v1/artifacts/${host.name}/${record.id}/1?offset=0&length=1`)).status).toBe(404)
  expect((await fetch(`${host.url}/v1/${key}?offset=1&length=3`)).status).toBe(401)
  await eventually(() => host.bucket.requests.filter((request) => request.startsWith('PUT ')).length, 2)
  expect(host.bucket.requests.filter((request) => request.startsWith('PUT '))[0]).toBe(`PUT ${key}`)
  expect(host.bucket.objects.get(key)).toEqual(large)
  expect([...host.bucket.objects].find(([name]) => name.startsWith('bundles/'))?.[1].length).toBeLessThan(5_000)
  expect(existsSync(join(host.environment['DATA_DIR'] ?? '', 'journal', 'objects', `${host.name}.${record.id}.0`))).toBe(true)
})
