// What the journal promises: nothing acknowledged is lost, nothing torn is read, no bundle's name is used twice.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { eventually } from '../fakes/eventually.ts'
import { deliverAll, keep, newest, open, read, segments, uploadAll, useJournals } from '../fakes/test-journals.ts'

useJournals()

describe('append', () => {
  test('answers with the record that is on disk, and finds it', async () => {
    const journal = await open()
    const record = await keep(journal, 'a', ['first', 'second'])
    expect(await journal.backlog.find('a')).toEqual(record)
    const { places } = JSON.parse(record.toString())
    expect((await journal.backlog.readObject(`bundles/${places[1].bundle}`, { offset: places[1].offset, length: 6 }))?.toString()).toBe(
      'second',
    )
    expect(
      readFileSync(newest())
        .subarray(places[0].offset, places[0].offset + 5)
        .toString(),
    ).toBe('first')
  })

  test('appends that arrive during a sync share the next one', async () => {
    const journal = await open()
    await Promise.all(Array.from({ length: 100 }, (_, i) => keep(journal, `x${i}`)))
    expect(journal.stats()).toMatchObject({ records: 100, syncs: 2 })
  })

  test('is refused after close', async () => {
    const journal = await open()
    await journal.close()
    await expect(keep(journal, 'a')).rejects.toMatchObject({ code: 'draining' })
  })

  test('a range beyond what is on disk is not there', async () => {
    const journal = await open()
    await keep(journal, 'a')
    expect(await journal.backlog.readObject('bundles/host-1/000000000001', { offset: 0, length: journal.stats().bytes })).toHaveLength(
      journal.stats().bytes,
    )
    expect(await journal.backlog.readObject('bundles/host-1/000000000001', { offset: 1, length: journal.stats().bytes })).toBeUndefined()
    expect(await journal.backlog.readObject('bundles/other/000000000001', { offset: 0, length: 1 })).toBeUndefined()
  })

  test('a batch that cannot be written is refused as a whole, and the journal goes on', async () => {
    const journal = await open()
    await keep(journal, 'before')
    const broken = journal.append({
      id: 'x',
      bytes: 100,
      artifacts: [],
      record: () => {
        throw new Error('cannot be composed')
      },
    })
    await expect(broken).rejects.toMatchObject({ code: 'overloaded' })
    await keep(journal, 'after')
    expect(await deliverAll(await open())).toEqual(['before', 'after'])
  })
})

test('results that wait for the disk make the journal full until they are written', async () => {
  const journal = await open()
  const large = { artifacts: [], record: () => '{}', bytes: 40 * 1024 * 1024 }
  const appends = ['a', 'b', 'c'].map((id) => journal.append({ ...large, id }))
  expect(journal.fullReason).toBe('slow-disk')
  await Promise.all(appends)
  expect(journal.fullReason).toBeUndefined()
})

describe('segments', () => {
  test('are sealed by size', async () => {
    const journal = await open({ segmentBytesMax: 200 })
    for (const id of ['a', 'b', 'c', 'd', 'e']) await keep(journal, id, ['x'.repeat(100)])
    expect(segments().length).toBeGreaterThan(2)
    expect(await deliverAll(journal)).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  test('are sealed by age when they hold something', async () => {
    const journal = await open({ segmentAgeMsMax: 20 })
    await keep(journal, 'a')
    await eventually(() => journal.backlog.nextToUpload()?.bundle, 'host-1/000000000001')
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(segments()).toHaveLength(2)
  })

  test('are sealed by age no more while many wait for the bucket', async () => {
    const journal = await open({ segmentAgeMsMax: 1 })
    for (let i = 0; i < 20; i++) {
      await keep(journal, `x${i}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect(segments().length).toBeLessThanOrEqual(9)
  })

  test('without artifacts are neither uploaded nor sealed by age, and are deleted when they are acknowledged', async () => {
    const journal = await open({ segmentAgeMsMax: 5 })
    await keep(journal, 'a', [])
    await deliverAll(journal)
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(segments()).toEqual(['000000000001.segment'])
    await keep(journal, 'b', [])
    await journal.seal()
    expect([await uploadAll(journal), (await read(journal, 'a')) === undefined]).toEqual([[], false])
    expect(await deliverAll(journal)).toEqual(['b'])
    expect(segments()).toEqual(['000000000002.segment'])
    await keep(journal, 'c', [])
    await keep(journal, 'd')
    await eventually(() => journal.backlog.nextToUpload()?.bundle, 'host-1/000000000002')
  })

  test('end with an index of their records', async () => {
    const journal = await open()
    await keep(journal, 'a')
    await journal.seal()
    const segment = journal.backlog.nextToUpload()
    const bytes = await segment?.read(0, segment.bytes)
    expect(bytes?.toString()).toMatch(/\{"records":\[\["a",\d+,\d+\]\]\}$/)
  })

  test('are deleted when they are uploaded and acknowledged, not before', async () => {
    const journal = await open()
    await keep(journal, 'a')
    await journal.seal()
    await uploadAll(journal)
    expect(await read(journal, 'a')).toBeDefined()
    await deliverAll(journal)
    expect(await read(journal, 'a')).toBeUndefined()
    expect(segments()).toEqual(['000000000002.segment'])
  })

  test('stay a moment for readers that just missed the bundle in the bucket', async () => {
    let now = 1_000
    const journal = await open({ retainMs: 500, now: () => now })
    await keep(journal, 'a')
    await journal.seal()
    await uploadAll(journal)
    await deliverAll(journal)
    expect(await read(journal, 'a')).toBeDefined()
    now += 500
    await keep(journal, 'b')
    await deliverAll(journal)
    expect(await read(journal, 'a')).toBeUndefined()
  })

  test('make the journal full until they are uploaded and acknowledged', async () => {
    const journal = await open({ bytesMax: 300 })
    expect(journal.fullReason).toBeUndefined()
    await keep(journal, 'a', ['x'.repeat(300)])
    expect(journal.fullReason).toBe('budget')
    await journal.seal()
    await uploadAll(journal)
    expect(journal.fullReason).toBe('budget')
    await deliverAll(journal)
    expect(journal.fullReason).toBeUndefined()
  })
})

test('records that nobody has taken make the journal full, too', async () => {
  const journal = await open({ bytesMax: 300 })
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k']) await keep(journal, id, [])
  expect(journal.fullReason).toBe('budget')
  await deliverAll(journal)
  expect(journal.fullReason).toBeUndefined()
})

describe('delivery', () => {
  test('a batch ends at its bytes, but always takes one record', async () => {
    const journal = await open()
    for (const id of ['a', 'b', 'c']) await keep(journal, id, [])
    expect((await journal.backlog.nextToDeliver({ count: 10, bytes: 1 }))?.count).toBe(1)
    const { length } = (await journal.backlog.find('a')) ?? { length: 0 }
    expect((await journal.backlog.nextToDeliver({ count: 10, bytes: 2 * (length + 1) }))?.count).toBe(2)
  })

  test('artifacts between records do not travel with them', async () => {
    const journal = await open()
    await keep(journal, 'a', ['secret artifact'])
    await keep(journal, 'b', ['another'])
    const batch = await journal.backlog.nextToDeliver({ count: 10, bytes: 1e6 })
    expect(batch?.records.map((record) => JSON.parse(record.toString()).id)).toEqual(['a', 'b'])
    expect(Buffer.concat(batch?.records ?? []).toString()).not.toContain('artifact')
  })
})
