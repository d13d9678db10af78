#!/usr/bin/env node
// The command line of Agent Bounty: `bounty <command>`. One command so far; each lies in a file of its name.
import { UsageError } from './usage-error.ts'
import { verify } from './verify.ts'

const commands: Record<string, (argv: string[]) => Promise<number>> = { verify }

const usage = `Usage: bounty <command>

  verify    check a receipt's signature and run its execution again

bounty <command> --help says more.`

const [name = '--help', ...argv] = process.argv.slice(2)
const command = Object.hasOwn(commands, name) ? commands[name] : undefined
if (command) {
  try {
    process.exitCode = await command(argv)
  } catch (error) {
    const isUsage = error instanceof UsageError
    console.error(isUsage ? error.message : `bounty ${name}: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = isUsage ? 2 : 1
  }
} else if (name === '--help' || name === '-h') console.log(usage)
else {
  console.error(`bounty: there is no command ${JSON.stringify(name)}\n\n${usage}`)
  process.exitCode = 2
}
