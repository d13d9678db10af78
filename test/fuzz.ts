// `npm run fuzz -- [--seconds N] [target …]`: the engine's fuzz targets (sandbox-host/engine/fuzz), each from the corpus that is kept under
// test/fixtures/fuzz. Ends in "N passed, N failed"; what made a target fail lies in test/fixtures/fuzz/failures and can be given to it as a
// file. With --keep, what reached new code joins the corpus, reduced to what reaches it.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { cargoEnvironment, engineDirectory, findCargo } from '../local/engine-cargo.mjs'

const targets = ['snapshot', 'answer', 'host_functions']
const usage = `usage: npm run fuzz -- [--seconds N] [--keep] [${targets.join('|')}] …   (all when none is named, 10 s each)`
const options = { seconds: { type: 'string', default: '10' }, keep: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const

const { values, positionals } = parseArgs({ options, allowPositionals: true })
const seconds = Number(values.seconds)
const unknown = positionals.filter((name) => !targets.includes(name))
if (values.help || unknown.length > 0 || !Number.isInteger(seconds) || seconds < 1) {
  for (const name of unknown) console.error(`there is no target ${JSON.stringify(name)}`)
  if (!Number.isInteger(seconds) || seconds < 1) console.error(`--seconds is ${JSON.stringify(values.seconds)}: a whole number from 1`)
  console.log(usage)
  process.exit(values.help ? 0 : 2)
}

const cargo = findCargo()
if (cargo === undefined) {
  console.warn('There is no Rust toolchain here: the fuzz targets did not run.')
  process.exit(0)
}
const crate = join(engineDirectory, 'fuzz')
// A target folder of its own: what libFuzzer needs changes how a part of Wasmtime is built, and two builds in one folder mix.
const shared = cargoEnvironment(cargo)
const targetDirectory = `${shared['CARGO_TARGET_DIR']}-fuzz`
const env = { ...shared, CARGO_TARGET_DIR: targetDirectory, RUSTC_WRAPPER: join(crate, 'rustc-wrapper.sh') }
const build = spawnSync(cargo, ['build', '--release', '--locked'], { cwd: crate, env, stdio: 'inherit' })
if (build.status !== 0) {
  console.error('the fuzz targets do not compile')
  process.exit(1)
}

const corpora = fileURLToPath(new URL('fixtures/fuzz/', import.meta.url))
const failures = join(corpora, 'failures')
let failed = 0
const chosen = positionals.length > 0 ? positionals : targets
for (const name of chosen) {
  console.log(`\n${name}, ${seconds} s`)
  const kept = join(corpora, name)
  const found = mkdtempSync(join(tmpdir(), 'bounty-fuzz-'))
  mkdirSync(failures, { recursive: true })
  cpSync(kept, found, { recursive: true })
  const binary = join(targetDirectory, 'release', name)
  // Slow inputs and leaks fail, too; the stream of progress goes to standard error.
  const flags = [
    '-max_len=4096',
    '-len_control=0',
    '-timeout=20',
    '-rss_limit_mb=2048',
    '-print_final_stats=1',
    `-artifact_prefix=${failures}/${name}-`,
  ]
  const run = spawnSync(binary, [`-max_total_time=${seconds}`, ...flags, found], { encoding: 'utf8', maxBuffer: 2 ** 28 })
  const end = run.stderr.split('\n').filter((line) => /DONE|stat::|panicked|ERROR|SUMMARY|assert/.test(line))
  console.log(end.map((line) => `  ${line}`).join('\n'))
  if (run.status !== 0) failed++
  else if (values.keep) spawnSync(binary, ['-merge=1', kept, found], { stdio: 'ignore' })
  rmSync(found, { recursive: true, force: true })
}
if (readdirSync(failures).length === 0) rmSync(failures, { recursive: true })
console.log(`\n${chosen.length - failed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0
