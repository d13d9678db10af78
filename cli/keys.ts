// `bounty keys`: the keys of the account, never their secrets.
import { keySchema } from '../shared/api-key.ts'
import { checked, connect } from './connect.ts'
import { parseFlags } from './parse-flags.ts'
import { table } from './table.ts'
import { UsageError } from './usage-error.ts'

const help = `Usage: bounty keys

Lists the keys of your account and what they may do.

  --json       one JSON object a line
  --url <url>  the API; else BOUNTY_URL, else http://127.0.0.1:8787

The account's key is read from BOUNTY_KEY; it needs the scope "read". Exit code: 0 listed, 1 not, 2 wrong use.`

const flags = { help: { type: 'boolean', short: 'h' }, json: { type: 'boolean' }, url: { type: 'string' } } as const

export async function keys(argv: string[]): Promise<number> {
  const { values, positionals } = parseFlags('keys', argv, flags)
  if (values.help) {
    console.log(help)
    return 0
  }
  if (positionals.length > 0) throw new UsageError(help)
  const found = []
  for await (const item of connect(values.url).each('GET /api/keys')) found.push(checked(keySchema, item, 'GET /api/keys'))
  if (values.json) for (const key of found) console.log(JSON.stringify(key))
  else {
    const rows = found.map((key) => [key.id, key.scopes.join(' '), key.expiresAt ?? 'never', key.name])
    console.log(table(['id', 'scopes', 'expires', 'name'], rows))
  }
  return 0
}
