// Errors that a caller sees: one table of codes, one error class, one rendering (RFC 9457). `internal` and `cause` are for the
// log only and never leave the process.

type ProblemKind = { status: number; title: string; retryable: boolean }

/** Every code an API answer may carry, with its HTTP status. Codes are stable; titles are not. */
export const problemTable = {
  'invalid-request': { status: 400, title: 'The request does not fit the schema', retryable: false },
  'malformed-json': { status: 400, title: 'The body is not JSON', retryable: false },
  'malformed-multipart': { status: 400, title: 'The body is not multipart/form-data', retryable: false },
  'invalid-cursor': { status: 400, title: 'The cursor was not issued by this list', retryable: false },
  'missing-key': { status: 401, title: 'An API key is needed', retryable: false },
  'unknown-key': { status: 401, title: 'The API key is not known', retryable: false },
  'expired-key': { status: 401, title: 'The API key has expired', retryable: false },
  'invalid-signature': { status: 401, title: 'The request is not signed by this system', retryable: false },
  'replayed-signature': { status: 401, title: 'The signed request was seen before', retryable: false },
  'insufficient-credits': { status: 402, title: 'The account holds fewer credits than this takes', retryable: false },
  forbidden: { status: 403, title: 'The key may not do this', retryable: false },
  'not-found': { status: 404, title: 'There is no such route', retryable: false },
  'method-not-allowed': { status: 405, title: 'The route does not take this method', retryable: false },
  'account-not-found': { status: 404, title: 'There is no such account', retryable: false },
  'bounty-not-found': { status: 404, title: 'There is no such bounty', retryable: false },
  'agent-not-found': { status: 404, title: 'There is no such agent', retryable: false },
  'submission-not-found': { status: 404, title: 'There is no such submission', retryable: false },
  'execution-not-found': { status: 404, title: 'There is no such execution', retryable: false },
  'artifact-not-found': { status: 404, title: 'The execution made no such artifact', retryable: false },
  'receipt-not-found': { status: 404, title: 'There is no receipt', retryable: false },
  'key-not-found': { status: 404, title: 'There is no such key', retryable: false },
  'webhook-not-found': { status: 404, title: 'There is no such webhook', retryable: false },
  'case-not-found': { status: 404, title: 'The bounty has no such case', retryable: false },
  'dead-letter-not-found': { status: 404, title: 'There is no such dead letter', retryable: false },
  'delivery-not-found': { status: 404, title: 'There is no such delivery', retryable: false },
  'artifact-expired': { status: 410, title: 'The artifact is kept no longer', retryable: false },
  'not-presignable': { status: 409, title: 'The artifact is too small to have a URL of its own', retryable: false },
  'presigning-unavailable': { status: 501, title: 'This deployment hands out no presigned URLs', retryable: false },
  'name-taken': { status: 409, title: 'The name is taken', retryable: false },
  'bounty-closed': { status: 409, title: 'The bounty is closed', retryable: false },
  'supply-exhausted': { status: 409, title: 'No more credits can be minted', retryable: false },
  'too-many-cases': { status: 409, title: 'The cases of the bounty are as many, or as large, as they may be', retryable: false },
  'not-awardable': { status: 409, title: 'The submission cannot be awarded the bounty', retryable: false },
  'not-replayable': { status: 409, title: 'The dead letter cannot be replayed', retryable: false },
  'too-many-keys': { status: 409, title: 'The account has as many keys as it may have', retryable: false },
  'too-many-webhooks': { status: 409, title: 'The account has as many webhooks as it may have', retryable: false },
  'quota-exceeded': { status: 409, title: 'The account has as many of these as it may have', retryable: false },
  'execution-finished': { status: 409, title: 'The execution has ended', retryable: false },
  'execution-unfinished': { status: 409, title: 'The execution has not ended yet', retryable: true },
  'idempotency-key-reused': { status: 409, title: 'The idempotency key belongs to another request', retryable: false },
  'idempotency-in-progress': { status: 409, title: 'The first request with this idempotency key is not answered yet', retryable: true },
  'body-too-large': { status: 413, title: 'The body is too large', retryable: false },
  misdirected: { status: 421, title: 'The request was meant for another host', retryable: true },
  'unsupported-media-type': { status: 415, title: 'The body has another content type', retryable: false },
  'range-not-satisfiable': { status: 416, title: 'The range lies outside the artifact', retryable: false },
  'invalid-program': { status: 422, title: 'The program cannot be run', retryable: false },
  'tier-unavailable': { status: 422, title: 'No host offers this tier', retryable: false },
  'rate-limited': { status: 429, title: 'Too many requests', retryable: true },
  'too-many-waiting': { status: 429, title: 'The account has as many executions waiting as it may have', retryable: true },
  overloaded: { status: 429, title: 'The sandbox is at capacity', retryable: true },
  internal: { status: 500, title: 'Something failed on our side', retryable: true },
  'database-unavailable': { status: 503, title: 'The database does not answer', retryable: true },
  'sandbox-unavailable': { status: 503, title: 'The sandbox host does not answer', retryable: true },
  'judgement-broken-off': { status: 503, title: 'The sandbox host began to judge and did not come to the end', retryable: true },
  'execution-broken-off': { status: 503, title: 'The sandbox host began to run and gave no outcome', retryable: true },
  'execution-cancelled': { status: 409, title: 'The execution was cancelled', retryable: false },
  'artifacts-unavailable': { status: 503, title: 'The artifact store does not answer', retryable: true },
  'engine-unsupported': { status: 501, title: 'The engine of the host does not run this', retryable: false },
  draining: { status: 503, title: 'The host is shutting down', retryable: true },
} as const satisfies Record<string, ProblemKind>

