// How a TypeScript file of this checkout becomes a child process, and what of our own environment a child sees: by name, never all of it,
// so that a key in somebody's shell does not end up beside strangers' code.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { markVariable } from './leftover-processes.ts'
import type { ProcessSpec } from './supervise-process.ts'

export const checkout = fileURLToPath(new URL('..', import.meta.url))

const passedOn = ['PATH', 'HOME', 'USER', 'TMPDIR', 'LANG', 'TZ', 'LOG_LEVEL', 'RUST_BACKTRACE', 'XDG_CACHE_HOME']

export function childEnvironment(localDir: string): Record<string, string> {
  const named = passedOn.flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return { ...Object.fromEntries(named), [markVariable]: localDir }
}

/** `imports` are loaded before `file`. */
export type NodeProcess = { name: string; file: string; env: Record<string, string>; imports?: string[] }

export function nodeProcess({ name, file, env, imports = [] }: NodeProcess): ProcessSpec {
  const flags = ['--disable-warning=ExperimentalWarning', ...imports.map((path) => `--import=${join(checkout, path)}`)]
  return { name, command: nodeBinary(), args: [...flags, join(checkout, file)], env, cwd: checkout }
}

/** This Node if it runs TypeScript; the tests may run on the system's older one. */
function nodeBinary(): string {
  const installed = join(checkout, 'node_modules', 'node', 'bin', 'node')
  return process.features.typescript || !existsSync(installed) ? process.execPath : installed
}
