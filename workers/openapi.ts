// The OpenAPI document, made from the same declarations that requests are checked with.
import type { OpenAPIHono, RouteConfig } from '@hono/zod-openapi'
import { z } from 'zod'
import type { AppEnv } from './app-env.ts'
import type { Access, Route, RouteAnswer } from './router.ts'

const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    code: z.string().meta({ description: 'Stable; branch on this' }),
    detail: z.string(),
    retryable: z.boolean(),
    issues: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
    requestId: z.string().optional(),
  })
  .meta({ description: 'RFC 9457 problem' })

export function describeRoute(route: Route<Access, z.ZodType, z.ZodType, z.ZodType>): RouteConfig {
  const { method, path, summary, access, params, query, body, answers } = route
  return {
    method,
    path: path.replaceAll('+}', '}'),
    summary,
    ...(access === 'public' ? {} : { security: [{ key: [] }] }),
    request: {
      ...(params instanceof z.ZodObject ? { params } : {}),
      ...(query instanceof z.ZodObject ? { query } : {}),
      ...(body ? { body: { required: true, content: { 'application/json': { schema: body.schema } } } } : {}),
    },
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, answerOf(answer)])),
      default: { description: 'A problem', content: { 'application/problem+json': { schema: problemSchema } } },
    },
  }
}

function answerOf({ description, schema, contentType = 'application/json' }: RouteAnswer) {
  return schema ? { description, content: { [contentType]: { schema } } } : { description }
}

/** Made once an isolate, when somebody asks. */
export function createOpenApiText(app: OpenAPIHono<AppEnv>): () => string {
  let text: string | undefined
  return () => {
    if (text !== undefined) return text
    app.openAPIRegistry.registerComponent('securitySchemes', 'key', { type: 'http', scheme: 'bearer' })
    const info = {
      title: 'Agent Bounty',
      version: '0.1.0',
      description: "Post bounties, deploy agents, run them. A failing program is a successful answer: look at the outcome's status.",
    }
    text = JSON.stringify(app.getOpenAPI31Document({ openapi: '3.1.0', info }))
    return text
  }
}
