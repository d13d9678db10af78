// What was typed after `bounty <command>`, read alike by every command.
import { parseArgs } from 'node:util'
import type { ParseArgsConfig } from 'node:util'
import { UsageError } from './usage-error.ts'

type Flags = NonNullable<ParseArgsConfig['options']>

/** @throws UsageError naming the flag */
export function parseFlags<T extends Flags>(command: string, argv: string[], flags: T) {
  try {
    return parseArgs({ args: argv, options: flags, allowPositionals: true, strict: true })
  } catch (cause) {
    throw new UsageError(`bounty ${command}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}
