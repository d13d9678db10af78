// Journals in a folder of each test's own, and what tests do with them.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { Journal } from '../../sandbox-host/journal.ts'
import type { JournalOptions } from '../../sandbox-host/journal.ts'
import { createLog } from '../../sandbox-host/log.ts'

const log = createLog('silent')
let directory: string
let opened: Journal[] = []

/** To be called once by a test file. */
export function useJournals(): void {
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'bounty-journal-'))
  })
  afterEach(async () => {
    for (const journal of opened) await journal.close().catch(() => {})
    opened = []
    rmSync(directory, { recursive: true, force: true })
  })
}

export const journalFolder = (): string => directory

export async function open(options: Partial<JournalOptions> = {}): Promise<Journal> {
  const journal = await Journal.open({ directory, host: 'host-1', log, bytesMax: 1e9, segmentAgeMsMax: 60_000, retainMs: 0, ...options })
  opened.push(journal)
  return journal
}

/** With an artifact, or its segment would not belong into the bucket. */
export const keep = (journal: Journal, id: string, artifacts = ['bytes']) =>
  journal.append({
    id,
    bytes: 100,
    artifacts: artifacts.map((text) => Buffer.from(text)),
    record: (places) => JSON.stringify({ id, places }),
  })
export const read = async (journal: Journal, id: string) => (await journal.backlog.find(id))?.toString()
export const segments = () =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.segment'))
    .toSorted()
export const newest = () => join(directory, segments().at(-1) ?? '')

export async function deliverAll(journal: Journal): Promise<string[]> {
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

export async function uploadAll(journal: Journal): Promise<string[]> {
  const bundles: string[] = []
  for (let segment = journal.backlog.nextToUpload(); segment; segment = journal.backlog.nextToUpload()) {
    bundles.push(segment.bundle)
    await journal.backlog.markUploaded(segment)
  }
  return bundles
}
