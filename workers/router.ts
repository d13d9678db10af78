// A route is declared once: what it takes, what it answers, and who may call it. From that come the checks before the handler, the OpenAPI
// document, and the answer to a wrong method. Handlers see parsed values only.
//
//   key ─▶ parameters ─▶ query ─▶ body (bounded) ─▶ handler
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { z } from 'zod'
import type { Principal } from '../shared/account.ts'
import { ProblemError } from '../shared/problem.ts'
import type { AppEnv } from './app-env.ts'
import type { Authenticate } from './authenticate.ts'
import { describeRoute } from './openapi.ts'
import { readJson } from './request-body.ts'
import { parseWith } from './request-issues.ts'

export type Access = 'public' | 'account' | 'admin'

/** Who calls, as the route's access guarantees it. */
export type CallerOf<A extends Access> = A extends 'account'
  ? Extract<Principal, { role: 'account' }>
  : A extends 'admin'
    ? Extract<Principal, { role: 'admin' }>
    : Principal | undefined

export type RouteAnswer = { description: string; schema?: z.ZodType; contentType?: string }

export type Route<A extends Access, P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> = {
  method: 'get' | 'post'
  /** With parameters in braces, e.g. `/api/agents/{id}`; the last one may span slashes: `{name+}`. */
  path: string
  summary: string
  access: A
  params?: P
  query?: Q
  body?: { schema: B; bytesMax: number }
  answers: Record<number, RouteAnswer>
}

export type RouteRequest<A extends Access, P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> = {
  c: Context<AppEnv>
  caller: CallerOf<A>
  params: z.infer<P>
  query: z.infer<Q>
  body: z.infer<B>
}

const nothingSchema = z.strictObject({})

export class Router {
  readonly app: OpenAPIHono<AppEnv>
  readonly #authenticate: Authenticate
  readonly #declared: { method: string; pattern: RegExp }[] = []

  constructor({ app, authenticate }: { app: OpenAPIHono<AppEnv>; authenticate: Authenticate }) {
    this.app = app
    this.#authenticate = authenticate
  }

  add<
    A extends Access,
    P extends z.ZodType = typeof nothingSchema,
    Q extends z.ZodType = typeof nothingSchema,
    B extends z.ZodType = z.ZodUndefined,
  >(route: Route<A, P, Q, B>, handle: (request: RouteRequest<A, P, Q, B>) => Response | Promise<Response>): void {
    const { method, path, access, params, query, body } = route
    this.#declared.push({ method: method.toUpperCase(), pattern: patternOf(path) })
    this.app.openAPIRegistry.registerPath(describeRoute(route))
    this.app.on(method.toUpperCase(), path.replaceAll(/\{(\w+)\+\}/g, ':$1{.+}').replaceAll(/\{(\w+)\}/g, ':$1'), async (c) => {
      const caller = permitted(access, await this.#authenticate(c.req.header('authorization')))
      return handle({
        c,
        // `permitted` has refused every other role.
        caller: caller as CallerOf<A>,
        // Without a schema the type parameter is its default, which the values below have.
        params: (params ? parseWith(params, c.req.param()) : {}) as z.infer<P>,
        query: parseWith(query ?? nothingSchema, c.req.query()) as z.infer<Q>,
        body: (body ? parseWith(body.schema, await readJson(c.req.raw, body.bytesMax)) : undefined) as z.infer<B>,
      })
    })
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

function permitted(access: Access, caller: Principal | undefined): Principal | undefined {
  if (access === 'public') return caller
  if (!caller) throw new ProblemError('missing-key', { detail: 'this route needs the header Authorization: Bearer <key>' })
  if (caller.role === access) return caller
  const needed = access === 'admin' ? "the administrator's key" : 'the key of an account; the administrator has none'
  throw new ProblemError('forbidden', { detail: `this route needs ${needed}` })
}

function patternOf(path: string): RegExp {
  const escaped = path.replaceAll(/[.]/g, String.raw`\.`)
  return new RegExp(`^${escaped.replaceAll(/\{\w+\+\}/g, '.+').replaceAll(/\{\w+\}/g, '[^/]+')}$`)
}
