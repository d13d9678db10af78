// Ids for tests, as the Worker makes them.
import { randomBytes } from 'node:crypto'
import { makeId } from '../../shared/ids.ts'
import type { IdKind } from '../../shared/ids.ts'

export function idOf(kind: IdKind): string {
  return makeId(kind, { at: Date.now(), random: randomBytes(10) })
}
