// Deno and Bun come from npm as binaries of about 100 MB, which nobody needs who does not measure: they are installed into the user's cache by the first
// measurement that wants them, at an exact version, and into nobody's node_modules.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheDirectory } from '../../local/engine-cargo.mjs'
import { makeDirectory } from '../../local/make-directory.mjs'

export const npmRuntimes = { deno: '2.9.6', bun: '1.4.5' } as const
export type NpmRuntime = keyof typeof npmRuntimes

const installMsMax = 120_000

/** @returns where it is once it is installed */
export function npmRuntimePath(name: NpmRuntime): string {
  return join(directoryOf(name), 'node_modules', '.bin', name)
}

/** @throws when npm cannot install it here */
export async function installNpmRuntime(name: NpmRuntime): Promise<void> {
  if (existsSync(npmRuntimePath(name))) return
  const directory = directoryOf(name)
  makeDirectory(directory)
  const wanted = `${name}@${npmRuntimes[name]}`
  // Its install script puts the binary of this platform in its place; npm asks for consent by name.
  await writeFile(join(directory, 'package.json'), JSON.stringify({ private: true, allowScripts: { [wanted]: true } }))
  const args = ['install', '--prefix', directory, '--no-audit', '--no-fund', '--save-exact', wanted]
  await promisify(execFile)('npm', args, { cwd: directory, timeout: installMsMax })
}

function directoryOf(name: NpmRuntime): string {
  return join(cacheDirectory(), `bench-${name}-${npmRuntimes[name]}`)
}
