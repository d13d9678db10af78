// A route is declared once: what it takes, what it answers, and who may call it. From that come the checks before the handler, the OpenAPI
// document, and the answer to a wrong method. Handlers see parsed values only.
//
//   key, limits, scope (gate.ts) ─▶ parameters ─▶ query ─▶ body (bounded) ─▶ Idempotency-Key of a POST (idempotency.ts) ─▶ handler
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { z } from 'zod'
import type { Principal } from '../shared/account.ts'
import type { Scope } from '../shared/api-key.ts'
import { ProblemError } from '../shared/problem.ts'
import type { AppEnv } from './app-env.ts'
import type { Access, Gate } from './gate.ts'
import { firstAttempt, type Attempt, type Once } from './idempotency.ts'
import { describeRoute } from './openapi.ts'
import { isMultipart, readMultipart } from './multipart.ts'
import { readJson } from './request-body.ts'
import { parseWith } from './request-issues.ts'

export type { Access }

/** Who calls, as the route's access guarantees it. */
export type CallerOf<A extends Access> = A extends 'account'
  ? Extract<Principal, { role: 'account' }>
  : A extends 'admin'
    ? Extract<Principal, { role: 'admin' }>
    : A extends 'keyholder'
      ? Principal
      : A extends 'unchecked'
        ? undefined
        : Principal | undefined

/** A call for which an account's key is needed names the scope that the key must have. */
type ScopeOf<A extends Access> = A extends 'account' | 'keyholder' ? { scope: Scope } : { scope?: undefined }

export type RouteAnswer = { description: string; schema?: z.ZodType; contentType?: string }

/** `form`: the same as multipart/form-data, for calls that take a file. */
export type RouteBody<B extends z.ZodType, F extends z.ZodType> = { schema: B; bytesMax: number; form?: { schema: F; bytesMax: number } }

export type Route<A extends Access, P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, F extends z.ZodType> = {
  method: 'get' | 'post' | 'patch' | 'delete'
  /** With parameters in braces, e.g. `/api/agents/{id}`; the last one may span slashes: `{name+}`. */
  path: string
  summary: string
  access: A
  params?: P
  query?: Q
  /** For the document alone; whoever reads them parses them. */
  headers?: z.ZodObject
  body?: RouteBody<B, F>
  answers: Record<number, RouteAnswer>
  /** For people: left out of the OpenAPI document. */
  isPage?: boolean
  /** Fields of the answer that are shown once; an answer that is replayed under an Idempotency-Key has none of them. */
  secrets?: readonly string[]
} & ScopeOf<A>

export type RouteRequest<A extends Access, P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, F extends z.ZodType> = {
  c: Context<AppEnv>
  caller: CallerOf<A>
  params: z.infer<P>
  query: z.infer<Q>
  body: z.infer<B> | z.infer<F>
  /** Where a POST gets the id of what it makes. */
  attempt: Attempt
}

const nothingSchema = z.strictObject({})

export class Router {
  readonly app: OpenAPIHono<AppEnv>
  readonly #gate: Gate
  readonly #once: Once
  readonly #now: () => number
  readonly #declared: { method: string; pattern: RegExp; isOpen: boolean }[] = []

  constructor({ app, gate, once, now }: { app: OpenAPIHono<AppEnv>; gate: Gate; once: Once; now: () => number }) {
    this.app = app
    this.#gate = gate
    this.#once = once
    this.#now = now
  }

  add<
    A extends Access,
    P extends z.ZodType = typeof nothingSchema,
    Q extends z.ZodType = typeof nothingSchema,
    B extends z.ZodType = z.ZodUndefined,
    F extends z.ZodType = z.ZodNever,
  >(route: Route<A, P, Q, B, F>, handle: (request: RouteRequest<A, P, Q, B, F>) => Response | Promise<Response>): void {
    const { method, path, access, scope, params, query, body, secrets = [] } = route
    this.#declared.push({ method: method.toUpperCase(), pattern: patternOf(path), isOpen: access === 'public' || access === 'unchecked' })
    if (!route.isPage) this.app.openAPIRegistry.registerPath(describeRoute(route))
    this.app.on(method.toUpperCase(), path.replaceAll(/\{(\w+)\+\}/g, ':$1{.+}').replaceAll(/\{(\w+)\}/g, ':$1'), async (c) => {
      const caller = await this.#gate(c, { access, scope })
      const parsed = {
        c,
        // The gate has refused every other role.
        caller: caller as CallerOf<A>,
        // Without a schema the type parameter is its default, which the values below have.
        params: (params ? parseWith(params, c.req.param()) : {}) as z.infer<P>,
        query: parseWith(query ?? nothingSchema, c.req.query()) as z.infer<Q>,
        body: (body ? await readBody(c.req.raw, body) : undefined) as z.infer<B> | z.infer<F>,
      }
      if (method !== 'post' || !caller || c.req.header('idempotency-key') === undefined) {
        return handle({ ...parsed, attempt: firstAttempt(this.#now) })
      }
      return this.#once(c, { caller, body: parsed.body, secrets }, (attempt) => handle({ ...parsed, attempt }))
    })
  }

  /** A route that is no call of the API, such as a page: only its wrong methods are answered here. */
  declare(method: string, path: string): void {
    this.#declared.push({ method: method.toUpperCase(), pattern: patternOf(path), isOpen: false })
  }

  /** Whether any web page may read there, without a key. */
  isPublicRead(method: string, path: string): boolean {
    if (method !== 'GET' && method !== 'HEAD') return false
    return this.#declared.some((route) => route.method === 'GET' && route.isOpen && route.pattern.test(path))
  }

  /** What is said to a request that fits no route: `method-not-allowed` with the methods of that path, or `not-found`. */
  refusal(method: string, path: string): ProblemError {
    const methods = this.#declared.filter(({ pattern }) => pattern.test(path)).map((route) => route.method)
    const allow = [...new Set(methods.flatMap((known) => (known === 'GET' ? ['GET', 'HEAD'] : [known])))].join(', ')
    if (allow === '')
      return new ProblemError('not-found', { detail: `${method} ${path.slice(0, 200)} is no route; /api/openapi.json lists all there are` })
    return new ProblemError('method-not-allowed', { detail: `${path.slice(0, 200)} takes ${allow}, not ${method}`, headers: { allow } })
  }
}

async function readBody(request: Request, { schema, bytesMax, form }: RouteBody<z.ZodType, z.ZodType>): Promise<unknown> {
  if (form && isMultipart(request)) return parseWith(form.schema, await readMultipart(request, form.bytesMax))
  return parseWith(schema, await readJson(request, { bytesMax, orForm: form !== undefined }))
}

function patternOf(path: string): RegExp {
  const escaped = path.replaceAll(/[.]/g, String.raw`\.`)
  return new RegExp(`^${escaped.replaceAll(/\{\w+\+\}/g, '.+').replaceAll(/\{\w+\}/g, '[^/]+')}$`)
}
