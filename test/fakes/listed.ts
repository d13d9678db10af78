// A page of a list over plain maps.
import type { Cut, Listed } from '../../shared/ports.ts'

/** Newest first. */
export function listed<T extends { id: string }>(all: T[], { limit, after }: Cut, isWanted: (item: T) => boolean): Listed<T> {
  const sorted = all.filter(isWanted).toSorted((a, b) => (a.id < b.id ? 1 : -1))
  return { items: sorted.filter(({ id }) => after === undefined || id < after).slice(0, limit) }
}

export function isAny<T>(wanted: T | undefined, value: T): boolean {
  return wanted === undefined || wanted === value
}
