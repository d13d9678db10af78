// What a restart finds: segments that a former process sealed, and at most one that it was still writing. The latter loses its torn
// tail, which was never acknowledged, and is sealed.
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Segment } from './journal-segment.ts'
import type { Log } from './log.ts'
import type { OwnObjects } from './own-objects.ts'

/** `emptyPaths` hold nothing; they may go once a file with a higher number exists, so that no number is used twice. */
export type RecoveredJournal = { segments: Segment[]; lastNumber: number; tornBytes: number; tornTails: number; emptyPaths: string[] }

type RecoveryOptions = { directory: string; ownObjects: OwnObjects; log: Log }

export async function recoverSegments({ directory, ownObjects, log }: RecoveryOptions): Promise<RecoveredJournal> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const numbers = (await readdir(directory))
    .flatMap((name) => /^(\d{12})\.segment$/.exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((a, b) => a - b)
  const lastNumber = numbers.at(-1) ?? 0
  const segments: Segment[] = []
  const emptyPaths: string[] = []
  let tornBytes = 0
  let tornTails = 0
  let isDamaged = false
  for (const number of numbers) {
    const path = join(directory, `${String(number).padStart(12, '0')}.segment`)
    // Only the newest, and the one before it while it is being sealed, may end in a torn frame; elsewhere the disk has lost something.
    const damaged = number < lastNumber - 1
    const found = await Segment.recover(path, { number, ownObjects, keepTail: damaged, rewrite: !damaged })
    if (damaged && (!found || found.tornBytes > 0)) isDamaged = true
    if (!found) {
      if (damaged) log.error({ path }, 'journal segment has no readable head; it is left as it is')
      else emptyPaths.push(path)
      continue
    }
    const { segment } = found
    tornBytes += found.tornBytes
    if (found.tornBytes > 0) {
      tornTails++
      const entry = { path, tornBytes: found.tornBytes, records: segment.records.length }
      if (damaged) log.error(entry, 'journal segment is damaged; the intact part is used, the rest is kept beside it')
      else log.warn(entry, 'cut a torn tail off the journal; nothing in it was ever acknowledged')
    }
    if (segment.records.length === 0 && number === lastNumber) {
      await segment.close()
      emptyPaths.push(path)
      continue
    }
    if (!segment.sealed) await segment.seal()
    segments.push(segment)
  }
  // What a damaged segment named is not known any more.
  const leftOver = isDamaged ? 0 : await ownObjects.removeOthers(segments.flatMap(({ objects }) => objects))
  if (leftOver > 0) log.warn({ files: leftOver }, 'removed artifacts whose record was never written; nothing in them was ever acknowledged')
  return { segments, lastNumber, tornBytes, tornTails, emptyPaths }
}
