// The gateway's log: one JSON object per line on stdout. Messages of topics and passwords are never given to it.
import { pino } from 'pino'
import type { Logger } from 'pino'

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>

export function createLog(level: string): Logger {
  return pino({ level, base: { process: 'kafka-gateway' } })
}
