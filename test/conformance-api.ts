// `npm run conformance:api`: does the live API do what its OpenAPI document says? Schemathesis makes requests of the document, good and bad
// ones, and looks for answers that it does not describe, for 5xx, and for bad requests that are taken. Runs against a local cloud of its
// own, or with --url against another one. Ends in "N passed, N failed", one for each kind of caller.
import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { isProblem } from '../client/api-problem.ts'
import { createClient, type Client } from '../client/create-client.ts'
import { startStack } from '../local/stack.ts'
import { groupsOf, type ApiCall } from '../workers/pages/api-document.ts'
import { installSchemathesis, runSchemathesis } from './schemathesis.ts'

const usage = `usage: npm run conformance:api -- [--url <origin>] [--examples N] [--seed N]
  --url <origin>  a cloud that runs already, with its administrator's key in BOUNTY_ADMIN_KEY; a local one is started when absent
  --examples N    requests for each call and phase, at most; 5 when absent
  --seed N        the same seed makes the same requests; 1 when absent`
const options = {
  url: { type: 'string' },
  examples: { type: 'string', default: '5' },
  seed: { type: 'string', default: '1' },
  help: { type: 'boolean', short: 'h' },
} as const
/** What it makes would be called, at addresses that are not ours. */
const leftOut = ['POST /api/webhooks']
/** For each kind of caller. */
const secondsMax = 120

const { values } = parseArgs({ options })
const [examplesMax, seed] = [values.examples, values.seed].map(Number) as [number, number]
if (values.help || !(Number.isSafeInteger(examplesMax) && examplesMax > 0 && Number.isSafeInteger(seed))) {
  console.log(usage)
  process.exit(values.help ? 0 : 2)
}

const missing = installSchemathesis()
if (missing !== undefined) {
  console.warn(
    `The API was not held to its document: schemathesis cannot be installed here (python3 with venv and pip is needed).\n${missing}`,
  )
  // A machine of one's own may do without; one that decides about a change may not.
  process.exit(process.env['CI'] === 'true' ? 1 : 0)
}

