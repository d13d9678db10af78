// One page from one row more than it may show: the extra row says that there is a next page.
import { encodeCursor, type CursorKey, type Page } from '../../shared/page.ts'

export type PageCut<T> = { list: string; limit: number; keyOf: (item: T, index: number) => CursorKey }

export function pageOf<T>(found: T[], { list, limit, keyOf }: PageCut<T>): Page<T> {
  const items = found.slice(0, limit)
  const last = items.at(-1)
  const hasMore = found.length > limit && last !== undefined
  return { items, nextCursor: hasMore ? encodeCursor(list, keyOf(last, items.length - 1)) : null }
}
