#!/usr/bin/env node
// The command line of Agent Bounty: `bounty <command>`. Each command lies in a file of its name.
import { advice, isWrongUse } from './advice.ts'
import { UsageError } from './usage-error.ts'

type Command = (argv: string[]) => Promise<number>

/** Loaded when asked for: a bundler, an engine and the schemas take longer than most of what is typed. */
const commands: Record<string, () => Promise<Command>> = {
  bounties: async () => (await import('./bounties.ts')).bounties,
  cancel: async () => (await import('./cancel.ts')).cancel,
  'dead-letters': async () => (await import('./dead-letters.ts')).deadLetters,
  deploy: async () => (await import('./deploy.ts')).deploy,
  keys: async () => (await import('./keys.ts')).keys,
  run: async () => (await import('./run.ts')).run,
  show: async () => (await import('./bounties.ts')).show,
  submit: async () => (await import('./submit.ts')).submit,
  sweep: async () => (await import('./sweep.ts')).sweep,
  verify: async () => (await import('./verify.ts')).verify,
}

const usage = `Usage: bounty <command>

  bounties      list bounties, or search their titles
  show          one bounty with its public cases
  deploy        make an agent of a file, or the next version of one
  run           run an agent and print what it returns; --async does not wait for it
  cancel        an execution that was run with --async
  submit        judge an agent by every case of a bounty; --watch waits for the verdict
  verify        check a receipt's signature and run its execution again
  keys          the keys of your account and what they may do
  sweep         delete what is kept no longer (administrator)
  dead-letters  work that was given up: list it, do it anew

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
    const message = error instanceof Error ? error.message : String(error)
    console.error(error instanceof UsageError ? message : `bounty ${name}: ${message}`)
    const hint = advice(error)
    if (hint !== undefined) console.error(hint)
    process.exitCode = isWrongUse(error) ? 2 : 1
  }
} else if (name === '--help' || name === '-h') console.log(usage)
else {
  console.error(`bounty: there is no command ${JSON.stringify(name)}\n\n${usage}`)
  process.exitCode = 2
}
