#!/usr/bin/env node
// The command line of Agent Bounty: `bounty <command>`. Each command lies in a file of its name.
import { UsageError } from './usage-error.ts'

type Command = (argv: string[]) => Promise<number>

/** Loaded when asked for: a bundler, an engine and the schemas take longer than most of what is typed. */
const commands: Record<string, () => Promise<Command>> = {
  deploy: async () => (await import('./deploy.ts')).deploy,
  run: async () => (await import('./run.ts')).run,
  verify: async () => (await import('./verify.ts')).verify,
}

const usage = `Usage: bounty <command>

  deploy    make an agent of a file, or the next version of one
  run       run an agent and print what it returns
  verify    check a receipt's signature and run its execution again

bounty <command> --help says more. The account's key is read from BOUNTY_KEY, the address of the API from BOUNTY_URL. Exit code: 0 what was
asked for, 1 not, 2 wrong use.`

// `npm run bounty` begins in the package's folder; files are named from where the caller stands.
const { npm_lifecycle_event: script, INIT_CWD: from } = process.env
if (script === 'bounty' && from !== undefined) process.chdir(from)

const [name = '--help', ...argv] = process.argv.slice(2)
const command = Object.hasOwn(commands, name) ? commands[name] : undefined
if (command) {
  try {
    process.exitCode = await (await command())(argv)
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
