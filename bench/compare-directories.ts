// `npm run bench -- compare BEFORE AFTER`, on the terminal.
import { existsSync } from 'node:fs'
import { compareResults } from './compare.ts'
import { readResults } from './result-files.ts'
import { showRatio } from './show-ratio.ts'
import { textTable } from './text-table.ts'

/** @returns the exit code: 1 when a figure is surely worse by more than the bound, 2 when there is nothing to compare */
export function compareDirectories({ before, after, bound }: { before: string; after: string; bound: number }): number {
  for (const path of [before, after]) {
    if (!existsSync(path)) {
      console.error(`there is no "${path}": give two results, or two directories of them`)
      return 2
    }
  }
  const differences = compareResults(readResults(before), readResults(after), bound)
  if (differences.length === 0) {
    console.error(`"${before}" and "${after}" have no figure in common`)
    return 2
  }
  const rows = differences.map((difference) => [
    `${difference.scenario}: ${difference.name}`,
    difference.before,
    difference.after,
    showRatio(difference.ratio),
    `${difference.verdict}${difference.isBeyond ? ' (beyond the bound)' : ''}`,
  ])
  console.log(textTable(['figure', 'before', 'after', 'after ÷ before (95 %)', ''], rows))
  const beyond = differences.filter(({ isBeyond }) => isBeyond).length
  console.log(`\n${differences.length} figures, ${beyond} surely worse by more than ${Math.round(bound * 100)} %`)
  return beyond > 0 ? 1 : 0
}
