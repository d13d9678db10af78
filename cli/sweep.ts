// `bounty sweep`: walks over everything that is stored, and deletes what is kept no longer. For the administrator.
import { sweepStepSchema } from '../shared/sweep.ts'
import type { SweepStep } from '../shared/sweep.ts'
import { ask, connect } from './connect.ts'
import { parseFlags } from './parse-flags.ts'
import { table } from './table.ts'
import { UsageError } from './usage-error.ts'

const help = `Usage: bounty sweep [--dry-run]

Deletes executions that are kept no longer, and objects in the bucket that nothing names any more: programs, artifacts, bundles. The cron of
the Worker does the same every hour; nothing young is touched.

  --dry-run    deletes nothing, and says what would be deleted
  --json       one JSON object a step
  --url <url>  the API; else BOUNTY_URL, else http://127.0.0.1:8787

The administrator's key is read from BOUNTY_KEY. Exit code: 0 walked to the end, 1 not, 2 wrong use.`

const flags = {
  help: { type: 'boolean', short: 'h' },
  'dry-run': { type: 'boolean' },
  json: { type: 'boolean' },
  url: { type: 'string' },
} as const

export async function sweep(argv: string[]): Promise<number> {
  const { values, positionals } = parseFlags('sweep', argv, flags)
  if (values.help) {
    console.log(help)
    return 0
  }
  if (positionals.length > 0) throw new UsageError(help)
  const client = connect(values.url)
  const dryRun = values['dry-run'] ?? false
  const steps: SweepStep[] = []
  let cursor: string | null | undefined
  while (cursor !== null) {
    const step = await ask(client, sweepStepSchema, 'POST /api/admin/sweeps', { body: { dryRun, cursor } })
    if (values.json) console.log(JSON.stringify(step))
    steps.push(step)
    cursor = step.nextCursor
  }
  if (!values.json) console.log(summaryOf(steps, dryRun))
  return 0
}

function summaryOf(steps: SweepStep[], dryRun: boolean): string {
  const rows = [...Map.groupBy(steps, ({ phase }) => phase)].map(([phase, of]) => {
    const sum = (field: 'looked' | 'deleted' | 'bytes') => of.reduce((all, step) => all + step[field], 0)
    return [phase, sum('looked'), sum('deleted'), sum('bytes'), of.flatMap(({ examples }) => examples)[0] ?? '–']
  })
  return table(['', 'looked at', dryRun ? 'would be deleted' : 'deleted', 'bytes', 'for example'], rows)
}
