// What a call may fail with: the API said no (a problem, or something that is none), or nothing came back.
import type { ProblemCode, ProblemIssue } from '../shared/problem.ts'

export type ProblemFields = {
  /** The call as it is named in `calls.ts`. */
  call: string
  status: number
  /** One of `ProblemCode`, or one that a newer API has; absent when the answer was no problem, such as the page of a proxy. */
  code?: ProblemCode | (string & Record<never, never>) | undefined
  title?: string | undefined
  detail?: string | undefined
  /** The same request may succeed later. */
  retryable: boolean
  issues?: ProblemIssue[] | undefined
  /** For whoever asks us about it. */
  requestId?: string | undefined
  /** Seconds after which to try again, if the API said so. */
  retryAfterSeconds?: number | undefined
}

/** An answer that is no success. */
export class ApiProblem extends Error {
  readonly call: string
  readonly status: number
  readonly code: ProblemFields['code']
  readonly title: string | undefined
  readonly detail: string | undefined
  readonly retryable: boolean
  readonly issues: ProblemIssue[] | undefined
  readonly requestId: string | undefined
  readonly retryAfterSeconds: number | undefined

  constructor({ call, status, code, title, detail, retryable, issues, requestId, retryAfterSeconds }: ProblemFields) {
    const reason = detail ?? title
    super(`${call} answered ${status}${reason === undefined ? '' : `: ${reason}`}`)
    this.name = 'ApiProblem'
    this.call = call
    this.status = status
    this.code = code
    this.title = title
    this.detail = detail
    this.retryable = retryable
    this.issues = issues
    this.requestId = requestId
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** Whether it is a problem, and one of these codes. */
export function isProblem(error: unknown, ...codes: [ProblemCode, ...ProblemCode[]]): error is ApiProblem {
  return error instanceof ApiProblem && codes.some((code) => code === error.code)
}

/** There is no answer, or none that was complete: the connection failed, or time was up. */
export class NoAnswer extends Error {
  readonly call: string
  readonly isTimeout: boolean

  constructor({ call, origin, cause, secondsMax }: { call: string; origin: string; cause: unknown; secondsMax?: number | undefined }) {
    super(secondsMax === undefined ? `${origin} does not answer` : `${origin} did not answer ${call} within ${secondsMax} s`, { cause })
    this.name = 'NoAnswer'
    this.call = call
    this.isTimeout = secondsMax !== undefined
  }
}

type Fields = Record<string, unknown>

/** Reads whatever came with a status that is no success; nothing in it is trusted to be there. */
export function problemOf(call: string, { status, headers }: Response, text: string, now: number): ApiProblem {
  const fields = fieldsOf(text)
  const string = (name: string) => (typeof fields[name] === 'string' ? fields[name] : undefined)
  const retryable = typeof fields['retryable'] === 'boolean' ? fields['retryable'] : [429, 502, 503, 504].includes(status)
  const issues = Array.isArray(fields['issues']) ? (fields['issues'] as unknown[]).filter(isIssue) : undefined
  return new ApiProblem({
    call,
    status,
    code: string('code'),
    title: string('title'),
    detail: string('detail'),
    retryable,
    issues,
    requestId: string('requestId') ?? headers.get('x-request-id') ?? undefined,
    retryAfterSeconds: secondsOf(headers.get('retry-after'), now),
  })
}

function fieldsOf(text: string): Fields {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Fields) : {} // any field may be read, and is looked at before it is used
  } catch {
    return {}
  }
}

function isIssue(value: unknown): value is ProblemIssue {
  if (typeof value !== 'object' || value === null) return false
  const { field, message } = value as Fields // as above
  return typeof field === 'string' && typeof message === 'string'
}

/** Seconds, or an instant (RFC 9110, 10.2.3). */
function secondsOf(retryAfter: string | null, now: number): number | undefined {
  if (retryAfter === null) return undefined
  if (/^\d{1,9}$/.test(retryAfter)) return Number(retryAfter)
  const at = Date.parse(retryAfter)
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now) / 1_000))
}
