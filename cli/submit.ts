// `bounty submit`: an agent against every case of a bounty. What is for a program goes to standard output, all else to standard error.
import type { Client } from '../client/create-client.ts'
import { bountySchema } from '../shared/bounty.ts'
import { idSchema } from '../shared/ids.ts'
import { submissionSchema, type Submission } from '../shared/submission.ts'
import { ask, connect } from './connect.ts'
import { agentId } from './find-agent.ts'
import { followSubmission, isFinished } from './follow-submission.ts'
import { parseFlags } from './parse-flags.ts'
import { createProgressBar } from './progress-bar.ts'
import { table } from './table.ts'
import { UsageError } from './usage-error.ts'

const help = `Usage: bounty submit <bounty> <agent> [--watch]

Submits an agent of your own, named by its id or its name, to the bounty with that id. Prints the submission's id.

  --watch                  wait for the verdict: a bar, then the public cases that failed
  --stop-at-first-failure  cases behind the first one that fails are not run
  --version <number>       version of the agent; the latest when absent
  --json                   print the submission as JSON instead
  --url <url>              the API; else BOUNTY_URL, else http://127.0.0.1:8787

The account's key is read from BOUNTY_KEY. Exit code: 0 accepted (without --watch: submitted), 1 rejected or failed, 2 wrong use.`

const flags = {
  help: { type: 'boolean', short: 'h' },
  watch: { type: 'boolean' },
  'stop-at-first-failure': { type: 'boolean' },
  version: { type: 'string' },
  json: { type: 'boolean' },
  url: { type: 'string' },
} as const

/** A judging may run within the request. */
const submitSecondsMax = 300
const failuresShownMax = 20

export async function submit(argv: string[]): Promise<number> {
  const { values, positionals } = parseFlags('submit', argv, flags)
  if (values.help) {
    console.log(help)
    return 0
  }
  const [bountyId, agent] = positionals
  if (bountyId === undefined || agent === undefined || positionals.length > 2) throw new UsageError(help)
  if (!idSchema('bounty').safeParse(bountyId).success) {
    throw new UsageError(`bounty submit: the bounty is ${JSON.stringify(bountyId)}; must be an id such as \`bounty bounties\` lists`)
  }
  const version = values.version === undefined ? undefined : Number(values.version)
  if (version !== undefined && !(Number.isSafeInteger(version) && version > 0)) {
    throw new UsageError(`bounty submit: --version is ${JSON.stringify(values.version)}; must be a whole number from 1`)
  }
  const client = connect(values.url)
  const body = { agentId: await agentId(agent, client), version, stopAtFirstFailure: values['stop-at-first-failure'] ?? false }
  const request = { params: { id: bountyId }, body, secondsMax: submitSecondsMax }
  const submitted = await ask(client, submissionSchema, 'POST /api/bounties/{id}/submissions', request)
  if (values.watch) console.error(`submitted as ${submitted.id}`)
  const submission = values.watch ? await watched(client, submitted) : submitted
  console.log(values.json ? JSON.stringify(submission) : submission.id)
  if (!isFinished(submission)) return 0
  if (!values.json) await report(client, submission)
  return submission.status === 'accepted' ? 0 : 1
}

async function watched(client: Client, submitted: Submission): Promise<Submission> {
  if (isFinished(submitted)) return submitted
  const bar = createProgressBar(process.stderr)
  try {
    return await followSubmission(client, submitted.id, ({ status, casesTotal, casesPassed, casesJudged }) =>
      bar.show({
        label: status,
        done: casesJudged ?? casesPassed,
        total: casesTotal,
        unit: casesJudged === undefined ? 'cases passed' : `cases judged, ${casesPassed} passed`,
      }),
    )
  } finally {
    bar.end()
  }
}

async function report(client: Client, { status, bountyId, casesPassed, casesTotal, fuelTotal, verdicts }: Submission): Promise<void> {
  const failures = verdicts.filter((verdict) => verdict.status !== 'accepted')
  if (failures.length > 0) {
    const { cases } = await ask(client, bountySchema, 'GET /api/bounties/{id}', { params: { id: bountyId } })
    const found = new Map(cases.map((one) => [one.id, one]))
    const rows = failures.slice(0, failuresShownMax).map(({ caseId, status: verdict, usage }) => {
      const one = found.get(caseId)
      return [
        one ? one.position + 1 : caseId,
        verdict,
        usage.fuel,
        Math.round(usage.wallMicros / 1_000),
        one?.name ?? cut(JSON.stringify(one?.input)),
      ]
    })
    console.error(table(['case', 'verdict', 'fuel', 'ms', 'name or input'], rows))
    if (failures.length > failuresShownMax) console.error(`… and ${failures.length - failuresShownMax} public cases more`)
  }
  console.error(`${status}: ${casesPassed} of ${casesTotal} cases passed${fuelTotal === null ? '' : `, ${fuelTotal} fuel`}`)
}

function cut(text = ''): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}
