// What an engine reports has passed through a stranger's hands. Before it is kept or compared it is made safe here: output must be
// JSON, text must be storable, numbers must be whole.
import type { GuestError, GuestStatus, Logs, Usage } from '../shared/execution.ts'
import { jsonDepthMax, nestsTooDeep } from '../shared/json-value.ts'
import type { StackMapper } from './author-positions.ts'
import type { RunOutcome } from './sandbox-engine.ts'

export type AcceptedOutcome = {
  status: GuestStatus
  /** JSON text; present exactly when completed. */
  output?: string
  error?: GuestError
  logs: Logs
  artifacts: { name: string; bytes: Buffer }[]
  usage: Usage
}

/** A message is for people; longer ones are the guest's attempt at using it for something else. */
const messageCharsMax = 4_096
const stackCharsMax = 16_384

/** @param mapStack of the program that ran; without it a stack names places in the compiled code */
export function acceptOutcome(outcome: RunOutcome, mapStack: StackMapper = (stack) => stack): AcceptedOutcome {
  const accepted: AcceptedOutcome = {
    status: outcome.status,
    logs: { stdout: storableBytes(outcome.stdout), stderr: storableBytes(outcome.stderr), truncated: outcome.logsTruncated },
    artifacts: outcome.artifacts.map(({ name, bytes }) => ({ name: storable(name), bytes })),
    usage: {
      fuel: outcome.fuel === null ? null : Math.round(outcome.fuel),
      wallMicros: Math.round(outcome.wallMicros),
      memoryBytesPeak: Math.round(outcome.memoryBytesPeak),
    },
  }
  if (outcome.error) accepted.error = storableError(outcome.error, mapStack)
  if (outcome.status !== 'completed') return accepted
  const { output } = outcome
  if (output !== undefined && nestsTooDeep(output)) {
    return { ...accepted, status: 'output-limit', error: { message: `the output nests deeper than ${jsonDepthMax} levels` } }
  }
  if (output !== undefined && isJson(output)) return { ...accepted, output }
  return { ...accepted, status: 'threw', error: { name: 'OutputError', message: 'the output is not JSON' } }
}

/** Of a program that never started. */
export function emptyOutcome(status: GuestStatus, message: string): AcceptedOutcome {
  return {
    status,
    error: { message: storable(message.slice(0, messageCharsMax)) },
    logs: { stdout: '', stderr: '', truncated: false },
    artifacts: [],
    usage: { fuel: null, wallMicros: 0, memoryBytesPeak: 0 },
  }
}

/** About what it takes to keep. */
export function outcomeBytes(outcome: AcceptedOutcome): number {
  const frameBytes = 600
  return outcome.artifacts.reduce((sum, { bytes }) => sum + bytes.length, frameBytes + textBytes(outcome))
}

/** Of output and logs; text counts as one byte per character. */
export function textBytes({ output = '', logs }: AcceptedOutcome): number {
  return output.length + logs.stdout.length + logs.stderr.length
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function storableError({ name, message, stack, exitCode }: GuestError, mapStack: StackMapper): GuestError {
  return {
    ...(name === undefined ? {} : { name: storable(name.slice(0, 256)) }),
    message: storable(message.slice(0, messageCharsMax)),
    ...(stack === undefined ? {} : { stack: storable(mapStack(stack).slice(0, stackCharsMax)) }),
    ...(exitCode === undefined ? {} : { exitCode }),
  }
}

function storableBytes(bytes: Buffer): string {
  return bytes.length === 0 ? '' : storable(bytes.toString('utf8'))
}

/** Postgres takes neither NUL nor lone surrogates; both become the replacement character. */
export function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD')
}
