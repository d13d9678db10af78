// One page from one row more than it may show: the extra row says that there is a next page.
import { encodeCursor, type CursorKey, type Page } from '../../shared/page.ts'
import type { Listed } from '../../shared/ports.ts'
import { sha256Hex } from '../hex.ts'

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
 * @param filters ASCII, but for `q`, which is text of any length and script: a cursor holds its hash
 * @returns name of a list with its filters, for its cursors
 */
export async function listName(name: string, { q, ...filters }: Record<string, string | undefined>): Promise<string> {
  const searched = q === undefined ? undefined : (await sha256Hex(q)).slice(0, 16)
  const set = Object.entries({ ...filters, q: searched }).flatMap(([filter, value]) => (value === undefined ? [] : [`${filter}=${value}`]))
  return [name, ...set].join(':')
}