const workDirectory = await mkdtemp(join(tmpdir(), 'bounty-conformance-'))
// Postgres runs as another user when this runs as root, and must be able to reach its directory.
await chmod(workDirectory, 0o755)
let failed: number
try {
  if (values.url === undefined) {
    await using stack = await localCloud()
    failed = await conform(stack.baseUrl, stack.adminKey)
  } else failed = await conform(values.url, process.env['BOUNTY_ADMIN_KEY'] ?? '')
} finally {
  await rm(workDirectory, { recursive: true, force: true })
}
console.log(`\n${3 - failed} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)

async function localCloud() {
  const stack = await startStack({ localDir: join(workDirectory, 'cloud'), edgePort: 0, directPort: 0, hostPort: 0 })
  return { ...stack, [Symbol.asyncDispose]: () => stack.stop() }
}

/** @returns how many kinds of callers met something that is not described */
async function conform(url: string, adminKey: string): Promise<number> {
  const admin = createClient({ url, key: adminKey })
  const calls = groupsOf(await admin.call('GET /api/openapi.json')).flatMap((group) => group.calls)
  const things = await makeThings(url, adminKey)
  const roleOf = ({ security }: ApiCall) => security.flatMap((scheme) => Object.values(scheme).flat())[0]
  const named = (wanted: (role: string | undefined) => boolean) =>
    calls.flatMap((call) => (wanted(roleOf(call)) ? [`${call.method} ${call.path}`] : [])).filter((name) => !leftOut.includes(name))
  const shared = {
    document: `${url}/api/openapi.json`,
    parameters: things.parameters,
    notEveryRequestIsGood: calls.filter(isMoreThanItsSchema).map(({ method, path }) => `${method} ${path}`),
    seed,
    examplesMax,
    secondsMax,
    workDirectory,
  }
  // An address of its own, so that it has a budget of requests of its own.
  const address = `2001:db8:${randomBytes(2).toString('hex')}:${randomBytes(2).toString('hex')}::1`
  const callers = [
    { name: 'without a key', key: undefined, calls: named((role) => role === undefined) },
    { name: 'with the key of an account', key: things.key, calls: named((role) => role !== undefined && role !== 'admin') },
    { name: 'with the key of the administrator', key: adminKey, calls: named((role) => role === 'admin') },
  ]
  let refuted = 0
  for (const { name, key, calls: theirs } of callers) {
    console.log(`\n=== ${name}: ${theirs.length} calls`)
    if (!(await runSchemathesis({ ...shared, headers: { 'cf-connecting-ip': address }, key, calls: theirs }))) refuted++
  }
  return refuted
}

/** Cursors are made by the API, deadlines lie ahead, and programs compile: no schema says so. */
function isMoreThanItsSchema({ parameters, requestBody }: ApiCall): boolean {
  const fields = Object.keys(requestBody?.content['application/json']?.schema?.properties ?? {})
  const more = ['cursor', 'deadline', 'expiresAt', 'source']
  return parameters.some(({ name }) => name === 'cursor') || fields.some((name) => more.includes(name))
}

/** An account that no rate limit holds up, and one of each thing that it can have, so that calls find what they ask for. */
async function makeThings(url: string, adminKey: string) {
  const admin = createClient({ url, key: adminKey })
  const { id: accountId, key } = await admin.call('POST /api/accounts', {
    body: { name: `conformance ${randomBytes(4).toString('hex')}`, rateLimited: false },
  })
  await admin.call('POST /api/accounts/{id}/credits', { params: { id: accountId }, body: { credits: 1_000_000 } })
  const account = createClient({ url, key })
  const spareKey = await account.call('POST /api/keys', { body: { name: 'to be deleted' } })
  const source = 'export default (input, context) => { context.artifact("a.txt", "a"); return input }'
  const agent = await account.call('POST /api/agents', { body: { name: 'echo', kind: 'script', source }, secondsMax: 60 })
  const execution = await account.call('POST /api/agents/{id}/executions', { params: { id: agent.id }, body: { input: 1 }, secondsMax: 60 })
  const newBounty = () =>
    account.call('POST /api/bounties', { body: { title: 'echo', rewardCredits: 1, mode: 'best', cases: [{ input: 1, expected: 1 }] } })
  const [bounty, toAward, toCancel] = [await newBounty(), await newBounty(), await newBounty()]
  const body = { agentId: agent.id }
  const submission = await account.call('POST /api/bounties/{id}/submissions', { params: { id: bounty.id }, body, secondsMax: 60 })
  return {
    key,
    parameters: {
      ...(await makeWebhooks(account)),
      'GET /api/executions/{id}/events': { id: execution.id },
      'GET /api/submissions/{id}/events': { id: submission.id },
      'GET /api/agents/{id}': { id: agent.id },
      'POST /api/agents/{id}/versions': { id: agent.id },
      'POST /api/agents/{id}/executions': { id: agent.id },
      'GET /api/executions/{id}': { id: execution.id },
      'GET /api/executions/{id}/receipt': { id: execution.id },
      'GET /api/executions/{id}/artifacts/{name}': { id: execution.id, name: 'a.txt' },
      'GET /api/bounties/{id}': { id: bounty.id },
      'POST /api/bounties/{id}/submissions': { id: bounty.id },
      'POST /api/bounties/{id}/award': { id: toAward.id },
      'POST /api/bounties/{id}/cancel': { id: toCancel.id },
      'GET /api/submissions/{id}': { id: submission.id },
      'GET /api/submissions/{id}/receipt': { id: submission.id },
      // Its own key would end the run: deleting is tried on another one.
      'DELETE /api/keys/{id}': { id: spareKey.id },
      'POST /api/accounts/{id}/credits': { id: accountId },
    },
  }
}

/** Of a receiver in this process; elsewhere than in a local cloud its address is refused, and there are none. */
async function makeWebhooks(account: Client): Promise<Record<string, { id: string; deliveryId?: string }>> {
  const receiver = createServer((_request, response) => response.writeHead(204).end()).listen(0, '127.0.0.1')
  // It lasts as long as the run.
  receiver.unref()
  const { port } = await new Promise<AddressInfo>((resolve) => receiver.once('listening', () => resolve(receiver.address() as AddressInfo))) // it listens on a port
  const newWebhook = () => account.call('POST /api/webhooks', { body: { url: `http://127.0.0.1:${port}/` } })
  try {
    const [webhook, toDelete] = [await newWebhook(), await newWebhook()]
    const ping = await account.call('POST /api/webhooks/{id}/ping', { params: { id: webhook.id } })
    return {
      'GET /api/webhooks/{id}': { id: webhook.id },
      'DELETE /api/webhooks/{id}': { id: toDelete.id },
      'POST /api/webhooks/{id}/ping': { id: webhook.id },
      'GET /api/webhooks/{id}/deliveries': { id: webhook.id },
      'POST /api/webhooks/{id}/deliveries/{deliveryId}/redeliver': { id: webhook.id, deliveryId: ping.id },
    }
  } catch (error) {
    if (isProblem(error, 'invalid-request')) return {}
    throw error
  }
}
