// `bounty cancel`: an execution that nobody waits for, before it begins or while it runs.
import { idSchema } from '../shared/ids.ts'
import { executionSchema } from '../shared/execution.ts'
import { ask, connect } from './connect.ts'
import { parseFlags } from './parse-flags.ts'
import { UsageError } from './usage-error.ts'

const help = `Usage: bounty cancel <execution>

Cancels an execution of your own that was begun with \`bounty run --async\` and has not ended. What was cancelled before stays so.

  --url <url>  the API; else BOUNTY_URL, else http://127.0.0.1:8787

The account's key is read from BOUNTY_KEY. Exit code: 0 cancelled, 1 it has ended otherwise, 2 wrong use.`

const flags = { help: { type: 'boolean', short: 'h' }, url: { type: 'string' } } as const

export async function cancel(argv: string[]): Promise<number> {
  const { values, positionals } = parseFlags('cancel', argv, flags)
  if (values.help) {
    console.log(help)
    return 0
  }
  const [id] = positionals
  if (id === undefined || positionals.length > 1) throw new UsageError(help)
  if (!idSchema('execution').safeParse(id).success) {
    throw new UsageError(`bounty cancel: the execution is ${JSON.stringify(id)}; must be an id such as \`bounty run --async\` prints`)
  }
  const { status } = await ask(connect(values.url), executionSchema, 'DELETE /api/executions/{id}', { params: { id } })
  console.log(`${id} ${status}`)
  return 0
}
