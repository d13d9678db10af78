// `bounty dead-letters`: work that was given up, with every attempt at it; and doing it anew.
import { z } from 'zod'
import { deadLetterKinds, deadLetterKindSchema, deadLetterReplaySchema, deadLetterSchema } from '../shared/dead-letter.ts'
import type { DeadLetter, DeadLetterKind } from '../shared/dead-letter.ts'
import { idSchema } from '../shared/ids.ts'
import type { Client } from '../client/create-client.ts'
import { ask, checked, connect } from './connect.ts'
import { parseFlags } from './parse-flags.ts'
import { printable } from './printable.ts'
import { table } from './table.ts'
import { UsageError } from './usage-error.ts'

const help = `Usage: bounty dead-letters list [--kind <kind>] [--agent <id>]
       bounty dead-letters show <id>
       bounty dead-letters replay <id>
       bounty dead-letters delete <id>

Work of your account that was given up after every attempt, for 30 days. show tells when, where and why each attempt ended. replay does the work
anew: a failed execution runs again with the same input, a failed submission is submitted again. While a replay is under way, or when it ended
well, replay names it and makes nothing. The administrator sees the letters of all, and messages that nobody could take.

  --kind <kind>  ${deadLetterKinds.join(', ')}
  --agent <id>   work of this agent
  --limit <n>    show at most so many; 50 when absent
  --json         the letters as JSON, one a line
  --url <url>    the API; else BOUNTY_URL, else http://127.0.0.1:8787

The account's key is read from BOUNTY_KEY: list and show need the scope "read", replay and delete "run", and to submit again "bounties".
Exit code: 0 done, 1 not, 2 wrong use.`

const flags = {
  help: { type: 'boolean', short: 'h' },
  kind: { type: 'string' },
  agent: { type: 'string' },
  limit: { type: 'string' },
  json: { type: 'boolean' },
  url: { type: 'string' },
} as const
const limitDefault = 50

export async function deadLetters(argv: string[]): Promise<number> {
  const { values, positionals } = parseFlags('dead-letters', argv, flags)
  if (values.help) {
    console.log(help)
    return 0
  }
  const [command, id, ...more] = positionals
  const client = () => connect(values.url)
  if (command === 'list' && id === undefined) {
    const query = { kind: kindOf(values.kind), agent: agentOf(values.agent) }
    return list(client(), query, { max: limitOf(values.limit), isJson: values.json === true })
  }
  if (id === undefined || more.length > 0) throw new UsageError(help)
  const params = { id: letterOf(id) }
  if (command === 'show') show(await ask(client(), deadLetterSchema, 'GET /api/dead-letters/{id}', { params }), values.json === true)
  else if (command === 'replay') {
    const made = await ask(client(), deadLetterReplaySchema, 'POST /api/dead-letters/{id}/replay', { params })
    console.error(`${made.kind} ${made.id} is ${made.status}; it replays ${made.replayOf}`)
    console.log(made.id)
  } else if (command === 'delete') {
    await client().call('DELETE /api/dead-letters/{id}', { params })
    console.error(`${id} is gone`)
  } else throw new UsageError(help)
  return 0
}

type Query = { kind?: DeadLetterKind | undefined; agent?: string | undefined }

async function list(client: Client, { kind, agent }: Query, { max, isJson }: { max: number; isJson: boolean }): Promise<number> {
  const query = { ...(kind === undefined ? {} : { kind }), ...(agent === undefined ? {} : { agent }) }
  const found: DeadLetter[] = []
  for await (const item of client.each('GET /api/dead-letters', { query })) {
    found.push(checked(deadLetterSchema, item, 'GET /api/dead-letters'))
    if (found.length === max) break
  }
  if (isJson) for (const letter of found) console.log(JSON.stringify(letter))
  else {
    const rows = found.map((letter) => [
      letter.id,
      workOf(letter),
      letter.attempts.length,
      letter.createdAt,
      letter.replayedAs,
      letter.reason,
    ])
    console.log(table(['id', 'of', 'attempts', 'given up', 'replayed as', 'why'], rows))
  }
  return 0
}

function show(letter: DeadLetter, isJson: boolean): void {
  if (isJson) return console.log(JSON.stringify(letter))
  const { id, agentId, version, reason, attempts, replayedAs, createdAt, message } = letter
  const of = agentId === null ? '' : ` of ${agentId} version ${version}`
  console.log(printable(`${id}: ${workOf(letter)}${of}, given up at ${createdAt}\n${reason}`))
  if (replayedAs !== null) console.log(`replayed as ${replayedAs}`)
  if (attempts.length > 0) {
    console.log(
      table(
        ['began', 'ended', 'host', 'how'],
        attempts.map(({ beganAt, endedAt, host, end }) => [beganAt, endedAt, host, end]),
      ),
    )
  }
  if (message) console.log(printable(`${message.bytes} bytes at ${message.topic}/${message.partition}/${message.offset}:\n${message.text}`))
}

function workOf({ submissionId, executionId, message }: DeadLetter): string {
  return submissionId ?? executionId ?? `a message on ${message?.topic ?? 'a topic'}`
}

function letterOf(text: string): string {
  return parsed(idSchema('deadLetter'), text, 'the dead letter')
}

function kindOf(text: string | undefined): DeadLetterKind | undefined {
  return text === undefined ? undefined : parsed(deadLetterKindSchema, text, '--kind', `one of ${deadLetterKinds.join(', ')}`)
}

function agentOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : parsed(idSchema('agent'), text, '--agent')
}

function limitOf(text: string | undefined): number {
  const limit = z.coerce.number().int().min(1).max(100_000)
  return text === undefined ? limitDefault : parsed(limit, text, '--limit', 'a whole number from 1 to 100000')
}

function parsed<T extends z.ZodType>(schema: T, text: string, what: string, allowed?: string): z.infer<T> {
  const result = schema.safeParse(text)
  if (result.success) return result.data
  const rule = allowed === undefined ? result.error.issues[0]?.message : `must be ${allowed}`
  throw new UsageError(`bounty dead-letters: ${what} is ${JSON.stringify(text)}; ${rule}`)
}
