import { z } from 'zod'
import { taggedJson } from '../cached-json.ts'
import { sealed } from '../envelope.ts'
import { etagOf } from '../etag.ts'
import { createMetrics } from '../metrics.ts'
import { Readiness } from '../readiness.ts'
import type { Router } from '../router.ts'
import type { Services } from '../services.ts'

const healthText = '{"status":"ok"}'
const json = { 'content-type': 'application/json' }

const checkSchema = z.object({ ok: z.boolean(), ageMs: z.number(), error: z.string().optional() })
const readySchema = z.object({
  status: z.enum(['ready', 'unavailable']),
  checks: z.object({ database: checkSchema, cache: checkSchema, eventLog: checkSchema, artifacts: checkSchema, sandbox: checkSchema }),
})

export function addStatusRoutes(router: Router, services: Services, openApiText: () => string): void {
  const { gauges, cache, eventLog, artifacts, sandbox, now } = services
  const readiness = new Readiness({
    probes: {
      database: () => gauges.ping(),
      cache: () => cache.ping(),
      eventLog: () => eventLog.ping(),
      artifacts: () => artifacts.ping(),
      sandbox: () => sandbox.ping(),
    },
    now,
  })
  const metrics = createMetrics(services)
  let etag: string | undefined
  const openApiEtag = async () => (etag ??= await etagOf(openApiText()))

  router.add(
    {
      method: 'get',
      path: '/api/health',
      summary: 'Whether the Worker runs; asks nobody',
      access: 'unchecked',
      answers: { 200: { description: 'It does', schema: z.object({ status: z.literal('ok') }) } },
    },
    ({ c }) => {
      c.set('quickAnswer', { body: healthText, headers: json })
      return sealed(c, { body: healthText, headers: json })
    },
  )

  router.add(
    {
      method: 'get',
      path: '/api/ready',
      summary: 'Whether every part that the Worker needs answers; asked at most once a second',
      access: 'unchecked',
      answers: { 200: { description: 'All do', schema: readySchema }, 503: { description: 'Some do not', schema: readySchema } },
    },
    async ({ c }) => {
      const report = await readiness.report()
      return sealed(c, { body: JSON.stringify(report), status: report.status === 'ready' ? 200 : 503, headers: json })
    },
  )

  router.add(
    {
      method: 'get',
      path: '/api/metrics',
      summary: 'Prometheus text: the host, the database, and the isolate that answers',
      access: 'public',
      answers: { 200: { description: 'The metrics', schema: z.string(), contentType: 'text/plain' } },
    },
    async ({ c }) => sealed(c, { body: await metrics(), headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } }),
  )

  router.add(
    {
      method: 'get',
      path: '/api/openapi.json',
      summary: 'This description of the API',
      access: 'public',
      answers: { 200: { description: 'OpenAPI 3.1', schema: z.looseObject({}) }, 304: { description: 'The caller has this text already' } },
    },
    async ({ c, caller }) => taggedJson(c, { text: openApiText(), etag: await openApiEtag(), caller }),
  )
}
