// One sandbox host over signed HTTP. Its problems pass through where the caller can do something about them; all else is
// `sandbox-unavailable`. Every request is a read or carries its own identity, so one lost connection is tried once more. Which host:
// placed-sandbox.ts.
import { z } from 'zod'
import { executionRecordSchema, judgementLineSchema, manifestSchema, outcomeOf } from '../../shared/execution.ts'
import type { ExecutionRecord, Judgement, JudgementEnd, JudgementLine, RunAnswer, Verdict } from '../../shared/execution.ts'
import { guestStatusSchema } from '../../shared/guest-status.ts'
import type { ByteRange, JudgedCases, Sandbox } from '../../shared/ports.ts'
import { answerHeader, hostHeader, loadHeader, preferInstanceHeader, statusHeader } from '../../shared/host.ts'
import { ProblemError, type ProblemCode } from '../../shared/problem.ts'
import { tiers } from '../../shared/tiers.ts'
import { readLines } from '../read-lines.ts'
import type { Signer } from '../signature.ts'

/** Longer than the host lets a compiler take: 60 s of processor time, twice that of waiting. */
const prepareMsMax = 150_000
/** Waiting for a place at the host, and the way there and back. */
const queueMsMax = 10_000
/** Cases begin for 20 s (flows/judge-submission.ts), and the last of the dearest tier may be run twice, on a busy host. */
const judgeMsMax = 300_000
const readMsMax = 10_000
/** Shows an outage within 2 s when probed once a second. */
const pingMsMax = 800
/** The last line of a judgement names at most 2,000 cases, or states a problem. */
const lineCharsMax = 1024 * 1024

const passedOn: ReadonlySet<string> = new Set<ProblemCode>([
  'invalid-program',
  'tier-unavailable',
  'engine-unsupported',
  'overloaded',
  'draining',
  'misdirected',
  'artifacts-unavailable',
  'body-too-large',
  'execution-cancelled',
])
const judgementsPath = '/v1/judgements'
const asyncExecutionsPath = '/v1/async-executions'
const notThere: ReadonlySet<string> = new Set<ProblemCode>(['execution-not-found', 'artifact-not-found'])

const encoder = new TextEncoder()
const asOutcome = { [answerHeader]: 'outcome' }

const problemSchema = z.object({ code: z.string(), detail: z.string().max(20_000) })
/** The second is what ended a run that was begun. */
const runAnswerSchema = z.union([executionRecordSchema, z.object({ problem: problemSchema })])

export type SandboxHttpOptions = {
  /** Of all hosts: the proxy before them chooses by the header. */
  url: string
  host: { id: string; instance: string }
  sign: Signer
  /** Told with each answer: runs that are begun or wait there. */
  onLoad?: (load: number) => void
  fetch?: typeof globalThis.fetch
}

type Call = { method: 'GET' | 'POST'; path: string; body?: string; headers?: Record<string, string>; timeoutMs: number }

