// Makes a fresh checkout ready to run: the locked packages and the native engine. Node built-ins only, on Node 20 or newer; does
// nothing, quickly, when nothing changed. `node local/setup.mjs --help` says more.
import { fileURLToPath } from 'node:url'
import { setUpEngine } from './setup-engine.mjs'
import { SetupError } from './setup-error.mjs'
import { setUpPackages } from './setup-packages.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

export const setupHelp = `node local/setup.mjs [--require-engine] [--quiet]

Installs the locked npm packages and builds the native engine, each only when something changed.
  --require-engine  fail when the native engine cannot be built, instead of going on with the fallback
  --quiet           say nothing but errors and warnings
The engine is compiled in the user's cache folder (XDG_CACHE_HOME, else ~/.cache).`

/**
 * @param {{ requireEngine?: boolean, quiet?: boolean }} options
 * @returns {Promise<number>} an exit code; everything there is to say is printed
 */
export async function setUp({ requireEngine = false, quiet = false } = {}) {
  const report = (line) => quiet || console.log(`  ${line}`)
  try {
    await setUpPackages({ root, report })
    const built = await setUpEngine({ root, report })
    if (built.engine === 'native') return 0
    for (const line of built.output) console.error(`    ${line}`)
    console.warn(`\n  WARNING: no native engine: ${built.reason}.`)
    if (requireEngine) return 1
    console.warn('  Agents run in the QuickJS fallback: slower, without fuel, receipts or WebAssembly. For development only.\n')
    return 0
  } catch (error) {
    if (error instanceof SetupError) {
      for (const line of error.output) console.error(`    ${line}`)
      console.error(`  ${error.message}`)
    } else if (error?.code === 'ENOSPC') console.error('  the disk is full: free some space and run this again.')
    else console.error(`  set-up failed: ${error?.stack ?? error}`)
    return 1
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2)
  const unknown = args.find((arg) => !['--help', '--require-engine', '--quiet'].includes(arg))
  if (unknown !== undefined) {
    console.error(`unknown option ${JSON.stringify(unknown)}\n\n${setupHelp}`)
    process.exitCode = 2
  } else if (args.includes('--help')) console.log(setupHelp)
  else process.exitCode = await setUp({ requireEngine: args.includes('--require-engine'), quiet: args.includes('--quiet') })
}
