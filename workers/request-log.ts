// Every line that is logged while a request is answered carries the request's id, whoever logs it.
import type { Log, LogFields } from './log.ts'
import { currentScope } from './request-scope.ts'

/** Needs the middleware `keepRequestScope` in front of the routes. */
export function requestLog(log: Log): Log {
  const withId = (fields: LogFields): LogFields => {
    const requestId = currentScope()?.requestId
    return requestId === undefined ? fields : { requestId, ...fields }
  }
  return {
    info: (event, fields) => log.info(event, withId(fields)),
    error: (event, fields) => log.error(event, withId(fields)),
  }
}
