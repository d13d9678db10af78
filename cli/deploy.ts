// `bounty deploy`: a file becomes an agent, or the next version of one.
import { basename, extname } from 'node:path'
import type { z } from 'zod'
import { isProblem } from '../client/api-problem.ts'
import type { Client } from '../client/create-client.ts'
import { agentNameSchema } from '../shared/agent.ts'
import { functionReportSchema, type FunctionReport } from '../shared/function-report.ts'
import { scriptModes, type ScriptMode } from '../shared/script-mode.ts'
import { ask, connect } from './connect.ts'
import { anyAgentSchema, ownAgent } from './find-agent.ts'
import { parseFlags } from './parse-flags.ts'
import { printable } from './printable.ts'
import { readProgram, uploadKinds } from './read-program.ts'
import type { Upload, UploadKind } from './read-program.ts'
import { UsageError } from './usage-error.ts'

const help = `Usage: bounty deploy <file> [--name <name>] [--kind <kind>] [--script-mode <mode>]

Deploys a program. A script (.ts, .mts, .js, .mjs) is bundled with everything that it imports, npm packages included; a WebAssembly
file goes as it is. Where the account has an agent of the name, this is its next version.

  --name <name>   1 to 64 of a-z 0-9 . _ -, beginning with a letter or digit; the file's name when absent
  --kind <kind>   ${uploadKinds.join(', ')}; told from the file when absent
  --script-mode <mode>  how a script runs: ${scriptModes.join(' or ')}; the host decides when absent, and it stays with the version
  --url <url>     the API; else BOUNTY_URL, else http://127.0.0.1:8787

The account's key is read from BOUNTY_KEY. Prints the agent's id. Exit code: 0 deployed, 1 not, 2 wrong use.`

const flags = {
  help: { type: 'boolean', short: 'h' },
  name: { type: 'string' },
  kind: { type: 'string' },
  'script-mode': { type: 'string' },
  url: { type: 'string' },
} as const

/** The host compiles before it answers. */
const deploySecondsMax = 180

export async function deploy(argv: string[]): Promise<number> {
  const { values, positionals } = parseFlags('deploy', argv, flags)
  if (values.help) {
    console.log(help)
    return 0
  }
  const [file] = positionals
  if (file === undefined || positionals.length > 1) throw new UsageError(help)
  const client = connect(values.url)
  const name = nameOf(file, values.name)
  const upload = await readProgram(file, kindOf(values.kind))
  const agent = await deployed({ client, name, upload, scriptMode: modeOf(values['script-mode'], upload.kind) })
  const mode = agent.scriptMode === null ? '' : `, ${agent.scriptMode}`
  console.error(`${agent.name}: version ${agent.version}, ${agent.kind}${mode}, ${agent.bytes} bytes, sha256 ${agent.sha256}`)
  if (agent.functions) console.error(printable(linesOf(agent.functions).join('\n')))
  console.log(agent.id)
  return 0
}

function nameOf(file: string, given: string | undefined): string {
  const name = given ?? basename(file, extname(file)).toLowerCase()
  if (agentNameSchema.safeParse(name).success) return name
  const source = given === undefined ? `the file's name gives ${JSON.stringify(name)}` : `--name is ${JSON.stringify(name)}`
  throw new UsageError(
    `bounty deploy: ${source}; a name must be 1 to 64 of a-z 0-9 . _ - and begin with a letter or digit${given === undefined ? ': give one with --name' : ''}`,
  )
}

function kindOf(given: string | undefined): UploadKind | undefined {
  const kind = uploadKinds.find((known) => known === given)
  if (given !== undefined && kind === undefined) {
    throw new UsageError(`bounty deploy: --kind is ${JSON.stringify(given)}; must be one of ${uploadKinds.join(', ')}`)
  }
  return kind
}

function modeOf(given: string | undefined, kind: UploadKind): ScriptMode | undefined {
  const mode = scriptModes.find((known) => known === given)
  if (given !== undefined && mode === undefined) {
    throw new UsageError(`bounty deploy: --script-mode is ${JSON.stringify(given)}; must be one of ${scriptModes.join(', ')}`)
  }
  if (mode !== undefined && kind !== 'script') throw new UsageError(`bounty deploy: --script-mode is for scripts; the file is a ${kind}`)
  return mode
}

/** What was compiled, and why the rest was not. */
function linesOf({ compiled, interpretedCount, interpreted, reason }: FunctionReport): string[] {
  const more = interpretedCount - interpreted.length
  return [
    `${compiled} of ${compiled + interpretedCount} functions compiled${reason === null ? '' : `: ${reason}`}`,
    ...interpreted.map(({ name, place, reason: why }) => `  ${name || '(anonymous)'}${place === null ? '' : ` at ${place}`}: ${why}`),
    ...(more > 0 ? [`  … and ${more} more`] : []),
  ]
}

const deployedSchema = anyAgentSchema.extend({ functions: functionReportSchema.nullable().default(null) })
type Deploy = { client: Client; name: string; upload: Upload; scriptMode: ScriptMode | undefined }

async function deployed({ client, name, upload, scriptMode }: Deploy): Promise<z.infer<typeof deployedSchema>> {
  const { kind, source } = upload
  try {
    return await ask(client, deployedSchema, 'POST /api/agents', { body: { name, kind, source, scriptMode }, secondsMax: deploySecondsMax })
  } catch (error) {
    if (!isProblem(error, 'name-taken')) throw error
  }
  const agent = await ownAgent(name, client)
  if (agent.kind !== kind) throw new Error(`the agent ${name} is a ${agent.kind} and stays one; the file is a ${kind}: give another --name`)
  const request = { params: { id: agent.id }, body: { source, scriptMode }, secondsMax: deploySecondsMax }
  return ask(client, deployedSchema, 'POST /api/agents/{id}/versions', request)
}
