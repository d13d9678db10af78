// The command line as a process of its own, as whoever types it has it.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const command = fileURLToPath(new URL('../../cli/bounty.ts', import.meta.url))

export type CommandAnswer = { code: number; out: string; err: string }
export type CommandOptions = { env?: Record<string, string>; input?: string; cwd?: string }

export function bounty(args: string[], { env = {}, input = '', cwd }: CommandOptions = {}): Promise<CommandAnswer> {
  return new Promise((resolve) => {
    const options = { env: { PATH: process.env['PATH'], ...env }, ...(cwd === undefined ? {} : { cwd }) }
    const child = execFile(process.execPath, [command, ...args], options, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err })
    })
    child.stdin?.end(input)
  })
}
