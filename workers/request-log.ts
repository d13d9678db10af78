// Every line that is logged while a request is answered carries the request's id, whoever logs it.
import { tryGetContext } from 'hono/context-storage'
import type { AppEnv } from './app-env.ts'
import type { Log, LogFields } from './log.ts'

/** Needs the middleware `contextStorage` in front of the routes. */
export function requestLog(log: Log): Log {
  const withId = (fields: LogFields): LogFields => {
    const requestId = tryGetContext<AppEnv>()?.get('requestId')
    return requestId === undefined ? fields : { requestId, ...fields }
  }
  return {
    info: (event, fields) => log.info(event, withId(fields)),
    error: (event, fields) => log.error(event, withId(fields)),
  }
}
