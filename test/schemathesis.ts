// Schemathesis (https://schemathesis.readthedocs.io): installed once into the user's cache folder, in an environment of its own, and run as a
// command with a configuration that is written for the run.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDirectory } from '../local/engine-cargo.mjs'

const version = '4.32.5'
const directory = join(cacheDirectory(), `schemathesis-${version}`)
const command = join(directory, 'bin', 'schemathesis')

/** @returns why it is not there, or undefined when it is */
export function installSchemathesis(): string | undefined {
  // Written last: an installation that broke off is begun again.
  const stamp = join(directory, 'installed')
  if (existsSync(stamp)) return undefined
  rmSync(directory, { recursive: true, force: true })
  console.log(`installing schemathesis ${version} …`)
  const steps: [string, string[]][] = [
    ['python3', ['-m', 'venv', directory]],
    [join(directory, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `schemathesis==${version}`]],
  ]
  for (const [program, args] of steps) {
    const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: 300_000 })
    if (status !== 0) return `${program} ${args.join(' ')}: ${error?.message ?? stderr.trim().split('\n').at(-1) ?? `exit code ${status}`}`
  }
  writeFileSync(`${stamp}.part`, version)
  renameSync(`${stamp}.part`, stamp)
  return undefined
}

export type SchemathesisRun = {
  /** Address of the OpenAPI document. */
  document: string
  headers: Record<string, string>
  /** Of the caller; absent where it has none. */
  key: string | undefined
  /** Calls as the document names them, `GET /api/bounties`; the others are left alone. */
  calls: readonly string[]
  /** Parameters that name something that exists, by call. */
  parameters: Record<string, Record<string, string>>
  /** Calls for which being of the schema is not all that is asked of a request. */
  notEveryRequestIsGood: readonly string[]
  seed: number
  examplesMax: number
  secondsMax: number
  /** For the configuration, which holds a key. */
  workDirectory: string
}

/** @returns whether it found nothing */
export async function runSchemathesis(run: SchemathesisRun): Promise<boolean> {
  const config = join(run.workDirectory, 'schemathesis.toml')
  writeFileSync(config, configOf(run), { mode: 0o600 })
  const args = [
    `--config-file=${config}`,
    'run',
    run.document,
    '--no-color',
    '--workers=1',
    '--warnings=off',
    `--seed=${run.seed}`,
    `--max-examples=${run.examplesMax}`,
    '--generation-database=none',
    '--request-timeout=30',
    '--continue-on-failure',
    ...run.calls.flatMap((call) => ['--include-name', call]),
  ]
  // Not the synchronous one: what the cloud beside it writes has to be read meanwhile.
  const child = spawn(command, args, { cwd: run.workDirectory, stdio: 'inherit', timeout: run.secondsMax * 1_000 })
  const [status, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  if (signal) console.error(`schemathesis did not end within ${run.secondsMax} s`)
  return status === 0
}

function configOf({ key, headers, parameters, notEveryRequestIsGood }: SchemathesisRun): string {
  // A string of JSON is one of TOML.
  const text = (value: string) => JSON.stringify(value)
  const table = (values: Record<string, string>) =>
    `{ ${Object.entries(values)
      .map(([name, value]) => `${text(name)} = ${text(value)}`)
      .join(', ')} }`
  const calls = [...new Set([...Object.keys(parameters), ...notEveryRequestIsGood])]
  return [
    `headers = ${table(headers)}`,
    ...(key === undefined ? [] : [`auth.openapi.key.bearer = ${text(key)}`]),
    // Every HTTP server lets headers pass that it does not know; unknown fields of bodies and queries are looked at all the same.
    '[generation]',
    'allow-extra-parameters = false',
    // A POST that is repeated under its Idempotency-Key names what it made then, though it has been deleted since.
    '[checks]',
    'ensure_resource_availability.enabled = false',
    // What a request asks for may be impossible though it is well-formed: too few credits, a program that does not compile.
    'positive_data_acceptance.expected-statuses = ["2xx", "304", "402", "403", "404", "409", "422"]',
    ...calls.flatMap((call) => [
      '[[operations]]',
      `include-name = ${text(call)}`,
      ...(parameters[call] ? [`parameters = ${table(parameters[call])}`] : []),
      ...(notEveryRequestIsGood.includes(call) ? ['checks.positive_data_acceptance.enabled = false'] : []),
    ]),
    '',
  ].join('\n')
}
