// `npm test`: every suite there is, then a line for each test that failed and one that adds them up. Arguments go to vitest
// (`npm test -- sandbox`), and then only vitest runs. Exit code 1 when anything failed or nothing ran.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { engineCargo } from '../local/engine-cargo.mjs'

type Tally = { passed: number; failed: number; skipped: number }

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

/** Files are named in kebab-case: `sandboxBenchmark` finds `sandbox-benchmark.test.ts`. What follows an option is left as it is. */
const args = process.argv
  .slice(2)
  .map((word, at, all) =>
    /^[a-z]+(?:[A-Z][a-z]+)+$/.test(word) && !all[at - 1]?.startsWith('-')
      ? word.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
      : word,
  )
const suites = args.length > 0 ? [vitest] : [vitest, cargo]
const failures: string[] = []
const total: Tally = { passed: 0, failed: 0, skipped: 0 }
for (const suite of suites) {
  const tally = suite()
  total.passed += tally.passed
  total.failed += tally.failed
  total.skipped += tally.skipped
}
if (total.passed + total.failed === 0) total.failed = 1
if (failures.length > 0) console.log(`\n${failures.map((failure) => `failed: ${failure}`).join('\n')}`)
console.log(`\n${total.passed} passed, ${total.failed} failed${total.skipped ? `, ${total.skipped} skipped` : ''}`)
process.exit(total.failed > 0 ? 1 : 0)

function vitest(): Tally {
  const directory = mkdtempSync(join(tmpdir(), 'bounty-test-'))
  try {
    const report = join(directory, 'vitest.json')
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    const run = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...reporters, ...args], { stdio: 'inherit' })
    const result: VitestReport = JSON.parse(readFileSync(report, 'utf8'))
    const failed = failuresOf(result)
    failures.push(...failed)
    return {
      passed: result.numPassedTests,
      failed: Math.max(failed.length, run.status === 0 ? 0 : 1),
      skipped: result.numPendingTests,
    }
  } catch (error) {
    console.error(`vitest left no report: ${String(error)}`)
    return { passed: 0, failed: 1, skipped: 0 }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** A line for each failed test, and for each file that did not load. */
function failuresOf(report: VitestReport): string[] {
  return report.testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(process.cwd(), name)
    const failed = assertionResults.filter((one) => one.status === 'failed')
    if (failed.length === 0 && status === 'failed') return [`${file}: ${firstLine(message)}`]
    return failed.map((one) => `${file} > ${one.fullName}: ${firstLine(one.failureMessages[0] ?? '')}`)
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
  for (const [, name] of run.output.matchAll(/^test (\S+) \.\.\. FAILED$/gm)) failures.push(`engine: ${name}`)
  for (const [, passed, failed, ignored] of run.output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/gm)) {
    tally.passed += Number(passed)
    tally.failed += Number(failed)
    tally.skipped += Number(ignored)
  }
  if (run.status !== 0) tally.failed = Math.max(tally.failed, 1)
  return tally
}
