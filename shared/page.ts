// Keyset pagination: a page is the items after a position in an order that does not change, so inserts neither repeat nor hide items.
// A cursor is opaque to callers and names the list it belongs to; a cursor of another list is refused.
import { z } from 'zod'
import { ProblemError } from './problem.ts'
import { textSchema } from './text.ts'

export const pageLimitDefault = 20
export const pageLimitMax = 100

export const cursorSchema = z.string().max(512)

/** Query parameters of every list. */
export const pageQuerySchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(pageLimitMax).default(pageLimitDefault).meta({ description: 'Items per page' }),
  cursor: cursorSchema.optional().meta({ description: '`nextCursor` of the page before' }),
})
export type PageQuery = z.infer<typeof pageQuerySchema>

export type Page<T> = { items: T[]; nextCursor: string | null }

/** Answer schema of a list of `item`. */
export function pageSchema<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() })
}

const keySchema = z
  .array(z.union([textSchema(128), z.number().int()]))
  .min(1)
  .max(7)
/** Sort key of the last item of a page, in the list's order. */
export type CursorKey = z.infer<typeof keySchema>

/** @param list name of the list and its filters, e.g. `bounties:open` */
export function encodeCursor(list: string, key: CursorKey): string {
  return btoaUrl(JSON.stringify([list, ...key]))
}

/** What a part of a sort key may be, so that whatever a caller writes into a cursor is something that the database can compare. */
const partFits = {
  string: (part: unknown) => typeof part === 'string',
  /** A safe integer. */
  number: (part: unknown) => typeof part === 'number',
  /** Of an `integer` column. */
  count: (part: unknown) => typeof part === 'number' && part >= 0 && part < 2 ** 31,
  instant: (part: unknown) => instantSchema.safeParse(part).success,
}
/** Postgres knows no year 0. */
const instantSchema = z.iso.datetime().refine((text) => !text.startsWith('0000'))

/**
 * @param shape what the list's sort key is made of, in order
 * @throws ProblemError `invalid-cursor` when it is not a cursor of this list
 */
export function decodeCursor(list: string, shape: readonly (keyof typeof partFits)[], cursor: string | undefined): CursorKey | undefined {
  if (cursor === undefined) return undefined
  const [name, ...key] = parsed(cursor)
  const fits = name === list && key.length === shape.length && shape.every((kind, i) => partFits[kind](key[i]))
  if (!fits)
    throw new ProblemError('invalid-cursor', { detail: `cursor must be the nextCursor of a page of the same list with the same filters` })
  return key
}

function parsed(cursor: string): CursorKey {
  try {
    const result = keySchema.safeParse(JSON.parse(atobUrl(cursor)))
    return result.success ? result.data : ['']
  } catch {
    return ['']
  }
}

// Text in cursors is ASCII by construction (ids, enum values, numbers), which is what btoa takes.
function btoaUrl(text: string): string {
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

function atobUrl(text: string): string {
  return atob(text.replaceAll('-', '+').replaceAll('_', '/'))
}
