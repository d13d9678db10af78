// `npm test`: every suite there is, then one line that adds them up. Arguments go to vitest (`npm test -- sandbox`), and then only
// vitest runs. Exit code 1 when anything failed or nothing ran.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { engineCargo } from '../local/engine-cargo.mjs'

type Tally = { passed: number; failed: number; skipped: number }

/** Files are named in kebab-case: `sandboxBenchmark` finds `sandbox-benchmark.test.ts`. What follows an option is left as it is. */
const args = process.argv
  .slice(2)
  .map((word, at, all) =>
    /^[a-z]+(?:[A-Z][a-z]+)+$/.test(word) && !all[at - 1]?.startsWith('-')
      ? word.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
      : word,
  )
const suites = args.length > 0 ? [vitest] : [vitest, cargo]
const total: Tally = { passed: 0, failed: 0, skipped: 0 }
for (const suite of suites) {
  const tally = suite()
  total.passed += tally.passed
  total.failed += tally.failed
  total.skipped += tally.skipped
}
if (total.passed + total.failed === 0) total.failed = 1
console.log(`\n${total.passed} passed, ${total.failed} failed${total.skipped ? `, ${total.skipped} skipped` : ''}`)
process.exit(total.failed > 0 ? 1 : 0)

function vitest(): Tally {
  const directory = mkdtempSync(join(tmpdir(), 'bounty-test-'))
  try {
    const report = join(directory, 'vitest.json')
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    const run = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...reporters, ...args], { stdio: 'inherit' })
    const result = JSON.parse(readFileSync(report, 'utf8'))
    const failed = Number(result.numFailedTests)
    // A suite that fails to load has no failed test of its own, but fails the run.
    return {
      passed: Number(result.numPassedTests),
      failed: run.status === 0 ? failed : Math.max(failed, 1),
      skipped: Number(result.numPendingTests),
    }
  } catch (error) {
    console.error(`vitest left no report: ${String(error)}`)
    return { passed: 0, failed: 1, skipped: 0 }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function cargo(): Tally {
  const run = engineCargo(['test', '--release', '--locked', '--no-default-features'])
  if (run === undefined) {
    console.warn('\nThe engine suite did not run: there is no Rust toolchain. The host uses its fallback engine here.')
    return { passed: 0, failed: 0, skipped: 1 }
  }
  process.stdout.write(run.output)
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 }
  for (const [, passed, failed, ignored] of run.output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/gm)) {
    tally.passed += Number(passed)
    tally.failed += Number(failed)
    tally.skipped += Number(ignored)
  }
  if (run.status !== 0) tally.failed = Math.max(tally.failed, 1)
  return tally
}
