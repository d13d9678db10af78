// Builds the native engine when its sources changed, and keeps what it built in the user's cache by the hash of those sources, so that
// another checkout copies instead of compiling. Without a Rust toolchain the host runs its fallback engine. Node built-ins only.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFile, readFile, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { cacheDirectory, cargoEnvironment, engineDirectory, findCargo } from './engine-cargo.mjs'
import { makeDirectory } from './make-directory.mjs'
import { SetupError } from './setup-error.mjs'
import { runStep } from './setup-step.mjs'

const unusedDaysMax = 30
const library = { darwin: 'libagent_engine.dylib', win32: 'agent_engine.dll' }[process.platform] ?? 'libagent_engine.so'
const addon = join(engineDirectory, 'agent-engine.node')
const executable = process.platform === 'win32' ? '.exe' : ''
/** What cargo makes, and the name that it has in the engine's folder: the addon, and the compiler that it never loads. */
const products = [
  [library, 'agent-engine.node'],
  [`agent-compiler${executable}`, `agent-compiler${executable}`],
]

/**
 * @param {{ root: string, report: (line: string) => void }} options
 * @returns {Promise<{ engine: 'native' } | { engine: 'fallback', reason: string, output: string[] }>}
 */
export async function setUpEngine({ root, report }) {
  const hash = await sourceHash(engineDirectory)
  const stamp = join(root, 'node_modules', '.agent-bounty-engine')
  if ((await readFile(stamp, 'utf8').catch(() => '')) === (await stampText(hash))) return { engine: 'native' }

  const kept = join(cacheDirectory(), `engine-${hash.slice(0, 32)}-${process.platform}-${process.arch}`)
  if (await isWhole(kept)) {
    await place(kept)
    await utimes(kept, new Date(), new Date()).catch(() => {})
  }
  // A kept build may be from a machine with another C library that shares this home.
  if (!(await isWhole(kept)) || !loads()) {
    const failure = await compile(kept, report)
    if (failure) return failure
    await place(kept)
    if (!loads()) return { engine: 'fallback', reason: 'the engine was built but cannot be loaded', output: [] }
    await removeUnused()
  }
  await writeFile(stamp, await stampText(hash))
  return { engine: 'native' }
}

/** Also undoes an addon of other sources: running yesterday's engine silently would be worse than the fallback. */
async function compile(kept, report) {
  await rm(addon, { force: true })
  const cargo = findCargo()
  if (cargo === undefined) {
    return { engine: 'fallback', reason: 'there is no Rust toolchain (install one from https://rustup.rs)', output: [] }
  }
  const env = prepareCache(cargo)
  const { status, output, seconds } = await runStep({
    label: 'building the native engine (about 3 minutes the first time)',
    command: cargo,
    args: ['build', '--release', '--locked', '--manifest-path', join(engineDirectory, 'Cargo.toml')],
    cwd: engineDirectory,
    env,
    note: (line) => /^\s*Compiling (\S+)/.exec(line)?.[1],
  })
  if (status !== 0) return { engine: 'fallback', reason: buildAdvice(output), output: output.slice(-15) }
  makeDirectory(kept)
  for (const [made, name] of products) await copyWhole(join(env.CARGO_TARGET_DIR ?? '', 'release', made), join(kept, name))
  report(`engine built in ${Math.round(seconds)} s`)
  return undefined
}

function prepareCache(cargo) {
  try {
    makeDirectory(cacheDirectory())
    return cargoEnvironment(cargo)
  } catch (error) {
    throw new SetupError(`cannot use the cache folder ${cacheDirectory()} (${error.code}): set XDG_CACHE_HOME to a writable folder.`)
  }
}

/** @param {string[]} output */
export function buildAdvice(output) {
  const text = output.join('\n')
  if (/requires rustc|rustc [\d.]+ is not supported|edition.*is required|edition2024|lock file version/.test(text))
    return 'the Rust toolchain is too old, run `rustup update`'
  if (/No space left|ENOSPC/.test(text)) return 'the disk is full, free 2 GB and run this again'
  if (/failed to download|Could not resolve host|failed to get|spurious network error/.test(text))
    return 'the crate registry cannot be reached, check the network and run this again'
  if (/linker .* not found/.test(text)) return 'there is no C linker, install one (Debian: `apt install build-essential`)'
  return 'cargo failed'
}

async function place(kept) {
  for (const [, name] of products) {
    const placed = join(engineDirectory, name)
    await copyWhole(join(kept, name), placed).catch((error) => {
      throw new SetupError(`cannot write ${relative(process.cwd(), placed)} (${error.code}): make the checkout writable for this user.`)
    })
  }
}

/** A reader never sees half a file, and a process that has the old one loaded keeps it. */
async function copyWhole(from, to) {
  const part = `${to}.${process.pid}.part`
  await copyFile(from, part)
  await rename(part, to)
}

function loads() {
  const script = 'process.dlopen({ exports: {} }, process.argv[1])'
  return spawnSync(process.execPath, ['-e', script, addon], { stdio: 'ignore', timeout: 20_000 }).status === 0
}

/** What is in place, told apart from a file that something else put there. */
async function stampText(hash) {
  const placed = await Promise.all(products.map(([, name]) => stat(join(engineDirectory, name)).catch(() => undefined)))
  const told = placed.map((file) => (file ? `${file.size} ${Math.round(file.mtimeMs)}` : 'absent'))
  return `${hash} ${told.join(' ')}\n`
}

/** @param {string} directory a crate: its manifest, lock, build script and sources */
export async function sourceHash(directory) {
  const sources = await readdir(join(directory, 'src'), { recursive: true, withFileTypes: true }).catch(() => [])
  const files = sources.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name))
  const all = [...files, ...['Cargo.toml', 'Cargo.lock', 'build.rs', 'rust-toolchain.toml'].map((name) => join(directory, name))]
  const hash = createHash('sha256')
  for (const file of all.toSorted((a, b) => (a < b ? -1 : 1))) {
    const bytes = await readFile(file).catch(() => Buffer.alloc(0))
    hash.update(`${relative(directory, file)}\0${bytes.length}\0`).update(bytes)
  }
  return hash.digest('hex')
}

async function removeUnused() {
  const folder = cacheDirectory()
  const oldest = Date.now() - unusedDaysMax * 24 * 3600 * 1000
  for (const name of await readdir(folder)) {
    if (!/^(engine|component)-/.test(name)) continue
    const path = join(folder, name)
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }))
    if (mtimeMs < oldest) await rm(path, { recursive: true, force: true })
  }
}

async function isWhole(kept) {
  const found = await Promise.all(products.map(([, name]) => stat(join(kept, name)).catch(() => undefined)))
  return found.every(Boolean)
}
