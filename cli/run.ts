// `bounty run`: one execution. What the agent returned goes to standard output, all else to standard error, so that it fits into a pipe.
import { executionCreateSchema, executionSchema, outcomeSchema } from '../shared/execution.ts'
import type { Execution } from '../shared/execution.ts'
import { respondAsync } from '../shared/prefer.ts'
import { tierNames } from '../shared/tiers.ts'
import { ask, connect } from './connect.ts'
import { agentId } from './find-agent.ts'
import { followExecution } from './follow-execution.ts'
import { parseFlags } from './parse-flags.ts'
import { printable } from './printable.ts'
import { parsedJson, readText } from './read-json.ts'
import { UsageError } from './usage-error.ts'

const help = `Usage: bounty run <agent> --input <file>

Runs an agent, named by its id or, if it is your own, by its name. Its output is printed as JSON; its logs, artifacts and figures go to
standard error.

  --input <file>       the input as JSON; - is standard input
  --tier <tier>        ${tierNames.join(', ')}; basic when absent
  --seed <number>      seed of everything random; 0 when absent
  --start-time <time>  where the run's clock begins; 2000-01-01T00:00:00Z when absent
  --version <number>   version of the agent; the latest when absent
  --async              do not wait: print the execution's id, which \`bounty cancel\` takes
  --watch              with --async: print the id to standard error, ask until it has ended, and then go on as without
  --url <url>          the API; else BOUNTY_URL, else http://127.0.0.1:8787

The account's key is read from BOUNTY_KEY. Exit code: 0 completed (with --async: queued), 1 ended otherwise or did not
run, 2 wrong use.`

const flags = {
  help: { type: 'boolean', short: 'h' },
  input: { type: 'string' },
  tier: { type: 'string' },
  seed: { type: 'string' },
  'start-time': { type: 'string' },
  version: { type: 'string' },
  async: { type: 'boolean' },
  watch: { type: 'boolean' },
  url: { type: 'string' },
} as const

/** The largest tier's wall clock, and the way there. */
const runSecondsMax = 90

type Values = { [Name in 'tier' | 'seed' | 'start-time' | 'version']?: string | undefined }

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseFlags('run', argv, flags)
  if (values.help) {
    console.log(help)
    return 0
  }
  const [agent] = positionals
  if (agent === undefined || positionals.length > 1) throw new UsageError(help)
  if (values.input === undefined)
    throw new UsageError('bounty run: --input is missing; it must name a file with JSON, or be - for standard input')
  if (values.watch && !values.async) throw new UsageError('bounty run: --watch goes with --async; without it the command waits anyway')
  const options = optionsOf(values)
  const client = connect(values.url)
  const input = parsedJson(await readText(values.input), values.input)
  const params = { id: await agentId(agent, client) }
  const request = { params, body: { input, ...options }, secondsMax: runSecondsMax }
  if (!values.async) return report(await ask(client, outcomeSchema, 'POST /api/agents/{id}/executions', request))
  const headers = { prefer: respondAsync }
  const { id } = await ask(client, executionSchema, 'POST /api/agents/{id}/executions', { ...request, headers })
  if (!values.watch) {
    console.log(id)
    return 0
  }
  console.error(id)
  return report(await followExecution(client, id))
}

function optionsOf({ tier, seed, 'start-time': startTime, version }: Values) {
  const given = { tier, seed: wholeOf(seed), startTime, version: wholeOf(version) }
  const parsed = executionCreateSchema.safeParse({ input: null, ...given })
  if (parsed.success) {
    const { input: _input, ...checked } = parsed.data
    return checked
  }
  const wrong = parsed.error.issues.map(({ path: [field] }) => String(field)) as (keyof typeof given)[] // the schema has these fields only
  const [field = 'tier'] = wrong
  const allowed = {
    tier: `one of ${tierNames.join(', ')}`,
    seed: `a whole number of 0 to ${Number.MAX_SAFE_INTEGER}`,
    startTime: 'an instant in UTC such as 2000-01-01T00:00:00Z',
    version: 'a whole number from 1',
  }
  const value = { tier, seed, startTime, version }[field]
  throw new UsageError(
    `bounty run: --${field === 'startTime' ? 'start-time' : field} is ${JSON.stringify(value)}; must be ${allowed[field]}`,
  )
}

/** What is no number stays text, which the schema refuses. */
function wholeOf(text: string | undefined): number | string | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : text
}

function report({ id, status, output, error, logs, artifacts, usage, scriptMode }: Execution): number {
  process.stderr.write(printable(logs.stdout + logs.stderr))
  if (logs.truncated) console.error('… the logs are cut here')
  for (const { name, bytes } of artifacts) console.error(`artifact ${printable(name)}, ${bytes} bytes`)
  if (error) {
    console.error(printable([error.name, error.message].filter(Boolean).join(': ')))
    if (error.stack) console.error(printable(error.stack.trimEnd()))
  }
  const fuel = usage.fuel === null ? 'not metered' : `${usage.fuel} fuel`
  const cost = usage.costMicroUsd === null ? '' : `, about $${(usage.costMicroUsd / 1e6).toFixed(9)}`
  const mode = scriptMode === null ? '' : `, ${scriptMode}`
  console.error(`${id} ${status}${mode}, ${fuel}, ${usage.wallMicros} µs, ${usage.memoryBytesPeak} bytes of memory${cost}`)
  if (status !== 'completed') return 1
  console.log(JSON.stringify(output ?? null))
  return 0
}