export function sandboxHttp({
  url,
  host,
  sign,
  onLoad,
  fetch = (input, init) => globalThis.fetch(input, init),
}: SandboxHttpOptions): Sandbox {
  const base = url.replace(/\/+$/, '')
  const address = { [hostHeader]: host.id, [preferInstanceHeader]: host.instance }

  async function send({ method, path, body = '', headers: more, timeoutMs }: Call): Promise<Response> {
    const bytes = encoder.encode(body)
    const signal = AbortSignal.timeout(timeoutMs)
    for (let attempt = 1; ; attempt++) {
      const signature = await sign({ audience: `host ${host.id}`, method, path, body: bytes })
      const headers = { 'content-type': 'application/json', ...more, ...address, ...signature }
      try {
        const response = await fetch(base + path, { method, headers, signal, ...(method === 'POST' ? { body: bytes } : {}) })
        const load = response.headers.get(loadHeader)
        if (load !== null && Number.isFinite(Number(load))) onLoad?.(Number(load))
        if (!isPassing(response) || attempt === 2) return response
        await response.body?.cancel()
      } catch (cause) {
        if (attempt === 2 || signal.aborted) throw unavailable(cause)
      }
    }
  }

  /** @returns undefined when the host says that there is no such thing */
  async function call(request: Call): Promise<Response | undefined> {
    const response = await send(request)
    if (response.ok) return response
    const problem = await problemOf(response)
    if (problem && notThere.has(problem.code)) return undefined
    const wait = Number(response.headers.get('retry-after') ?? Number.NaN)
    throw problemFrom(request, { problem, status: response.status, ...(Number.isFinite(wait) ? { retryAfterSeconds: wait } : {}) })
  }

  async function answer<T extends z.ZodType>(schema: T, request: Call): Promise<z.infer<T>> {
    const response = await call(request)
    if (!response) throw unavailable(new Error(`${request.path} answered 404`))
    return parsed(schema, response)
  }

  return {
    prepare(program, { accountId, isNew }) {
      const body = JSON.stringify({ program, accountId, isNew })
      return answer(manifestSchema, { method: 'POST', path: '/v1/programs', body, timeoutMs: prepareMsMax })
    },

    async run(execution) {
      const request = { method: 'POST', path: '/v1/executions', body: JSON.stringify(execution), headers: asOutcome } as const
      const response = await call({ ...request, timeoutMs: tiers[execution.tier].wallMsMax + queueMsMax })
      if (!response) throw unavailable(new Error(`${request.path} answered 404`))
      return runAnswer(response, execution.id)
    },

    async runAsync(execution) {
      const timeoutMs = tiers[execution.tier].wallMsMax + queueMsMax
      const request = { method: 'POST', path: asyncExecutionsPath, body: JSON.stringify(execution), timeoutMs } as const
      // Its head comes when the run begins.
      const response = await call(request)
      if (!response) throw unavailable(new Error(`${request.path} answered 404`))
      const told: unknown = await response.json().catch((cause: unknown) => {
        throw runBrokenOff(cause)
      })
      const read = runAnswerSchema.safeParse(told)
      if (!read.success) throw runBrokenOff(new Error(`an outcome does not fit its schema: ${read.error.message.slice(0, 500)}`))
      if ('problem' in read.data) throw problemFrom(request, { problem: read.data.problem, status: response.status })
      return read.data
    },

    async cancel(id) {
      await call({ method: 'POST', path: `/v1/executions/${id}/cancel`, timeoutMs: readMsMax })
    },

    async judge(cases, keep) {
      const request = { method: 'POST', path: judgementsPath, body: judgementText(cases), timeoutMs: judgeMsMax } as const
      const body = (await call(request))?.body
      if (!body) throw brokenOff(new Error(`${request.path} answered nothing`))
      return readJudgement(request, { body, keep })
    },

    async findExecution(id) {
      const response = await call({ method: 'GET', path: `/v1/executions/${id}`, timeoutMs: readMsMax })
      return response && parsed(executionRecordSchema, response)
    },

    async readObject(key, { offset, length }: ByteRange) {
      const path = `/v1/${key}?offset=${offset}&length=${length}`
      const response = await call({ method: 'GET', path, timeoutMs: readMsMax })
      return response?.body ?? undefined
    },

    async ping() {
      const response = await fetch(`${base}/ready`, { headers: address, signal: AbortSignal.timeout(pingMsMax) }).catch(
        (cause: unknown) => {
          throw unavailable(cause)
        },
      )
      await response.body?.cancel()
      if (!response.ok) throw unavailable(new Error(`/ready answered ${response.status}`))
    },

    async metrics() {
      const response = await call({ method: 'GET', path: '/metrics', timeoutMs: 2_000 })
      return response ? response.text() : ''
    },
  }
}

/** Is it an answer, to this run, and whole? What is in it was written, and checked, by the host. */
async function runAnswer(response: Response, id: string): Promise<RunAnswer> {
  const told = response.headers.get(statusHeader)
  // A host from before there were such answers gives the record.
  if (told === null) return answerOf(await parsed(executionRecordSchema, response))
  const status = guestStatusSchema.safeParse(told)
  const outcome = await response.text().catch((cause: unknown) => {
    throw unavailable(cause)
  })
  if (status.success && outcome.startsWith(`{"id":"${id}",`) && outcome.endsWith('}')) return { status: status.data, outcome }
  throw unavailable(new Error(`an answer of ${outcome.length} characters is no outcome of ${id}`))
}

function answerOf(record: ExecutionRecord): RunAnswer {
  return { status: record.status, outcome: JSON.stringify(outcomeOf(record)) }
}

/** What was signed before the host began is refused, as it may be a replay; 502 and 504 are of the proxy, which lost the connection to the host. */
function isPassing({ status }: Response): boolean {
  return status === 401 || status === 502 || status === 504
}

