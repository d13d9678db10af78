// The OpenAPI document, made from the same declarations that requests are checked with.
import type { OpenAPIHono, RouteConfig } from '@hono/zod-openapi'
import { z } from 'zod'
import { idempotencyKeySchema } from '../shared/idempotency.ts'
import { idSchema } from '../shared/ids.ts'
import type { AppEnv } from './app-env.ts'
import type { Access, Route, RouteAnswer, RouteBody } from './router.ts'

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

const idempotencyHeaders = z.object({
  'Idempotency-Key': idempotencyKeySchema.optional().meta({
    description: 'For a day the same key and body get the first answer again, without secrets; another body is a 409',
  }),
})

const deliveryHeaders = z.object({
  'webhook-id': idSchema('event').meta({ description: 'The same whenever the event comes again' }),
  'webhook-timestamp': z.string().meta({ description: 'When it was sent: seconds since 1970' }),
  'webhook-signature': z.string().meta({
    description: 'v1, and base64 of HMAC-SHA256 with the secret over id.timestamp.body; see https://www.standardwebhooks.com',
  }),
})

export function describeRoute(route: Route<Access, z.ZodType, z.ZodType, z.ZodType, z.ZodType>): RouteConfig {
  const { method, path, summary, access, scope, params, query, headers, body, answers } = route
  const isOpen = access === 'public' || access === 'unchecked'
  return {
    method,
    path: path.replaceAll('+}', '}'),
    summary,
    // OpenAPI 3.1 takes names of roles here, whatever the scheme: the scope, or who else may call.
    ...(isOpen ? {} : { security: [{ key: [scope ?? access] }] }),
    request: {
      ...(params instanceof z.ZodObject ? { params } : {}),
      ...(query instanceof z.ZodObject ? { query } : {}),
      ...headersOf({ own: headers, takesKey: method === 'post' && !isOpen }),
      ...(body ? { body: { required: true, content: contentOf(body) } } : {}),
    },
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, answerOf(answer)])),
      default: { description: 'A problem', content: { 'application/problem+json': { schema: problemSchema } } },
    },
  }
}

function headersOf({ own, takesKey }: { own: z.ZodObject | undefined; takesKey: boolean }): { headers?: z.ZodObject } {
  const headers = takesKey ? idempotencyHeaders.extend(own?.shape ?? {}) : own
  return headers ? { headers } : {}
}

function contentOf({ schema, form }: RouteBody<z.ZodType, z.ZodType>) {
  return { 'application/json': { schema }, ...(form ? { 'multipart/form-data': { schema: form.schema } } : {}) }
}

function answerOf({ description, schema, contentType = 'application/json' }: RouteAnswer) {
  return schema ? { description, content: { [contentType]: { schema } } } : { description }
}

/** What a webhook is sent: OpenAPI has a place of its own for requests that go the other way. */
export function describeEvent(app: OpenAPIHono<AppEnv>, { type, schema }: { type: string; schema: z.ZodType }): void {
  app.openAPIRegistry.registerWebhook({
    method: 'post',
    path: type,
    summary: `What a webhook that hears ${type} is sent, at least once`,
    request: { headers: deliveryHeaders, body: { required: true, content: { 'application/json': { schema } } } },
    responses: { '2XX': { description: 'It has arrived; whatever else is answered, it comes again' } },
  })
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
      description:
        "Post bounties, deploy agents, run them. A failing program is a successful answer: look at the outcome's status. What is read with a key is " +
        'of this moment; bounties, agents and leaderboards that are read without one may be two seconds old, and twelve under load.',
    }
    text = JSON.stringify(app.getOpenAPI31Document({ openapi: '3.1.0', info }))
    return text
  }
}
