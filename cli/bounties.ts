// `bounty bounties` and `bounty show`: what there is to win.
import { bountySchema, bountyStatuses, bountySummarySchema } from '../shared/bounty.ts'
import { idSchema } from '../shared/ids.ts'
import { ask, checked, connect } from './connect.ts'
import { parseFlags } from './parse-flags.ts'
import { printable } from './printable.ts'
import { table } from './table.ts'
import { UsageError } from './usage-error.ts'

const listHelp = `Usage: bounty bounties [<words>]

Lists bounties, newest first; with words, those whose title has all of them.

  --status <status>  ${bountyStatuses.join(', ')}
  --limit <number>   at most so many; 20 when absent
  --json             one JSON object a line
  --url <url>        the API; else BOUNTY_URL, else http://127.0.0.1:8787

Needs no key. Exit code: 0 listed, 1 not, 2 wrong use.`

const listFlags = {
  help: { type: 'boolean', short: 'h' },
  status: { type: 'string' },
  limit: { type: 'string', default: '20' },
  json: { type: 'boolean' },
  url: { type: 'string' },
} as const

export async function bounties(argv: string[]): Promise<number> {
  const { values, positionals } = parseFlags('bounties', argv, listFlags)
  if (values.help) {
    console.log(listHelp)
    return 0
  }
  const status = bountyStatuses.find((known) => known === values.status)
  if (values.status !== undefined && status === undefined) {
    throw new UsageError(`bounty bounties: --status is ${JSON.stringify(values.status)}; must be one of ${bountyStatuses.join(', ')}`)
  }
  const limit = Number(values.limit)
  if (!Number.isSafeInteger(limit) || limit < 1) {
    throw new UsageError(`bounty bounties: --limit is ${JSON.stringify(values.limit)}; must be a whole number from 1`)
  }
  const words = positionals.map((word) => word.toLowerCase())
  const found = []
  for await (const item of connect(values.url).each('GET /api/bounties', { query: { status, limit: 100 } })) {
    const bounty = checked(bountySummarySchema, item, 'GET /api/bounties')
    if (words.every((word) => bounty.title.toLowerCase().includes(word))) found.push(bounty)
    if (found.length === limit) break
  }
  if (values.json) for (const bounty of found) console.log(JSON.stringify(bounty))
  else if (found.length === 0) console.error('there is no such bounty')
  else {
    const rows = found.map((bounty) => [bounty.id, bounty.status, bounty.rewardCredits, bounty.mode, bounty.caseCount, bounty.title])
    console.log(table(['id', 'status', 'reward', 'mode', 'cases', 'title'], rows))
  }
  return 0
}

const showHelp = `Usage: bounty show <bounty>

Shows a bounty with its public cases.

  --json       as JSON
  --url <url>  the API; else BOUNTY_URL, else http://127.0.0.1:8787

Needs no key. Exit code: 0 shown, 1 not, 2 wrong use.`

const showFlags = { help: { type: 'boolean', short: 'h' }, json: { type: 'boolean' }, url: { type: 'string' } } as const
const casesShownMax = 5

export async function show(argv: string[]): Promise<number> {
  const { values, positionals } = parseFlags('show', argv, showFlags)
  if (values.help) {
    console.log(showHelp)
    return 0
  }
  const [id] = positionals
  if (id === undefined || positionals.length > 1) throw new UsageError(showHelp)
  if (!idSchema('bounty').safeParse(id).success) {
    throw new UsageError(`bounty show: the bounty is ${JSON.stringify(id)}; must be an id such as \`bounty bounties\` lists`)
  }
  const bounty = await ask(connect(values.url), bountySchema, 'GET /api/bounties/{id}', { params: { id } })
  if (values.json) {
    console.log(JSON.stringify(bounty))
    return 0
  }
  const { title, status, mode, tier, rewardCredits, deadline, description, cases, hiddenCaseCount } = bounty
  const lines = [
    title,
    `${status}, ${rewardCredits} credits for the ${mode}, tier ${tier}${deadline === null ? '' : `, until ${deadline}`}`,
    `${cases.length} public and ${hiddenCaseCount} hidden cases`,
    ...(description === '' ? [] : ['', description]),
    ...cases
      .slice(0, casesShownMax)
      .flatMap(({ name, position, input, expected }) => [
        '',
        `case ${position + 1}${name === null ? '' : `: ${name}`}`,
        `  input     ${JSON.stringify(input)}`,
        `  expected  ${JSON.stringify(expected)}`,
      ]),
    ...(cases.length > casesShownMax ? ['', `… and ${cases.length - casesShownMax} public cases more: --json has them all`] : []),
  ]
  console.log(printable(lines.join('\n')))
  return 0
}
