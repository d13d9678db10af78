// Small parts that several pages are made of.
import type { PropsWithChildren } from 'hono/jsx'
import { count, instant } from './figures.ts'

export function Credits({ value }: { value: number }) {
  return (
    <data class="credits" value={value}>
      {count(value)} <span>{Math.abs(value) === 1 ? 'credit' : 'credits'}</span>
    </data>
  )
}

export function Instant({ at }: { at: string }) {
  return <time datetime={at}>{instant(at)}</time>
}

/** A word for a state; its colour says nothing that the word does not. */
export function State({ of }: { of: string }) {
  return <span class={`state state-${of}`}>{of}</span>
}

/** Beside the figures that it draws. */
export function Bar({ value, max }: { value: number; max: number }) {
  const share = max > 0 ? (100 * value) / max : 0
  return (
    <svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
      <rect class="bar-all" width="100" height="6" rx="1" />
      <rect class="bar-part" width={share.toFixed(2)} height="6" rx="1" />
    </svg>
  )
}

/** A table that is wider than the screen is scrolled by itself, with the keyboard too. */
export function Scroll({ label, children }: PropsWithChildren<{ label: string }>) {
  return (
    <div class="scroll" role="group" aria-label={label} tabindex={0}>
      {children}
    </div>
  )
}

export type NextProps = { path: string; query: Record<string, string | undefined>; cursor: string | null; isFirst: boolean }

export function Pager({ path, query, cursor, isFirst }: NextProps) {
  if (cursor === null && isFirst) return null
  return (
    <nav class="pager" aria-label="Pages">
      {!isFirst && <a href={pathWith(path, query)}>First page</a>}
      {cursor !== null && (
        <a rel="next" href={pathWith(path, { ...query, cursor })}>
          Next page
        </a>
      )}
    </nav>
  )
}

/** @returns the path with those parameters that have a value */
export function pathWith(path: string, query: Record<string, string | undefined>): string {
  const given = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, value)
  return given.size === 0 ? path : `${path}?${given.toString()}`
}
