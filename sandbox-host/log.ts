// The host's log: one JSON object per line on stdout. Payloads of agents and secrets are never given to it.
import { pino } from 'pino'
import type { Logger } from 'pino'

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error' | 'fatal'>

export function createLog(level: string): Logger {
  return pino({ level, base: { process: 'sandbox-host' } })
}
