// What things may cost, in numbers that are the same on every machine: fuel, requests, operations, bytes, pages. They are written down in
// budgets.json. More fails, and less fails, too, so that what was won is kept. Milliseconds are measured in bench/, never here.
import { readFileSync, writeFileSync } from 'node:fs'

const file = new URL('./budgets.json', import.meta.url)

export type Measured = Record<string, number>
type Budgets = Record<string, Record<string, Measured>>

/** `npm run budgets`: what is measured is written down instead of compared. */
const isWriting = process.env['BUDGETS'] === 'write'

/**
 * @param section of budgets.json, and `name` in it
 * @param within share by which a figure may differ that is not exact, as sizes of bundles are
 */
export function holdToBudget(section: string, name: string, measured: Measured, { within = 0 }: { within?: number } = {}): void {
  if (isWriting) {
    const budgets = readBudgets()
    const rounded = Object.fromEntries(Object.entries(measured).map(([figure, value]) => [figure, round(value)]))
    const changed = { ...budgets[section], [name]: rounded }
    writeFileSync(file, `${JSON.stringify({ ...budgets, [section]: changed }, null, 2)}\n`)
    return
  }
  const budget = readBudgets()[section]?.[name]
  if (!budget) throw new Error(`test/budgets/budgets.json has no ${section} / ${name}: npm run budgets writes down what is measured`)
  const found = differences(budget, measured, within)
  if (found.length > 0) throw new Error([`${section} / ${name}:`, ...found.map((line) => `  ${line}`), advice].join('\n'))
}

/** @returns a line for each figure that is not what it may be */
export function differences(budget: Measured, measured: Measured, within = 0): string[] {
  const names = [...new Set([...Object.keys(budget), ...Object.keys(measured)])]
  return names.flatMap((name) => {
    const [may, is] = [budget[name], measured[name]]
    if (may === undefined) return [`${name} is ${is}, and has no budget`]
    if (is === undefined) return [`${name} was not measured; its budget is ${may}`]
    if (Math.abs(is - may) <= may * within) return []
    const share = may === 0 ? '' : ` (${((is / may - 1) * 100).toFixed(2)} %)`
    return [`${name} ${is > may ? 'grew' : 'shrank'} by ${round(Math.abs(is - may))}${share}: ${round(may)} -> ${round(is)}`]
  })
}

const advice = 'Its budget stands in test/budgets/budgets.json. If it is meant to be so: npm run budgets, and say why in the commit.'

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000
}

function readBudgets(): Budgets {
  // Our own file, which only this module writes.
  return JSON.parse(readFileSync(file, 'utf8')) as Budgets
}
