// `npm test`: every suite there is, then a line for each test that failed and one that adds them up. Arguments go to vitest
// (`npm test -- sandbox`), and then only vitest runs. Exit code 1 when anything failed or nothing ran.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { engineCargo } from '../local/engine-cargo.mjs'

type Tally = { passed: number; failed: number; skipped: number }

type Failure = { name: string; reason: string }

/** What is read of vitest's JSON report. */
type VitestReport = {
  numPassedTests: number
  numPendingTests: number
  testResults: {
    name: string
    status: string
    message: string
    assertionResults: { status: string; fullName: string; failureMessages: string[] }[]
  }[]
}

/**
 * In CI, files with a failed test are run once more by themselves when they are this few: a machine that stood still for a moment should
 * not refuse a change. What failed twice has failed; what did not is listed.
 */
const FILES_TO_REPEAT = 3

/** Files are named in kebab-case: `sandboxBenchmark` finds `sandbox-benchmark.test.ts`. What follows an option is left as it is. */
const args = process.argv
  .slice(2)
  .map((word, at, all) =>
    /^[a-z]+(?:[A-Z][a-z]+)+$/.test(word) && !all[at - 1]?.startsWith('-')
      ? word.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
      : word,
  )
const suites = args.length > 0 ? [vitest] : [vitest, cargo]
const failures: Failure[] = []
const unsteady: Failure[] = []
const total: Tally = { passed: 0, failed: 0, skipped: 0 }
for (const suite of suites) {
  const tally = suite()
  total.passed += tally.passed
  total.failed += tally.failed
  total.skipped += tally.skipped
}
if (total.passed + total.failed === 0) total.failed = 1
console.log('')
for (const { name, reason } of unsteady) console.log(`unsteady, passed when it was run once more: ${name}: ${reason}`)
for (const { name, reason } of failures) console.log(`failed: ${name}: ${reason}`)
console.log(`${total.passed} passed, ${total.failed} failed${total.skipped ? `, ${total.skipped} skipped` : ''}`)
process.exit(total.failed > 0 ? 1 : 0)

function vitest(): Tally {
  const first = runVitest(args)
  if (!process.env.CI || first.files.length === 0 || first.files.length > FILES_TO_REPEAT) {
    failures.push(...first.failures)
    return { passed: first.passed, failed: first.failures.length, skipped: first.skipped }
  }
  console.log(`\nOnce more, by themselves: ${first.files.join(', ')}`)
  const options = args.filter((word, at) => word.startsWith('-') || args[at - 1]?.startsWith('-'))
  const second = runVitest([...first.files, ...options])
  failures.push(...second.failures)
  const names = new Set(second.failures.map(({ name }) => name))
  unsteady.push(...first.failures.filter(({ name }) => !names.has(name)))
  const passed = first.passed + Math.max(0, first.failures.length - second.failures.length)
  return { passed, failed: second.failures.length, skipped: first.skipped }
}

/** One run of vitest: how many passed, what failed, and the files that it failed in. */
function runVitest(words: readonly string[]): { passed: number; skipped: number; failures: Failure[]; files: string[] } {
  const directory = mkdtempSync(join(tmpdir(), 'bounty-test-'))
  try {
    const file = join(directory, 'vitest.json')
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
    const run = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...reporters, ...words], { stdio: 'inherit' })
    const report: VitestReport = JSON.parse(readFileSync(file, 'utf8'))
    const found = failuresOf(report)
    if (found.length === 0 && run.status !== 0) found.push({ name: 'vitest', reason: `ended with code ${run.status}` })
    const files = report.testResults.filter(({ status }) => status === 'failed').map(({ name }) => relative(process.cwd(), name))
    return { passed: report.numPassedTests, skipped: report.numPendingTests, failures: found, files }
  } catch (error) {
    return { passed: 0, skipped: 0, failures: [{ name: 'vitest', reason: `left no report: ${String(error)}` }], files: [] }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Every failed test, and every file that did not load. */
function failuresOf(report: VitestReport): Failure[] {
  return report.testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(process.cwd(), name)
    const failed = assertionResults.filter((one) => one.status === 'failed')
    if (failed.length === 0 && status === 'failed') return [{ name: file, reason: firstLine(message) }]
    return failed.map((one) => ({ name: `${file} > ${one.fullName}`, reason: firstLine(one.failureMessages[0] ?? '') }))
  })
}

function firstLine(text: string): string {
  return stripVTControlCharacters(text.trim().split('\n')[0] ?? '').slice(0, 500)
}

function cargo(): Tally {
  const run = engineCargo(['test', '--release', '--locked', '--no-default-features'])
  if (run === undefined) {
    console.warn('\nThe engine suite did not run: there is no Rust toolchain. The host uses its fallback engine here.')
    return { passed: 0, failed: 0, skipped: 1 }
  }
  process.stdout.write(run.output)
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 }
  for (const [, name] of run.output.matchAll(/^test (\S+) \.\.\. FAILED$/gm))
    failures.push({ name: `engine: ${name}`, reason: 'see its output above' })
  for (const [, passed, failed, ignored] of run.output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/gm)) {
    tally.passed += Number(passed)
    tally.failed += Number(failed)
    tally.skipped += Number(ignored)
  }
  if (run.status !== 0) tally.failed = Math.max(tally.failed, 1)
  return tally
}
