// `npm run build:script-module`: builds quickjs.wasm from its pinned sources and says whether it is, byte for byte, the one in the repository.
// Sources: the crate that Cargo.lock names by its checksum. Compiler: Zig from PyPI, by version. `--write` replaces the module; it then
// belongs to a new version of the engine, so that every receipt and every figure of fuel changes. Node built-ins only.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { cacheDirectory, engineDirectory, findCargo } from './engine-cargo.mjs'

const here = join(engineDirectory, 'script-module')
const zigVersion = '0.17.1'
/** The last whose wheel still has wasi-libc's emmalloc. */
const allocatorZigVersion = '0.15.2'

/** Stack of the module's C code, below its data, so that overflowing it traps instead of writing into the heap. */
const stackBytes = 1024 * 1024

const flags = [
  '-target',
  'wasm32-wasi',
  '-mexec-model=reactor',
  // What Wasmtime runs with every deterministic feature; the module needs none of the others.
  '-mcpu=generic',
  '-O3',
  '-DNDEBUG',
  '-g0',
  '-w',
  '-fwrapv',
  '-fno-sanitize=undefined',
  '-D_GNU_SOURCE',
  '-DCONFIG_VERSION="2026-06-04"',
  `-Wl,-z,stack-size=${stackBytes}`,
  '-Wl,--export=__stack_pointer',
  '-Wl,--strip-all',
]

/**
 * A switch compiles to Wasm better than computed jumps do; agents have no threads. Zig's own allocator, since 0.16, rounds up to powers of
 * two and never joins what is free (a buffer of 9 MB took 17.8 MB instead of 10.1): the one of wasi-libc takes its place, which weak
 * symbols would do or not by the order of files.
 */
const changes = [
  ['quickjs.c', /^#define DIRECT_DISPATCH {2}1$/gm, '#define DIRECT_DISPATCH  0'],
  ['quickjs.c', /^#define CONFIG_ATOMICS$/gm, ''],
  ['emmalloc.c', /^#define EMMALLOC_EXPORT __attribute__\(\(weak\)\)$/gm, '#define EMMALLOC_EXPORT'],
]

/** @returns {Promise<{ wasm: Buffer } | { missing: string }>} the module, or what is not on this machine */
export async function buildScriptModule() {
  const cargo = findCargo()
  if (cargo === undefined) return { missing: 'a Rust toolchain, which fetches the sources' }
  const zig = installZig(zigVersion)
  const allocator = installZig(allocatorZigVersion)
  if (zig === undefined || allocator === undefined) return { missing: `Python with pip, which brings Zig ${zigVersion}` }
  const work = mkdtempSync(join(tmpdir(), 'bounty-script-module-'))
  try {
    const sources = quickjsSources(cargo)
    for (const name of readdirSync(sources).filter((file) => /\.[ch]$/.test(file))) cpSync(join(sources, name), join(work, name))
    cpSync(join(here, 'exports.c'), join(work, 'exports.c'))
    cpSync(join(allocator, 'ziglang/lib/libc/wasi/emmalloc/emmalloc.c'), join(work, 'emmalloc.c'))
    for (const [file, from, to] of changes) change(join(work, file), from, to)
    await applyPatches(work)
    const files = ['libregexp.c', 'libunicode.c', 'dtoa.c', 'cutils.c', 'emmalloc.c', 'exports.c']
    // Relative names, so that no path of this machine is compiled in.
    run('python3', ['-m', 'ziglang', 'cc', '-I.', `-I${join(here, 'include')}`, ...flags, ...files, '-o', 'quickjs.wasm'], {
      cwd: work,
      env: { ...process.env, PYTHONPATH: zig },
    })
    return { wasm: readFileSync(join(work, 'quickjs.wasm')) }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function change(path, from, to) {
  const text = readFileSync(path, 'utf8')
  const changed = text.replaceAll(from, to)
  if (changed === text) throw new Error(`${path} has nothing that matches ${from}`)
  writeFileSync(path, changed)
}

/**
 * What `patches/` holds, in the order of names: unified diffs of the sources (`a/quickjs.c`, `b/quickjs.c`), and, where a diff would be too
 * brittle, scripts: `export const file` names what `export default (text) => text` rewrites. Whatever does not apply exactly ends the build.
 */
async function applyPatches(work) {
  const directory = join(here, 'patches')
  for (const name of readdirSync(directory).toSorted()) {
    const path = join(directory, name)
    if (name.endsWith('.diff')) {
      // The folder is in no repository, and must be taken for none.
      run('git', ['apply', '--whitespace=nowarn', path], { cwd: work, env: { ...process.env, GIT_CEILING_DIRECTORIES: dirname(work) } })
    } else if (name.endsWith('.mjs')) {
      const { file, default: rewrite } = await import(pathToFileURL(path).href)
      const target = join(work, file)
      const text = readFileSync(target, 'utf8')
      const rewritten = rewrite(text)
      if (rewritten === text) throw new Error(`${name} changes nothing in ${file}`)
      writeFileSync(target, rewritten)
    }
  }
}

function quickjsSources(cargo) {
  const told = run(cargo, ['metadata', '--format-version', '1', '--locked', '--manifest-path', join(here, 'Cargo.toml')], {})
  const crate = JSON.parse(told).packages.find(({ name }) => name === 'hirofa-quickjs-sys')
  return join(dirname(crate.manifest_path), 'bellard', 'quickjs')
}

/** @returns where it is */
function installZig(version) {
  const directory = join(cacheDirectory(), `ziglang-${version}`)
  if (existsSync(join(directory, 'ziglang'))) return directory
  const pip = spawnSync('python3', ['-m', 'pip', 'install', '--quiet', '--target', directory, `ziglang==${version}`], { stdio: 'ignore' })
  return pip.status === 0 ? directory : undefined
}

function run(command, args, options) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 28, ...options })
  if (status !== 0)
    throw new Error(`${command} ${args.slice(0, 3).join(' ')} … ended with ${status ?? error?.message}\n${stderr?.slice(-2000)}`)
  return stdout
}

export function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const built = await buildScriptModule()
  if ('missing' in built) {
    console.error(`the script module cannot be built here: there is no ${built.missing}`)
    process.exitCode = 2
  } else {
    const kept = join(here, 'quickjs.wasm')
    const isSame = sha256(built.wasm) === sha256(readFileSync(kept))
    console.log(
      `${built.wasm.length} bytes, sha256 ${sha256(built.wasm)}: ${isSame ? 'the same as' : 'other than'} the one in the repository`,
    )
    if (process.argv.includes('--write')) writeFileSync(kept, built.wasm)
    else if (!isSame) process.exitCode = 1
  }
}