export type ProblemCode = keyof typeof problemTable

/** One thing that is wrong with a request: where, what stands there, what may stand there. */
export type ProblemIssue = { field: string; message: string }

export type ProblemOptions = {
  /** For the caller: the action, the value quoted, actual and allowed. Never a credential or payload. */
  detail: string
  issues?: ProblemIssue[]
  /** Seconds to wait before the request may succeed. */
  retryAfterSeconds?: number
  /** Further response headers, e.g. `allow`. */
  headers?: Record<string, string>
  /** For the log only. */
  internal?: string
  cause?: unknown
}

/** An error that the caller only passes on. Thrown anywhere, rendered in one place. */
export class ProblemError extends Error {
  readonly code: ProblemCode
  readonly detail: string
  readonly issues: ProblemIssue[] | undefined
  readonly retryAfterSeconds: number | undefined
  readonly headers: Record<string, string>
  readonly internal: string | undefined

  constructor(code: ProblemCode, options: ProblemOptions) {
    super(`${code}: ${options.detail}`, { cause: options.cause })
    this.name = 'ProblemError'
    this.code = code
    this.detail = options.detail
    this.issues = options.issues
    this.retryAfterSeconds = options.retryAfterSeconds
    this.headers = options.headers ?? {}
    this.internal = options.internal
  }

  get status(): (typeof problemTable)[ProblemCode]['status'] {
    return problemTable[this.code].status
  }
}

/** Shape of `application/problem+json`. */
export type ProblemBody = {
  type: string
  title: string
  status: number
  code: ProblemCode
  detail: string
  retryable: boolean
  issues?: ProblemIssue[]
  requestId?: string
}

export function problemBody(error: ProblemError, requestId?: string): ProblemBody {
  const { status, title, retryable } = problemTable[error.code]
  return {
    type: `/docs/problems#${error.code}`,
    title,
    status,
    code: error.code,
    detail: error.detail,
    retryable,
    ...(error.issues ? { issues: error.issues } : {}),
    ...(requestId ? { requestId } : {}),
  }
}
