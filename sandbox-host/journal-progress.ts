// How far uploads and deliveries have come. Both are safe to repeat, so this file is a saving, not a promise: it is replaced
// atomically, never synced, and ignored when it cannot be read.
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

const progressSchema = z.object({
  /** Segments up to this number are in the bucket. */
  uploadedThrough: z.number().int().nonnegative(),
  /** Records before this place are with the Worker. */
  acknowledged: z.object({ segment: z.number().int().nonnegative(), records: z.number().int().nonnegative() }),
})
export type JournalProgress = z.infer<typeof progressSchema>

const nothing: JournalProgress = { uploadedThrough: 0, acknowledged: { segment: 0, records: 0 } }

export async function readProgress(directory: string): Promise<JournalProgress> {
  try {
    return progressSchema.parse(JSON.parse(await readFile(join(directory, 'progress.json'), 'utf8')))
  } catch {
    return nothing
  }
}

let drafts = 0

export async function writeProgress(directory: string, progress: JournalProgress): Promise<void> {
  const draft = join(directory, `progress.${drafts++ % 4}.draft`)
  await writeFile(draft, JSON.stringify(progress))
  await rename(draft, join(directory, 'progress.json'))
}
