// What a journal makes of what a former process left, wherever that ended.
import { appendFileSync, copyFileSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deliverAll, journalFolder, keep, newest, open, read, segments, uploadAll, useJournals } from '../fakes/test-journals.ts'

useJournals()

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
        for (const name of readdirSync(journalFolder())) rmSync(join(journalFolder(), name), { recursive: true })
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
    const path = join(journalFolder(), '000000000001.segment')
    const bytes = readFileSync(path)
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
    writeFileSync(path, bytes)
    expect(await deliverAll(await open())).toEqual(['a', 'b', 'c'])
    expect(readdirSync(journalFolder())).toContain('000000000001.segment.torn')
  })

  test('a head that was torn is nothing, and its number is not used again', async () => {
    const writer = await open()
    await keep(writer, 'a')
    await writer.close()
    writeFileSync(join(journalFolder(), '000000000002.segment'), 'AB')
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
    writeFileSync(join(journalFolder(), 'progress.json'), '{"uploadedThrough":')
    expect(await deliverAll(await open())).toEqual(['a'])
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
      for (const name of readdirSync(journalFolder())) rmSync(join(journalFolder(), name), { recursive: true })
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
