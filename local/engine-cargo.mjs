// How cargo is called for the native engine: where cargo is, and a target folder in the user's cache that belongs to one compiler, so
// that a changed lock file or a second checkout compiles only what it has that others had not. Node built-ins only.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, utimesSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeDirectory } from './make-directory.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
export const engineDirectory = join(root, 'sandbox-host', 'engine')

/** `XDG_CACHE_HOME`, else `~/.cache`: https://specifications.freedesktop.org/basedir-spec */
export function cacheDirectory() {
  const base = process.env['XDG_CACHE_HOME']
  return join(base?.startsWith('/') ? base : join(homedir(), '.cache'), 'agent-bounty')
}

/** @returns {string | undefined} undefined when there is no Rust toolchain */
export function findCargo() {
  const name = process.platform === 'win32' ? 'cargo.exe' : 'cargo'
  const rustup = join(process.env['CARGO_HOME'] ?? join(homedir(), '.cargo'), 'bin')
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), rustup]
  return folders
    .filter(Boolean)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path))
}

/**
 * @param {string} cargo
 * @returns {NodeJS.ProcessEnv} the environment to call cargo in
 */
export function cargoEnvironment(cargo) {
  const rust = spawnSync(cargo, ['--version', '--verbose'], { encoding: 'utf8', cwd: engineDirectory }).stdout ?? ''
  const key = createHash('sha256').update(rust).digest('hex').slice(0, 16)
  const target = join(cacheDirectory(), `engine-target-${key}`)
  makeDirectory(target)
  // Folders that no build has touched for a month are removed by the set-up.
  utimesSync(target, new Date(), new Date())
  return { ...process.env, CARGO_TARGET_DIR: target }
}

/**
 * Runs cargo on the engine and waits; progress goes to this terminal, standard output is returned.
 * @param {string[]} args
 * @returns {{ status: number, output: string } | undefined} undefined when there is no Rust toolchain
 */
export function engineCargo(args) {
  const cargo = findCargo()
  if (cargo === undefined) return undefined
  const run = spawnSync(cargo, args, {
    cwd: engineDirectory,
    env: cargoEnvironment(cargo),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 64 * 1024 * 1024,
  })
  return { status: run.status ?? -1, output: run.stdout ?? '' }
}

// `node local/engine-cargo.mjs clippy …` calls cargo as the set-up does; no toolchain is said, and is no failure.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const run = engineCargo(process.argv.slice(2))
  if (run === undefined) console.warn('There is no Rust toolchain here: skipped.')
  else process.stdout.write(run.output)
  process.exitCode = run?.status ?? 0
}
