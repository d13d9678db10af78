// `npm run fuzz:scripts -- --programs N --first SEED`: programs by chance (sandbox-host/engine/tests/support/generate), interpreted, compiled, and
// compiled with every cache failing, must tell the same: output, errors with their stacks, logs, what is left on the heap. What differs is made
// smaller and kept under test/fixtures/fuzz/scripts, which every run of the engine's suite compares again. Exit code 1 when anything differed.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { cargoEnvironment, engineDirectory, findCargo } from '../local/engine-cargo.mjs'

const usage = `usage: npm run fuzz:scripts -- [options]
  --programs N   how many (1000)
  --first SEED   the first one's seed (1); the same seeds give the same programs
  --threads N    how many at once (1)
  --batch N      programs of one script (8); what differs is looked for in each alone
  --tries N      to make a program smaller that differs (400)
  --optimised    machine code as hosts make it: three times as slow
  --show         print the script of the first seeds, run nothing
Progress goes to standard error every 10 s.`
const options = {
  programs: { type: 'string' },
  first: { type: 'string' },
  threads: { type: 'string' },
  batch: { type: 'string' },
  tries: { type: 'string' },
  optimised: { type: 'boolean' },
  show: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

const { values } = parseArgs({ options })
const { help, optimised, show, ...numbers } = values
const wrong = Object.entries(numbers).filter(([, value]) => !/^[1-9]\d{0,14}$/.test(value))
for (const [name, value] of wrong) console.error(`--${name} is ${JSON.stringify(value)}: a whole number from 1`)
if (help || wrong.length > 0) {
  console.log(usage)
  process.exit(help ? 0 : 2)
}
const cargo = findCargo()
if (cargo === undefined) {
  console.warn('There is no Rust toolchain here: nothing ran.')
  process.exit(0)
}
const kept = fileURLToPath(new URL('fixtures/fuzz/scripts', import.meta.url))
const given = Object.entries(numbers).flatMap(([name, value]) => [`--${name}`, value])
const build = ['run', '--release', '--locked', '--no-default-features', '--example', 'fuzz-scripts', '--']
const run = spawnSync(cargo, [...build, ...given, ...(show ? ['--show'] : []), '--keep', kept], {
  cwd: engineDirectory,
  env: { ...cargoEnvironment(cargo), ...(optimised ? { SCRIPT_FUZZ_OPTIMISED: '1' } : {}) },
  stdio: 'inherit',
})
process.exitCode = run.status ?? 1
