// One page from one row more than it may show: the extra row says that there is a next page.
import { decodeCursor, encodeCursor, type CursorKey, type Page } from '../../shared/page.ts'
import type { Listed } from '../../shared/ports.ts'

export type PageCut<T> = { list: string; limit: number; keyOf: (item: T, index: number) => CursorKey }

/** @param found items in their order, or what a list that can be filtered gave: its page may be short, and there is a next one all the same */
export function pageOf<T>(found: T[] | Listed<T>, { list, limit, keyOf }: PageCut<T>): Page<T> {
  const { items: all, goOnAfter } = Array.isArray(found) ? { items: found } : found
  const items = all.slice(0, limit)
  const last = items.at(-1)
  if (all.length > limit && last !== undefined) return { items, nextCursor: encodeCursor(list, keyOf(last, items.length - 1)) }
  return { items, nextCursor: goOnAfter === undefined ? null : encodeCursor(list, [goOnAfter]) }
}

/**
 * @param filters ASCII, but for `q`, which is text of any length and script: a cursor holds a hash of it
 * @returns name of a list with its filters, for its cursors
 */
export function listName(name: string, { q, ...filters }: Record<string, string | undefined>): string {
  const searched = q === undefined ? undefined : textHash(q)
  const set = Object.entries({ ...filters, q: searched }).flatMap(([filter, value]) => (value === undefined ? [] : [`${filter}=${value}`]))
  return [name, ...set].join(':')
}

/** @returns the id that a list goes on behind. @throws ProblemError `invalid-cursor` */
export function idCursor(list: string, cursor: string | undefined): string | undefined {
  const [after] = decodeCursor(list, ['string'], cursor) ?? []
  return after === undefined ? undefined : String(after)
}

/** FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv: it tells mistakes apart, not forgeries, which would only mislead whoever makes them. */
function textHash(text: string): string {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0
  return hash.toString(16)
}
