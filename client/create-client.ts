// A typed client of the API for Node, browsers and Workers: what a call takes and answers is in `calls.ts`, which is made from the OpenAPI
// document. Needs nothing but the platform's fetch.
//
//   const client = createClient({ url: 'https://…', key })
//   const bounty = await client.call('GET /api/bounties/{id}', { params: { id } })
//   for await (const agent of client.each('GET /api/agents')) …
//
// A failed call throws ApiProblem or NoAnswer (`api-problem.ts`). What is safe to send twice is tried again: reads, and every POST, which goes
// out with an Idempotency-Key. A POST that shows a secret once has it in the first answer only: when that was lost on the way, the answer
// to the second try is without it.
import { ApiProblem, NoAnswer, problemOf } from './api-problem.ts'
import type { Calls } from './calls.ts'

export type CallName = keyof Calls

export type ClientOptions = {
  /** Origin of the API, without `/api`. */
  url: string
  /** Of an account or the administrator; public reads need none. */
  key?: string | undefined
  /** Sent with every request. */
  headers?: Record<string, string>
  /** In place of the platform's. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>
  /** For each try, to the last byte of the answer; 15 when absent. */
  secondsMax?: number
  /** Tries after the first one; 2 when absent. */
  retriesMax?: number
  /** An API that asks to wait longer than this is not waited for; 20 when absent. */
  waitSecondsMax?: number
}

export type CallSettings = {
  /** Of this call instead of the client's. */
  secondsMax?: number
  retriesMax?: number
  headers?: Record<string, string>
  /** Of a POST; made when absent. Give one to repeat a call that another process began. */
  idempotencyKey?: string
  signal?: AbortSignal
}

/** What the call takes, and how it is made. */
export type CallRequest<N extends CallName> = Omit<Calls[N], 'answer'> & CallSettings
/** The request, left out where the call takes nothing. */
export type CallArguments<N extends CallName> = CallSettings extends CallRequest<N> ? [request?: CallRequest<N>] : [request: CallRequest<N>]

export type AnswerOf<N extends CallName> = Calls[N] extends { answer: infer A } ? A : never
/** Calls that answer JSON, or nothing. */
export type JsonCall = { [N in CallName]: Calls[N] extends { answer: unknown } ? N : never }[CallName]
type ItemOf<A> = A extends { items: (infer I)[]; nextCursor: string | null } ? I : never
/** Calls that answer one page of a list. */
export type ListCall = { [N in JsonCall]: ItemOf<AnswerOf<N>> extends never ? never : N }[JsonCall]

export type Client = {
  call<N extends JsonCall>(name: N, ...request: CallArguments<N>): Promise<AnswerOf<N>>
  /** Every item of a list, page by page. */
  each<N extends ListCall>(name: N, ...request: CallArguments<N>): AsyncGenerator<ItemOf<AnswerOf<N>>, void, undefined>
  /** The answer with its body unread: bytes, ranges, streams. Time is up when its head is late; the body may take as long as it wants. */
  raw<N extends CallName>(name: N, ...request: CallArguments<N>): Promise<Response>
}

/** A call without its types. */
type Request = CallSettings & {
  params?: Record<string, string>
  query?: Record<string, string | number | boolean | undefined>
  body?: unknown
}

type Prepared = { name: string; address: string; request: Request; init: RequestInit }

const callDefaults = { secondsMax: 15, retriesMax: 2, waitSecondsMax: 20 }
/** Doubled with every try, up to half of it at random on top, so that many callers do not come back together. */
const firstWaitMs = 250

