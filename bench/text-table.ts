// Tables as text: Markdown that is aligned, so that one form is read in a terminal and in a document.
import type { Cell } from './scenario.ts'

export function textTable(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cells = rows.map((row) => columns.map((_, at) => showCell(row[at] ?? null)))
  const isNumeric = columns.map((_, at) => rows.length > 0 && rows.every((row) => typeof (row[at] ?? null) !== 'string'))
  const widths = columns.map((title, at) => Math.max(3, title.length, ...cells.map((row) => row[at]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, at) => (isNumeric[at] ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0))).join(' | ')} |`
  const rule = `|${widths.map((width, at) => (isNumeric[at] ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2))).join('|')}|`
  return [line(columns), rule, ...cells.map(line)].join('\n')
}

/** What there is none of is a dash. */
function showCell(cell: Cell): string {
  if (cell === null) return '–'
  return typeof cell === 'number' ? showNumber(cell) : cell.replaceAll('|', '\\|')
}

/** Three digits that count; thousands whole. */
export function showNumber(value: number | null): string {
  if (value === null || Number.isNaN(value)) return '–'
  const size = Math.abs(value)
  if (size >= 100 || Number.isInteger(value)) return Math.round(value).toLocaleString('en')
  if (size >= 10) return value.toFixed(1)
  if (size >= 1) return value.toFixed(2)
  return Number(value.toPrecision(3)).toString()
}
