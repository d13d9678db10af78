// Gives again, in front of everything else, what this isolate answered a moment ago to a caller without a key: routing, middleware and
// validation cost such a read more than all else together. What is kept is the question in the read cache's words, never its text: the read
// cache alone says what is fresh. Whatever is unusual about a request goes the whole way, and so does one beyond its limit.
//
//   GET, no key, no cookie, no origin, no tag ─▶ asked here before? ─▶ fresh in memory? ─▶ within the address's limit? ─▶ answer
import { keepAlive } from './background.ts'
import type { Counters } from './counters.ts'
import { defaultHeaders, requestIdOf } from './envelope.ts'
import { networkOf, rateLimitHeaders } from './gate.ts'
import { MemoryCache } from './memory-cache.ts'
import type { RateLimiter } from './rate-limiter.ts'
import type { RateLimit } from '../shared/rate-limit.ts'
import type { CachedRead, ReadCache } from './read-cache.ts'
import type { RequestScope } from './request-scope.ts'

/** `read`: of the read cache. `body`: the same for ever, and not counted against anybody. `headers`: those of the answer alone. */
export type QuickAnswer = { read: CachedRead } | { body: string; headers: Record<string, string> }

/** Hosts and orders of parameters make more addresses than there are answers. */
const answersMax = 1_000
const urlCharsMax = 300
/** An answer that comes out of memory is fresh for two seconds. */
const lifetimeMs = 60_000
/** With any of these the answer may be another one, or needs more headers. */
const unusual = ['authorization', 'cookie', 'origin', 'if-none-match']

export type QuickAnswersOptions = {
  reads: Pick<ReadCache, 'peek'>
  limiter: RateLimiter
  limit: RateLimit
  counters: Counters
  now: () => number
}

export class QuickAnswers {
  readonly #options: QuickAnswersOptions
  readonly #answers: MemoryCache<QuickAnswer>

  constructor(options: QuickAnswersOptions) {
    this.#options = options
    this.#answers = new MemoryCache({ entriesMax: answersMax, lifetimeMs, now: options.now })
  }

  /** @param request was answered with 200 and that body */
  keep(request: Request, answer: QuickAnswer): void {
    if (request.method === 'GET' && request.url.length <= urlCharsMax) this.#answers.set(request.url, answer)
  }

  /** @returns undefined where the request has to go the whole way */
  answer(request: Request, execution: RequestScope['execution']): Response | undefined {
    if (request.method !== 'GET') return undefined
    const known = this.#answers.get(request.url)
    if (!known) return undefined
    const asked = request.headers
    if (unusual.some((name) => asked.has(name))) return undefined
    if ('body' in known) return this.#respond(asked, { text: known.body, headers: known.headers })
    const found = this.#options.reads.peek(known.read)
    if (!found) return undefined
    const limits = this.#count(asked.get('cf-connecting-ip'), execution)
    if (!limits) return undefined
    this.#options.counters.add('cache_reads_total', { level: 'memory' })
    const headers = { ...limits, etag: found.etag, 'cache-control': 'public, no-cache', 'content-type': 'application/json' }
    return this.#respond(asked, { text: found.text, headers })
  }

  #respond(asked: Headers, { text, headers }: { text: string; headers: Record<string, string> }): Response {
    this.#options.counters.add('responses_total', { status: '200' })
    const requestId = requestIdOf(asked.get('x-request-id') ?? undefined)
    return new Response(text, { headers: { ...defaultHeaders, 'x-request-id': requestId, ...headers } })
  }

  /** @returns undefined when it is beyond the limit: then the whole way says so */
  #count(address: string | null, execution: RequestScope['execution']): Record<string, string> | undefined {
    if (address === null) return {}
    const { limiter, limit, now } = this.#options
    const take = limiter.take(networkOf(address), limit)
    if (take.report) keepAlive(execution, take.report())
    return take.isAllowed ? rateLimitHeaders(limit, { ...take, now: now() }) : undefined
  }
}
