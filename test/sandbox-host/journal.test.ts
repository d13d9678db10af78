// What the journal promises: nothing acknowledged is lost, nothing torn is read, no bundle's name is used twice.
import { appendFileSync, copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Journal } from '../../sandbox-host/journal.ts'
import type { JournalOptions } from '../../sandbox-host/journal.ts'
import { createLog } from '../../sandbox-host/log.ts'
import { eventually } from '../fakes/eventually.ts'

const log = createLog('silent')
let directory: string
let opened: Journal[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bounty-journal-'))
})
afterEach(async () => {
  for (const journal of opened) await journal.close().catch(() => {})
  opened = []
  rmSync(directory, { recursive: true, force: true })
})

async function open(options: Partial<JournalOptions> = {}): Promise<Journal> {
  const journal = await Journal.open({ directory, host: 'host-1', log, bytesMax: 1e9, segmentAgeMsMax: 60_000, retainMs: 0, ...options })
  opened.push(journal)
  return journal
}

/** With an artifact, or its segment would not belong into the bucket. */
const keep = (journal: Journal, id: string, artifacts = ['bytes']) =>
  journal.append({
    id,
    bytes: 100,
    artifacts: artifacts.map((text) => Buffer.from(text)),
    record: (places) => JSON.stringify({ id, places }),
  })
const read = async (journal: Journal, id: string) => (await journal.backlog.find(id))?.toString()
const segments = () =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.segment'))
    .toSorted()
const newest = () => join(directory, segments().at(-1) ?? '')

async function deliverAll(journal: Journal): Promise<string[]> {
  const ids: string[] = []
  for (
    let batch = await journal.backlog.nextToDeliver({ count: 3, bytes: 1e6 });
    batch;
    batch = await journal.backlog.nextToDeliver({ count: 3, bytes: 1e6 })
  ) {
    ids.push(...batch.records.map((record) => String(JSON.parse(record.toString()).id)))
    await journal.backlog.acknowledge(batch)
  }
  return ids
}

async function uploadAll(journal: Journal): Promise<string[]> {
  const bundles: string[] = []
  for (let segment = journal.backlog.nextToUpload(); segment; segment = journal.backlog.nextToUpload()) {
    bundles.push(segment.bundle)
    await journal.backlog.markUploaded(segment)
  }
  return bundles
}

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

