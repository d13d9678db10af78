// The `wasmtime` command of the Wasmtime that our engine embeds. No registry has it built, so cargo builds it once, into the user's cache: some ten minutes of
// two cores, only for a full measurement, and without the parts that `wasmtime serve` does not use.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { cp, readdir, readFile, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { cacheDirectory, engineDirectory, findCargo } from '../../local/engine-cargo.mjs'

export const wasmtimeVersion = versionOfEngine()
const directory = join(cacheDirectory(), `bench-wasmtime-${wasmtimeVersion}`)
const features = 'run,serve,compile,parallel-compilation,pooling-allocator,component-model,component-model-async,threads'
const buildMsMax = 40 * 60_000

export const wasmtimePath = join(directory, 'bin', 'wasmtime')

/** @throws when cargo cannot build it here */
export async function installWasmtime(): Promise<void> {
  if (existsSync(wasmtimePath)) return
  const cargo = findCargo()
  if (cargo === undefined) throw new Error('there is no cargo to build it with')
  const args = ['install', 'wasmtime-cli', '--version', wasmtimeVersion, '--locked', '--quiet', '--root', directory]
  const build = spawn(cargo, [...args, '--no-default-features', '--features', features], {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: buildMsMax,
  })
  const [code] = await Promise.race([once(build, 'exit'), once(build, 'error')])
  if (code !== 0) throw new Error(`cargo install wasmtime-cli ended with ${code}`)
}

/** Of `wasi:http`, that the engine inside `jco componentize` speaks; Wasmtime takes all of 0.2. */
const wasiVersion = '0.2.3'

/** @returns a directory with the WIT of `wasi:http`, from the sources that cargo has from the build */
export async function wasiHttpWit(): Promise<string> {
  const registry = join(process.env['CARGO_HOME'] ?? join(homedir(), '.cargo'), 'registry', 'src')
  const from = (existsSync(registry) ? readdirSync(registry) : [])
    .map((index) => join(registry, index, `wasmtime-wasi-http-${wasmtimeVersion}`, 'wit'))
    .find((path) => existsSync(path))
  if (from === undefined) throw new Error(`cargo's registry has no sources of wasmtime-wasi-http ${wasmtimeVersion}`)
  const into = join(directory, 'wit')
  await cp(from, into, { recursive: true })
  for (const name of await readdir(into, { recursive: true })) {
    if (!name.endsWith('.wit')) continue
    const text = await readFile(join(into, name), 'utf8')
    const stable = text.replaceAll(/^ *@unstable\([^)]*\)\s+(?:import|include|export) [^;]*;\n/gm, '')
    await writeFile(join(into, name), stable.replaceAll(/\b0\.2\.\d+/g, wasiVersion))
  }
  return into
}

function versionOfEngine(): string {
  const lock = readFileSync(join(engineDirectory, 'Cargo.lock'), 'utf8')
  const version = /name = "wasmtime"\nversion = "([^"]+)"/.exec(lock)?.[1]
  if (version === undefined) throw new Error('the lock file of the engine names no Wasmtime')
  return version
}
