// What was typed behind `npm run bench --`.
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { quickDirectory, resultsDirectory } from './result-files.ts'

export type BenchCommand =
  | { what: 'help'; text: string; exitCode: number }
  | { what: 'measure'; names: string[]; quick: boolean; directory: string }
  | { what: 'compare'; before: string; after: string; bound: number }
  | { what: 'render'; directory: string }

const boundDefault = 0.1

export function benchCommand(
  args: string[],
  { scenarios, quickOnes }: { scenarios: string[]; quickOnes: readonly string[] },
): BenchCommand {
  const help = `usage: npm run bench -- [--quick | --sustained] [--out DIR] [${scenarios.join('|')}] …
       npm run bench -- compare BEFORE AFTER [--bound 0.1]
       npm run bench -- render [DIR]

Without a name all scenarios run, or, with --quick, shorter forms of ${quickOnes.filter((name) => scenarios.includes(name)).join(', ')}.
  --quick      a sanity run, under three minutes in all; results go to bench/results/quick
  --sustained  the scenario of that name: 600 s, or 20 s with --quick
  --out DIR    where results and their RESULTS.md go (default: bench/results)
  compare      two results or directories of them: differences with intervals; exit code 1 when a figure is surely worse by more than
               --bound, a share (default ${boundDefault})
  render       writes RESULTS.md, its plots and the README's figures from the JSON, without measuring`
  const wrong = (reason: string): BenchCommand => ({ what: 'help', text: `${reason}\n\n${help}`, exitCode: 2 })
  let parsed
  try {
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        quick: { type: 'boolean' },
        sustained: { type: 'boolean' },
        out: { type: 'string' },
        bound: { type: 'string' },
      },
    })
  } catch (error) {
    return wrong(error instanceof Error ? error.message : String(error))
  }
  const { values, positionals } = parsed
  if (values.help) return { what: 'help', text: help, exitCode: 0 }
  const [first, ...others] = positionals
  if (first === 'compare') {
    const [before, after] = others
    const bound = Number(values.bound ?? boundDefault)
    if (before === undefined || after === undefined || others.length > 2) return wrong('compare takes two results, BEFORE and AFTER')
    if (!(bound >= 0)) return wrong(`--bound is a share that is not negative, as 0.1, not "${values.bound}"`)
    return { what: 'compare', before, after, bound }
  }
  if (first === 'render') return { what: 'render', directory: resolve(others[0] ?? resultsDirectory) }
  const quick = values.quick ?? false
  const directory = values.out === undefined ? (quick ? quickDirectory : resultsDirectory) : resolve(values.out)
  const unknown = positionals.filter((name) => !scenarios.includes(name))
  if (unknown.length > 0) return wrong(`unknown scenario ${unknown.map((name) => `"${name}"`).join(', ')}`)
  const all = quick ? scenarios.filter((name) => quickOnes.includes(name)) : scenarios
  const named = [...positionals, ...(values.sustained ? ['sustained'] : [])]
  return { what: 'measure', names: named.length > 0 ? [...new Set(named)] : all, quick, directory }
}
