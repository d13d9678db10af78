// The host's HTTP face, for the Worker alone: every route but /health and /ready needs a signature made for this host.
// Handlers translate; what happens stands in runner.ts, judge.ts, programs.ts and journal.ts.
import { Hono } from 'hono'
import type { Context } from 'hono'
import { executionRecordSchema, hostExecutionSchema, judgementRequestSchema, prepareRequestSchema } from '../shared/execution.ts'
import type { JudgementLine } from '../shared/execution.ts'
import { answerHeader, hostHeader, loadHeader, statusHeader } from '../shared/host.ts'
import { ProblemError, problemBody } from '../shared/problem.ts'
import { signatureHeader } from '../shared/signing.ts'
import { limits } from '../shared/tiers.ts'
import { begunBody } from './begun-answer.ts'
import type { Backlog } from './journal-backlog.ts'
import type { Judge } from './judge.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import { withNewVersionMode, type ModeConditions } from './new-version-mode.ts'
import { outcomeAnswer } from './outcome-answer.ts'
import type { Programs } from './programs.ts'
import type { Readiness } from './readiness.ts'
import { LineStream } from './line-stream.ts'
import { BodyReader, parseBody } from './request-body.ts'
import type { Runner } from './runner.ts'
import type { SignatureCheck } from './signature.ts'

export type ServerServices = {
  /** Id of this host. */
  host: string
  runner: Runner
  judge: Judge
  programs: Pick<Programs, 'use'>
  newVersions: ModeConditions
  /** Runs that are begun or wait. */
  load: () => number
  backlog: Pick<Backlog, 'find' | 'readObject'>
  metrics: Pick<Metrics, 'text' | 'refused'>
  readiness: Pick<Readiness, 'report'>
  checkSignature: SignatureCheck
  /** Work that shutdown waits for. */
  gate: Gate
  log: Log
}

/** Counts requests that do work, and refuses more of them once the host drains. */
export type Gate = { enter: () => void; leave: () => void }

/** An execution's input, and its frame. */
const executionBytesMax = limits.inputBytesMax * 2 + 64 * 1024
/** Cases of a whole bounty, escaped at worst as `\uXXXX`, and their frames. */
const judgementBytesMax = limits.caseBytesMax * 2 + 1024 * 1024
const preparationBytesMax = 4 * 1024
const noBody = Buffer.alloc(0)