describe('recovery', () => {
  test('knows a segment without artifacts from one that holds some', async () => {
    const first = await open()
    await keep(first, 'a', [])
    await first.seal()
    await keep(first, 'b')
    expect(await uploadAll(await open())).toEqual(['host-1/000000000002'])
  })

  test('finds, delivers and uploads what a former process kept', async () => {
    const first = await open()
    await keep(first, 'a', ['artifact'])
    await keep(first, 'b')
    const second = await open()
    expect(JSON.parse((await read(second, 'a')) ?? '')).toMatchObject({ id: 'a' })
    expect(await uploadAll(second)).toEqual(['host-1/000000000001'])
    expect(await deliverAll(second)).toEqual(['a', 'b'])
  })

  test('keeps the name of the host that wrote a bundle', async () => {
    await keep(await open({ host: 'old' }), 'a')
    const journal = await open({ host: 'new' })
    expect(await uploadAll(journal)).toEqual(['old/000000000001'])
  })

  test('cuts the last record wherever it was torn, and keeps all before it', async () => {
    const writer = await open()
    await keep(writer, 'kept')
    const kept = readFileSync(newest()).length
    await keep(writer, 'torn', ['artifact of the torn one'])
    await writer.close()
    const whole = newest()
    const copy = join(tmpdir(), `bounty-whole-${process.pid}`)
    copyFileSync(whole, copy)
    try {
      const length = readFileSync(copy).length
      for (let cut = kept; cut < length; cut++) {
        for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true })
        copyFileSync(copy, whole)
        truncateSync(whole, cut)
        const journal = await open()
        expect(journal.stats()).toMatchObject({ tornBytes: cut - kept, tornTails: cut > kept ? 1 : 0 })
        expect(await deliverAll(journal)).toEqual(['kept'])
        await journal.close()
        // What was cut is gone for good.
        const again = await open()
        expect(again.stats().tornBytes).toBe(0)
        await again.close()
      }
    } finally {
      rmSync(copy)
    }
  })

  test('cuts zeros and noise at the end', async () => {
    const writer = await open()
    await keep(writer, 'kept')
    await writer.close()
    appendFileSync(newest(), Buffer.concat([Buffer.alloc(4096), Buffer.from('noise')]))
    const journal = await open()
    expect(journal.stats().tornBytes).toBe(4101)
    expect(await deliverAll(journal)).toEqual(['kept'])
  })

  test('a segment that is damaged in the middle of the log keeps its intact part, and the rest aside', async () => {
    const writer = await open()
    for (const id of ['a', 'b', 'c']) {
      await keep(writer, id)
      await writer.seal()
    }
    await writer.close()
    const path = join(directory, '000000000001.segment')
    const bytes = readFileSync(path)
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
    writeFileSync(path, bytes)
    expect(await deliverAll(await open())).toEqual(['a', 'b', 'c'])
    expect(readdirSync(directory)).toContain('000000000001.segment.torn')
  })

  test('a head that was torn is nothing, and its number is not used again', async () => {
    const writer = await open()
    await keep(writer, 'a')
    await writer.close()
    writeFileSync(join(directory, '000000000002.segment'), 'AB')
    const journal = await open()
    expect(await deliverAll(journal)).toEqual(['a'])
    expect(segments()).toEqual(['000000000001.segment', '000000000003.segment'])
  })

  test('a number is never used twice, however often an empty journal starts', async () => {
    const names = new Set<string>()
    for (let start = 0; start < 5; start++) {
      const journal = await open()
      if (start % 2 === 0) await keep(journal, `x${start}`)
      await journal.seal()
      for (const bundle of await uploadAll(journal)) {
        expect(names).not.toContain(bundle)
        names.add(bundle)
      }
      await deliverAll(journal)
      await journal.close()
    }
    expect(names.size).toBe(3)
  })

  test('delivery goes on where it stopped', async () => {
    const writer = await open()
    for (const id of ['a', 'b', 'c']) await keep(writer, id)
    const batch = await writer.backlog.nextToDeliver({ count: 2, bytes: 1e6 })
    if (batch) await writer.backlog.acknowledge(batch)
    await writer.close()
    expect(await deliverAll(await open())).toEqual(['c'])
  })

  test('a progress file that cannot be read only repeats what was done', async () => {
    const writer = await open()
    await keep(writer, 'a')
    await deliverAll(writer)
    await writer.close()
    writeFileSync(join(directory, 'progress.json'), '{"uploadedThrough":')
    expect(await deliverAll(await open())).toEqual(['a'])
  })
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

test('whatever happens in whatever order, every acknowledged append is delivered once it can be, in order', async () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constant('append' as const), artifacts: fc.array(fc.string({ maxLength: 40 }), { maxLength: 2 }) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('seal' as const, 'upload' as const, 'deliver' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), garbage: fc.uint8Array({ maxLength: 30 }) }) },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true })
      const kept: string[] = []
      const delivered: string[] = []
      const bundles: string[] = []
      let journal = await open({ segmentBytesMax: 400 })
      for (const [i, now] of steps.entries()) {
        if (now.do === 'append') {
          await keep(journal, `x${i}`, now.artifacts)
          kept.push(`x${i}`)
        } else if (now.do === 'crash') {
          const path = newest()
          await journal.close()
          appendFileSync(path, now.garbage)
          journal = await open({ segmentBytesMax: 400 })
        } else if (now.do === 'seal') await journal.seal()
        else if (now.do === 'upload') bundles.push(...(await uploadAll(journal)))
        else delivered.push(...(await deliverAll(journal)))
        for (const id of kept.slice(delivered.length)) expect(journal.backlog.has(id)).toBe(true)
      }
      delivered.push(...(await deliverAll(journal)))
      await journal.close()
      expect(delivered).toEqual(kept)
      expect(new Set(bundles).size).toBe(bundles.length)
    }),
    { numRuns: 60 },
  )
})