/** @throws TypeError for a url that is none */
export function createClient(options: ClientOptions): Client {
  const { url, waitSecondsMax = callDefaults.waitSecondsMax } = options
  const origin = new URL(url).origin
  // Called bare: browsers and Workers refuse a fetch with another `this`.
  const send = options.fetch ?? ((address: string, init: RequestInit) => fetch(address, init))

  async function tryOnce<T>({ name, address, request, init }: Prepared, read: (response: Response) => Promise<T>): Promise<T> {
    const secondsMax = request.secondsMax ?? options.secondsMax ?? callDefaults.secondsMax
    const timeout = new AbortController()
    const timer = setTimeout(() => timeout.abort(), secondsMax * 1_000)
    try {
      const signal = request.signal ? AbortSignal.any([request.signal, timeout.signal]) : timeout.signal
      const response = await send(address, { ...init, signal })
      if (!response.ok && response.status !== 304) throw problemOf(name, response, await response.text(), Date.now())
      return await read(response)
    } catch (cause) {
      // Whoever gave up gets back what they gave up with.
      request.signal?.throwIfAborted()
      if (cause instanceof ApiProblem) throw cause
      throw new NoAnswer({ call: name, origin, cause, ...(timeout.signal.aborted ? { secondsMax } : {}) })
    } finally {
      clearTimeout(timer)
    }
  }

  async function run<T>(name: string, request: Request, read: (response: Response) => Promise<T>): Promise<T> {
    const prepared = { name, address: addressOf(origin, name, request), request, init: requestInit(name, request, options) }
    const isRepeatable = !name.startsWith('DELETE ')
    const retriesMax = isRepeatable ? (request.retriesMax ?? options.retriesMax ?? callDefaults.retriesMax) : 0
    for (let retry = 0; ; retry++) {
      try {
        return await tryOnce(prepared, read)
      } catch (error) {
        const waitMs = retry < retriesMax ? waitBefore(error, retry) : undefined
        if (waitMs === undefined || waitMs > waitSecondsMax * 1_000) throw error
        await sleep(waitMs, request.signal)
      }
    }
  }

  // The types of `Client` hold what goes in here, and what the document says comes out.
  const call = (name: string, request: Request = {}) => run(name, request, (response) => jsonOf(name, response))
  const raw = (name: string, request: Request = {}) => run(name, request, async (response) => response)
  async function* each(name: string, request: Request = {}) {
    let cursor: string | null = null
    do {
      const query: Request['query'] = { ...request.query, ...(cursor === null ? {} : { cursor }) }
      const page = (await call(name, { ...request, query })) as { items: unknown[]; nextCursor: string | null }
      yield* page.items
      cursor = page.nextCursor
    } while (cursor !== null)
  }
  return { call, raw, each } as Client
}

function addressOf(origin: string, name: string, { params = {}, query = {} }: Request): string {
  const template = name.slice(name.indexOf(' ') + 1)
  const path = template.replaceAll(/\{(\w+)\}/g, (_, field: string) => {
    // The names of artifacts have slashes, which separate as they do in the path.
    const segments = (params[field] ?? '').split('/')
    // A URL would lead elsewhere with one of these.
    if (segments.some((segment) => ['', '.', '..'].includes(segment))) {
      throw new TypeError(`${name}: params.${field} is ${JSON.stringify(params[field])}; it must be a path without empty or dotted parts`)
    }
    return segments.map(encodeURIComponent).join('/')
  })
  const address = new URL(path, origin)
  for (const [field, value] of Object.entries(query)) {
    if (value !== undefined) address.searchParams.set(field, String(value))
  }
  return address.href
}

/** The same for every try, so that a POST that is repeated is the same one. */
function requestInit(name: string, { body, headers, idempotencyKey }: Request, options: ClientOptions): RequestInit {
  const method = name.slice(0, name.indexOf(' '))
  return {
    method,
    headers: {
      ...(options.key === undefined ? {} : { authorization: `Bearer ${options.key}` }),
      ...(method === 'POST' ? { 'idempotency-key': idempotencyKey ?? newKey() } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...options.headers,
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }
}

/** Not randomUUID, which browsers keep from pages that came over plain HTTP. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

async function jsonOf(call: string, response: Response): Promise<unknown> {
  const text = await response.text()
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw new ApiProblem({ call, status: response.status, detail: 'the answer is no JSON', retryable: false })
  }
}

/** @returns undefined where another try is no use */
function waitBefore(error: unknown, retry: number): number | undefined {
  const backOffMs = firstWaitMs * 2 ** retry * (1 + Math.random() / 2)
  if (error instanceof NoAnswer) return backOffMs
  if (!(error instanceof ApiProblem) || !error.retryable) return undefined
  return error.retryAfterSeconds === undefined ? backOffMs : Math.max(error.retryAfterSeconds * 1_000, backOffMs)
}

async function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted()
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal?.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
  })
  signal?.throwIfAborted()
}
