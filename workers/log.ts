// One JSON line per event, on the console, where the platform's log takes it. Callers pass ids, codes and durations: never keys, bodies,
// inputs or outputs.

export type LogFields = Record<string, string | number | boolean | null | undefined>
export type Log = { info: (event: string, fields: LogFields) => void; error: (event: string, fields: LogFields) => void }

export function consoleLog(now: () => number = Date.now): Log {
  const line = (level: string, event: string, fields: LogFields) =>
    JSON.stringify({ level, event, at: new Date(now()).toISOString(), ...fields })
  return {
    info: (event, fields) => console.log(line('info', event, fields)),
    error: (event, fields) => console.error(line('error', event, fields)),
  }
}

/** What an error says about itself and its causes, for the log only. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : `; caused by ${errorText(error.cause)}`
  return `${error.stack ?? error.message}${cause}`.slice(0, 4_000)
}
