// `bounty verify`: is the receipt what a host signed, and does the same program do the same again? Nobody has to be believed but whoever
// says which public key is the host's.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { scriptModeOf } from '../shared/agent.ts'
import { idSchema } from '../shared/ids.ts'
import { compareRun, publicKeySchema, receiptKeySchema, receiptSchema, verifyReceipt } from '../shared/receipt.ts'
import type { ExecutionStatement, Receipt, ReproducibleRun } from '../shared/receipt.ts'
import { apiUrl, ask, connect } from './connect.ts'
import { parseFlags } from './parse-flags.ts'
import { parsedJson, readText } from './read-json.ts'
import { receiptCrypto } from './receipt-crypto.ts'
import { UsageError } from './usage-error.ts'

const help = `Usage: bounty verify <receipt.json | execution id> --program <file> --input <file>

Checks the receipt's signature, runs the program again with the same input, seed, start time and tier, and compares every
hash and the fuel.

  --receipt <file>     the receipt, or the outcome that holds it (instead of the first argument; - is standard input)
  --program <file>     the program as it was deployed: a script's source, or the bytes of a command or component
  --input <file>       the input as JSON (- is standard input)
  --key <hex>          public key of the host; without it the keys are asked for
  --keys <file>        public keys as GET /api/receipt-keys gives them
  --url <url>          where to ask; else BOUNTY_URL, else http://127.0.0.1:8787
  --signature-only     do not run anything

An execution id is asked for with the account's key in BOUNTY_KEY. Exit code: 0 verified, 1 not, 2 wrong use.`

const flags = {
  help: { type: 'boolean', short: 'h' },
  receipt: { type: 'string' },
  program: { type: 'string' },
  input: { type: 'string' },
  key: { type: 'string' },
  keys: { type: 'string' },
  url: { type: 'string' },
  'signature-only': { type: 'boolean' },
} as const

const keyListSchema = z.object({ items: z.array(receiptKeySchema.loose()) })
const outcomeSchema = z.looseObject({ receipt: receiptSchema.nullable() })

export async function verify(argv: string[]): Promise<number> {
  const { values, positionals } = parseFlags('verify', argv, flags)
  if (values.help) {
    console.log(help)
    return 0
  }
  const url = apiUrl(values.url)
  const subject = values.receipt ?? positionals[0]
  if (subject === undefined || positionals.length > (values.receipt === undefined ? 1 : 0)) throw new UsageError(help)
  const { program, input } = values
  const isWhole = program !== undefined && input !== undefined
  if (!isWhole && !values['signature-only']) {
    throw new UsageError('bounty verify: --program and --input are needed to run it again; --signature-only checks the signature alone')
  }

  const receipt = await readReceipt(subject, url)
  const publicKey = await findKey(receipt, { ...values, url })
  const checked = await verifyReceipt(receipt, { ...receiptCrypto, publicKey })
  const { statement } = receipt
  const scriptMode = scriptModeOf(statement.program)
  line('execution', statement.executionId, `${statement.status}, ${statement.finishedAt}`)
  line('signature', checked.ok ? 'ok' : 'WRONG', checked.ok ? `key ${statement.keyId}` : checked.message)
  if (scriptMode !== null) line('mode', scriptMode, `engine ${statement.engine}`)
  if (!checked.ok) return told(false, 'the receipt is not what the host signed')
  if (!isWhole || values['signature-only']) return told(true, 'the host signed this; it was not run again')

  const bytes = await readFile(program)
  const text = JSON.stringify(parsedJson(await readText(input), input) ?? null)
  const given = checkGiven(statement, { program: bytes, input: text })
  if (!given) return told(false, 'it was another program or another input')
  // Without it, neither engine nor compiler is loaded.
  const { rerun } = await import('./rerun.ts')
  const run = await rerun(statement, { program: bytes, input: text })
  if (!run) return told(false, 'the run did not end in a way that repeats: it met the deadline here')
  return report(statement, run)
}

async function readReceipt(subject: string, url: string): Promise<Receipt> {
  if (idSchema('execution').safeParse(subject).success) {
    return ask(connect(url), receiptSchema, 'GET /api/executions/{id}/receipt', { params: { id: subject } })
  }
  const value = parsedJson(await readText(subject), subject)
  const outcome = outcomeSchema.safeParse(value)
  if (outcome.success && outcome.data.receipt === null) throw new Error(`${subject}: the outcome has no receipt`)
  const receipt = receiptSchema.safeParse(outcome.success ? outcome.data.receipt : value)
  if (receipt.success) return receipt.data
  throw new Error(`${subject} is not a receipt: ${z.prettifyError(receipt.error).slice(0, 500)}`)
}

type KeySource = { key?: string | undefined; keys?: string | undefined; url: string }

async function findKey({ statement: { keyId } }: Receipt, { key, keys, url }: KeySource): Promise<string> {
  if (key !== undefined) {
    if (publicKeySchema.safeParse(key).success) return key
    throw new UsageError(`bounty verify: --key has ${key.length} characters; must be 64 lower-case hex digits`)
  }
  const list =
    keys === undefined
      ? await ask(connect(url), keyListSchema, 'GET /api/receipt-keys')
      : keyListSchema.parse(parsedJson(await readText(keys), keys))
  const found = list.items.find(({ id }) => id === keyId)
  if (found) return found.publicKey
  throw new Error(`no key ${keyId} is among the ${list.items.length} of ${keys ?? url}: no known host signed this`)
}

function checkGiven(statement: ExecutionStatement, { program, input }: { program: Buffer; input: string }): boolean {
  const found = { program: sha256(program), input: sha256(input) }
  return [compared('program', statement.program.sha256, found.program), compared('input', statement.inputSha256, found.input)].every(
    Boolean,
  )
}

function report(statement: ExecutionStatement, run: ReproducibleRun): number {
  const differences = new Map(compareRun(statement, run).map((difference) => [difference.field, difference]))
  const shown = ['engine', 'status', 'outputSha256', 'errorSha256', 'logsSha256', 'artifacts', 'fuel', 'memoryBytesPeak'] as const
  for (const field of shown) {
    const difference = differences.get(field)
    if (difference) line(field, 'DIFFERS', `stated ${difference.stated}, found ${difference.found}`)
    else line(field, 'ok', JSON.stringify(statement[field]).slice(0, 100))
  }
  if (differences.size === 0) return told(true, 'the run repeats, byte for byte and fuel for fuel')
  if (differences.has('engine')) return told(false, 'another engine made it; only the same version promises the same bytes and fuel')
  return told(false, `${differences.size} of what is stated differ: ${[...differences.keys()].join(', ')}`)
}

function compared(name: string, stated: string, found: string): boolean {
  if (stated === found) line(name, 'ok', stated)
  else line(name, 'DIFFERS', `stated ${stated}, found ${found}`)
  return stated === found
}

function line(name: string, fact: string, detail: string): void {
  console.log(`${name.padEnd(16)} ${fact.padEnd(8)} ${detail}`)
}

function told(isVerified: boolean, why: string): number {
  console.log(`${isVerified ? 'VERIFIED' : 'NOT VERIFIED'}: ${why}`)
  return isVerified ? 0 : 1
}

function sha256(data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex')
}