export function createServer({
  host,
  runner,
  judge,
  programs,
  newVersions,
  load,
  backlog,
  metrics,
  readiness,
  checkSignature,
  gate,
  log,
}: ServerServices): Hono {
  const app = new Hono()
  const bodies = new BodyReader()

  /** Body of a signed request. The signature comes first, so that strangers reach no parser of ours. */
  async function signedBody(c: Context, bytesMax: number): Promise<Buffer> {
    requireAddressee(c)
    const body = c.req.method === 'GET' ? noBody : await bodies.read(c, bytesMax)
    const url = c.req.url
    const path = url.slice(url.indexOf('/', url.indexOf('//') + 2))
    checkSignature({ method: c.req.method, path, header: c.req.header(signatureHeader), body })
    return body
  }

  /** A proxy that does not reach the host that was meant hands the request to another one. */
  function requireAddressee(c: Context): void {
    const meant = c.req.header(hostHeader)
    if (meant === undefined || meant === host) return
    throw new ProblemError('misdirected', { detail: `the request is for host ${JSON.stringify(meant.slice(0, 64))}; this is ${host}` })
  }

  const loadHeaders = () => ({ [loadHeader]: String(load()) })

  /** A route that does work: refused while draining, waited for at shutdown. */
  function working(handle: (c: Context) => Promise<Response>) {
    return async (c: Context) => {
      gate.enter()
      try {
        return await handle(c)
      } finally {
        gate.leave()
      }
    }
  }

  app.post(
    '/v1/executions',
    working(async (c) => {
      const record = await runner.run(parseBody(hostExecutionSchema, await signedBody(c, executionBytesMax)), c.req.raw.signal)
      if (c.req.header(answerHeader) !== 'outcome') return json(c, loadHeaders(), record)
      const { status, text } = outcomeAnswer(record)
      return c.body(text, 200, { 'content-type': 'application/json', [statusHeader]: status, ...loadHeaders() })
    }),
  )

  // For whoever comes again when nothing is heard of it: the head of the answer says that it was begun.
  app.post('/v1/async-executions', async (c) => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
    gate.enter()
    const running = signedBody(c, executionBytesMax)
      .then((body) => runner.run(parseBody(hostExecutionSchema, body), c.req.raw.signal, begin))
      .finally(() => gate.leave())
    // What fails before that is an ordinary problem.
    await Promise.race([begun, running])
    const text = running.then(
      (record) => record.toString('utf8'),
      (error: unknown) => {
        const { code, detail } = counted(c, error)
        return JSON.stringify({ problem: { code, detail } })
      },
    )
    return c.body(begunBody(text), 200, { 'content-type': 'application/json', ...loadHeaders() })
  })

  app.post('/v1/executions/:id/cancel', async (c) => {
    await signedBody(c, 0)
    runner.cancel(parseParameter(executionRecordSchema.shape.id, { field: 'id', value: c.req.param('id') }))
    return c.body(null, 204)
  })

  // Shutdown waits for the last line, not for the answer's head.
  app.post('/v1/judgements', async (c) => {
    const lines = new LineStream()
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
    const tell = (line: JudgementLine) => {
      begin()
      lines.write(line)
    }
    gate.enter()
    const judging = signedBody(c, judgementBytesMax)
      .then((body) => judge(parseBody(judgementRequestSchema, body), { caller: c.req.raw.signal, tell }))
      .finally(() => gate.leave())
    // What fails before the first line is an ordinary problem.
    await Promise.race([begun, judging])
    void judging.catch((error: unknown) => tell(problemLine(c, error))).finally(() => lines.close())
    return c.body(lines.body, 200, { 'content-type': 'application/x-ndjson', ...loadHeaders() })
  })

  app.post(
    '/v1/programs',
    working(async (c) => {
      const { program: asked, accountId, isNew } = parseBody(prepareRequestSchema, await signedBody(c, preparationBytesMax))
      const program = isNew ? withNewVersionMode(asked, newVersions) : asked
      using loaded = await programs.use(program, accountId)
      return c.json({ ...loaded.manifest, program })
    }),
  )

  app.get('/v1/executions/:id', async (c) => {
    await signedBody(c, 0)
    const id = parseParameter(executionRecordSchema.shape.id, { field: 'id', value: c.req.param('id') })
    const record = await backlog.find(id)
    if (!record) throw new ProblemError('execution-not-found', { detail: `execution ${id} is not on this host, or no longer` })
    return json(c, loadHeaders(), record)
  })

  for (const path of ['bundles/:host/:segment', 'artifacts/:host/:execution/:position']) {
    app.get(`/v1/${path}`, async (c) => {
      await signedBody(c, 0)
      const key = c.req.path.slice('/v1/'.length)
      const offset = wholeQuery(c, { name: 'offset', max: Number.MAX_SAFE_INTEGER })
      const length = wholeQuery(c, { name: 'length', max: limits.artifactBytesMax })
      const bytes = await backlog.readObject(key, { offset, length })
      if (!bytes) {
        throw new ProblemError('artifact-not-found', { detail: `${key} has no ${length} bytes at ${offset} on this host, or no longer` })
      }
      return c.body(new Uint8Array(bytes), 200, { 'content-type': 'application/octet-stream' })
    })
  }

  app.get('/metrics', async (c) => {
    await signedBody(c, 0)
    return c.text(await metrics.text(), 200, { 'content-type': 'text/plain; version=0.0.4' })
  })

  app.get('/health', (c) => c.json({ status: 'ok' }))

  app.get('/ready', async (c) => {
    requireAddressee(c)
    const report = { host, ...(await readiness.report()) }
    return c.json(report, report.status === 'unavailable' ? 503 : 200)
  })

  app.notFound((c) =>
    problem(c, new ProblemError('not-found', { detail: `${c.req.method} ${c.req.path} is no route of the sandbox host` })),
  )

  app.onError((error, c) => problem(c, asProblem(c, error)))

  function asProblem(c: Context, error: unknown): ProblemError {
    if (error instanceof ProblemError) return error
    log.error({ err: error, method: c.req.method, path: c.req.path }, 'request failed')
    return new ProblemError('internal', { detail: 'the sandbox host failed; its log says why' })
  }

  function count(c: Context, error: ProblemError): void {
    metrics.refused(error.code)
    if (error.status >= 500) log.warn({ err: error, internal: error.internal, path: c.req.path }, 'request refused')
  }

  function counted(c: Context, thrown: unknown): ProblemError {
    const error = asProblem(c, thrown)
    count(c, error)
    return error
  }

  function problemLine(c: Context, thrown: unknown): JudgementLine {
    const { code, detail, retryAfterSeconds } = counted(c, thrown)
    return { type: 'problem', code, detail, retryAfterSeconds }
  }

  function problem(c: Context, error: ProblemError): Response {
    count(c, error)
    const headers = new Headers({ 'content-type': 'application/problem+json', ...loadHeaders() })
    if (error.retryAfterSeconds !== undefined) headers.set('retry-after', String(error.retryAfterSeconds))
    return new Response(JSON.stringify(problemBody(error)), { status: error.status, headers })
  }

  return app
}

function json(c: Context, headers: Record<string, string>, bytes: Buffer): Response {
  return c.body(bytes.toString('utf8'), 200, { 'content-type': 'application/json', ...headers })
}

function wholeQuery(c: Context, { name, max }: { name: string; max: number }): number {
  const text = c.req.query(name) ?? ''
  const value = Number(text)
  if (/^\d{1,16}$/.test(text) && value <= max) return value
  const message = `is ${JSON.stringify(text)}; must be a whole number from 0 to ${max}`
  throw new ProblemError('invalid-request', { detail: `${name} ${message}`, issues: [{ field: name, message }] })
}

function parseParameter(schema: typeof executionRecordSchema.shape.id, { field, value }: { field: string; value: string }): string {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const message = parsed.error.issues[0]?.message ?? 'is not allowed'
  throw new ProblemError('invalid-request', { detail: `${field}: ${message}`, issues: [{ field, message }] })
}
