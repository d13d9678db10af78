// The host's name in bundles and batches. It belongs to the data directory, not to the machine or the configuration: a new directory
// starts numbering bundles at one, and must not write over those of a former one.
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hostIdSchema } from '../shared/host.ts'

/** @returns `<name>-<8 hex digits>`, the same for every start on `dataDirectory`, whatever `name` is later */
export async function readHostId(dataDirectory: string, name: string): Promise<string> {
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 })
  const path = join(dataDirectory, 'host-id')
  const kept = (await readFile(path, 'utf8').catch(() => '')).trim()
  if (hostIdSchema.safeParse(kept).success) return kept
  const made = `${name}-${randomBytes(4).toString('hex')}`
  await writeFile(`${path}.draft`, `${made}\n`, { flush: true })
  await rename(`${path}.draft`, path)
  return made
}
