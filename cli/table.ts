// Rows in columns, each as wide as its widest cell; the last one is not padded.
import { printable } from './printable.ts'

export function table(head: readonly string[], rows: readonly (readonly (string | number | null)[])[]): string {
  const lines = [head, ...rows].map((row) => row.map((cell) => printable(String(cell ?? '–')).replaceAll('\n', ' ')))
  const widths = head.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)))
  return lines.map((line) => line.map((cell, i) => (i === line.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('  ')).join('\n')
}