/** Cases are JSON text already: they are put in as they are, unparsed. A host from before there were checkers takes what asks for none. */
function judgementText({ cases, ...rest }: JudgedCases): string {
  const items = cases.map(({ id, input, expected, salt, hidden }) => {
    const told = rest.checker ? `"hidden":${hidden},` : ''
    return `{"id":"${id}","salt":"${salt}",${told}"input":${input},"expected":${expected}}`
  })
  return `${JSON.stringify(rest).slice(0, -1)},"cases":[${items.join(',')}]}`
}

type JudgementBody = { body: ReadableStream<Uint8Array>; keep: (judged: Judgement) => Promise<void> }

/** The lines of one piece become one call of `keep`. */
async function readJudgement(request: Call, { body, keep }: JudgementBody): Promise<JudgementEnd> {
  let engine = ''
  for await (const lines of readLines(body, { charsMax: lineCharsMax, broken: brokenOff })) {
    const verdicts: Verdict[] = []
    let last: Extract<JudgementLine, { type: 'end' | 'problem' }> | undefined
    for (const text of lines) {
      const line = judgementLine(text)
      if (line.type === 'engine') engine = line.engine
      else if (line.type === 'verdict') verdicts.push(verdictOf(line))
      else last = line
    }
    if (verdicts.length > 0) await keep({ engine, verdicts })
    if (last?.type === 'end') return { notRun: last.notRun, receipt: last.receipt }
    if (last) throw problemFrom(request, { problem: last, status: 200, retryAfterSeconds: last.retryAfterSeconds })
  }
  throw brokenOff(new Error('a judgement broke off: its last line is missing'))
}

function verdictOf({ caseId, status, usage, outputSha256, message }: Verdict): Verdict {
  return { caseId, status, usage, outputSha256, ...(message === undefined ? {} : { message }) }
}

function judgementLine(text: string): JudgementLine {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw brokenOff(cause)
  }
  const line = judgementLineSchema.safeParse(value)
  if (line.success) return line.data
  throw brokenOff(new Error(`a line of a judgement does not fit its schema: ${line.error.message.slice(0, 500)}`))
}

type ToldProblem = { problem: z.infer<typeof problemSchema> | undefined; status: number; retryAfterSeconds?: number | undefined }

/** The host's problem where the caller can act upon it. */
function problemFrom({ method, path }: Call, { problem, status, retryAfterSeconds }: ToldProblem): ProblemError {
  if (problem && passedOn.has(problem.code)) {
    // The set above holds codes only.
    const code = problem.code as ProblemCode
    return new ProblemError(code, { detail: problem.detail, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) })
  }
  const cause = new Error(`${method} ${path} answered ${status} ${problem?.code ?? ''} ${problem?.detail ?? ''}`)
  // A host that is there and says no to what nobody waits for will say so again; one that is not, or whose clock is off, is waited for.
  if (status === 503 || status === 401) return unavailable(cause)
  return path === judgementsPath ? brokenOff(cause) : path === asyncExecutionsPath ? runBrokenOff(cause) : unavailable(cause)
}

async function parsed<T extends z.ZodType>(schema: T, response: Response): Promise<z.infer<T>> {
  let body: unknown
  try {
    body = await response.json()
  } catch (cause) {
    throw unavailable(cause)
  }
  const result = schema.safeParse(body)
  if (!result.success) throw unavailable(new Error(`an answer does not fit its schema: ${result.error.message.slice(0, 500)}`))
  return result.data
}

async function problemOf(response: Response): Promise<z.infer<typeof problemSchema> | undefined> {
  try {
    return problemSchema.safeParse(await response.json()).data
  } catch {
    return undefined
  }
}

function runBrokenOff(cause: unknown): ProblemError {
  return new ProblemError('execution-broken-off', { detail: 'the run was begun and gave no outcome', internal: messageOf(cause), cause })
}

function brokenOff(cause: unknown): ProblemError {
  return new ProblemError('judgement-broken-off', {
    detail: 'the sandbox host did not judge every case',
    internal: messageOf(cause),
    cause,
  })
}

function unavailable(cause: unknown): ProblemError {
  return new ProblemError('sandbox-unavailable', {
    detail: 'the sandbox host did not answer as it should; the request may be repeated',
    retryAfterSeconds: 1,
    internal: messageOf(cause),
    cause,
  })
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
