// `npm start`, after the set-up: brings the cloud up, loads the demo, says where everything is, and stops all of it on Ctrl-C.
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { chosenEventLog } from './kafka-parts.ts'
import { checkout } from './node-process.ts'
import { startStack, type Stack } from './stack.ts'

const help = `npm start -- [--no-demo] [--quiet]

Runs the whole cloud on this machine: the edge API in workerd, the sandbox host, Postgres, Redis and object storage.
  --no-demo  do not load the CommonMark bounty and its four agents
  --quiet    print only errors and the addresses

Environment
  EDGE_PORT    the API (8787)                     DATABASE_URL  a Postgres to use instead of our own
  DIRECT_PORT  straight to the worker (8788)      REDIS_URL     a Redis to use instead of our own
  HOST_PORT    the sandbox host (8789)            LOCAL_DIR     where state lives (.local)
  HOSTS        how many sandbox hosts (1)         LOG_LEVEL     of the sandbox hosts
  ENGINE       auto, wasmtime or quickjs
  EVENT_LOG    queues, or kafka: then a broker and its gateway are started, too (Java 17 or newer; Maven once)
Ports may be 0 for any free one. Logs are in LOCAL_DIR/logs.

Exit codes: 0 stopped as asked, 1 could not start, 2 wrong options, 130 given up while starting.`

/** npm and the terminal both pass Ctrl-C on; within this time it is one wish. */
const sameWishMs = 500
const hostsMax = 16

const startedAt = performance.now() - Number(process.env['AGENT_BOUNTY_SETUP_MS'] ?? 0)
const options = readOptions()
const say = (line: string) => options.quiet || console.log(`  ${line}`)
const abort = new AbortController()
let stack: Stack | undefined
let wishedAt: number | undefined

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(signal))
// The launcher is gone, however it went.
process.on('disconnect', () => void end('disconnect'))
// A closed terminal or pipe is no reason to fail while stopping.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

try {
  stack = await startStack({ ...options, signal: abort.signal, report: say })
  if (wishedAt === undefined) await show(stack)
} catch (error) {
  if (abort.signal.aborted) process.exit(130)
  console.error(`  ${error instanceof Error ? error.message : String(error)}`)
  await stack?.stop()
  process.exit(1)
}

async function end(wish: string) {
  const now = performance.now()
  if (wishedAt !== undefined) {
    if (now - wishedAt < sameWishMs || wish === 'disconnect') return
    console.error('  killed')
    stack?.kill()
    process.exit(1)
  }
  wishedAt = now
  say('stopping …')
  abort.abort(new Error('stopped while starting'))
  if (stack === undefined) return
  await stack.stop()
  say(`stopped after ${Math.round(performance.now() - now)} ms`)
  process.exit(0)
}

async function show(running: Stack) {
  const { baseUrl, directUrl, hostUrl, demoKey } = running
  const engine = await engineLabel(hostUrl)
  const demo = options.demo ? await demoRanking(running) : undefined
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(`
  Agent Bounty is ready after ${seconds} s

  board        ${baseUrl}/
  edge API     ${baseUrl}/api
  worker       ${directUrl}  (straight, for measuring)
  sandbox host ${hostUrl}  (${engine})
  demo key     ${demoKey}
  state, logs  ${options.localDir}
${demo ? `\n${demo.ranking}\n` : ''}
  Try it:
${demo?.agentId ? runLine(baseUrl, demoKey, demo.agentId) : deployLine(baseUrl, demoKey)}

  Ctrl-C stops everything.`)
  if (engine.startsWith('quickjs')) {
    console.warn('\n  WARNING: this is the fallback engine: slow, scripts only, no fuel, no receipts. `npm run setup` says why it is used.')
  }
}

async function engineLabel(hostUrl: string): Promise<string> {
  const response = await fetch(`${hostUrl}/ready`)
  return z.object({ engine: z.string() }).parse(await response.json()).engine
}

async function demoRanking({ baseUrl, demoKey }: Stack): Promise<{ ranking: string; agentId: string } | undefined> {
  try {
    const { loadDemo } = await import('./demo.ts')
    return await loadDemo({ baseUrl, demoKey, report: say })
  } catch (error) {
    if (wishedAt !== undefined) return undefined
    // The cloud is up and useful without it.
    console.error(`  the demo could not be loaded: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

function runLine(baseUrl: string, key: string, agentId: string): string {
  const body = JSON.stringify({ input: { markdown: '# Hello, *edge*' } })
  return `  curl -s ${baseUrl}/api/agents/${agentId}/executions -H 'authorization: Bearer ${key}' -H 'content-type: application/json' -d '${body}'`
}

function deployLine(baseUrl: string, key: string): string {
  const source = 'export default (input) => `Hello, ${input.name}`'
  const call = (path: string, body: string) =>
    `curl -s ${baseUrl}/api/${path} -H 'authorization: Bearer ${key}' -H 'content-type: application/json' -d ${body}`
  const deploy = call('agents', `'${JSON.stringify({ name: 'hello-NOW', kind: 'script', source }).replace('NOW', `'$(date +%s)'`)}'`)
  const run = call('agents/$agent/executions', `'{"input":{"name":"edge"}}'`)
  return `  agent=$(${deploy} | sed 's/^{"id":"\\([^"]*\\).*/\\1/'); ${run}`
}

function readOptions() {
  const port = (name: string, otherwise: number) => {
    const text = process.env[name]
    if (text === undefined || text === '') return otherwise
    if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
    return refuse(`${name} is ${JSON.stringify(text)}: a port is a whole number from 0 to 65535.`)
  }
  return {
    ...readFlags(),
    localDir: process.env['LOCAL_DIR'] || join(checkout, '.local'),
    edgePort: port('EDGE_PORT', 8787),
    directPort: port('DIRECT_PORT', 8788),
    hostPort: port('HOST_PORT', 8789),
    hosts: hostCount(),
    eventLog: readEventLog(),
  }
}

function readEventLog() {
  try {
    return chosenEventLog()
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}

function hostCount(): number {
  const text = process.env['HOSTS'] || '1'
  if (/^\d{1,2}$/.test(text) && Number(text) >= 1 && Number(text) <= hostsMax) return Number(text)
  return refuse(`HOSTS is ${JSON.stringify(text)}: it is a whole number from 1 to ${hostsMax}.`)
}

function readFlags(): { demo: boolean; quiet: boolean } {
  try {
    const flag = { type: 'boolean', default: false } as const
    const { values } = parseArgs({ options: { 'no-demo': flag, quiet: flag, help: flag } })
    if (values.help) {
      console.log(help)
      process.exit(0)
    }
    return { demo: !values['no-demo'], quiet: values.quiet }
  } catch (error) {
    return refuse(`${error instanceof Error ? error.message : String(error)}\n\n${help}`)
  }
}

function refuse(message: string): never {
  console.error(`  ${message}`)
  process.exit(2)
}
