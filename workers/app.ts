// The edge API: what every request passes through, and the routes. Built from services alone, so that tests build it from fakes.
import { OpenAPIHono } from '@hono/zod-openapi'
import type { HonoRequest } from 'hono'
import type { AppEnv } from './app-env.ts'
import { createCors } from './cors.ts'
import { createEnvelope } from './envelope.ts'
import { createGate } from './gate.ts'
import { createOnce } from './idempotency.ts'
import { createOpenApiText } from './openapi.ts'
import { addPages } from './pages/add-pages.tsx'
import { problemResponse } from './problem-response.ts'
import { QuickAnswers } from './quick-answers.ts'
import { requestLog } from './request-log.ts'
import { keepRequestScope } from './request-scope.ts'
import { Router } from './router.ts'
import { addAccountRoutes } from './routes/accounts.ts'
import { addAgentRoutes } from './routes/agents.ts'
import { addBountyRoutes } from './routes/bounties.ts'
import { addCaseRoutes } from './routes/cases.ts'
import { addDeadLetterRoutes } from './routes/dead-letters.ts'
import { addDocsRoutes } from './routes/docs.tsx'
import { addExecutionRoutes } from './routes/executions.ts'
import { addInternalRoutes } from './routes/internal.ts'
import { addKeyRoutes } from './routes/keys.ts'
import { addLeaderboardRoutes } from './routes/leaderboard.ts'
import { addLedgerRoutes } from './routes/ledger.ts'
import { addReceiptRoutes } from './routes/receipts.ts'
import { addSettlementRoutes } from './routes/settlements.ts'
import { addStatusRoutes } from './routes/status.ts'
import { addSweepRoutes } from './routes/sweeps.ts'
import { addSubmissionRoutes } from './routes/submissions.ts'
import { addWebhookRoutes } from './routes/webhooks.ts'
import type { Services } from './services.ts'

export function createApp(given: Services): OpenAPIHono<AppEnv> {
  const services = { ...given, log: requestLog(given.log) }
  const { corsOrigins, counters, limiter, log, now, rateLimits, reads } = services
  const app = new OpenAPIHono<AppEnv>()
  const gate = createGate(services)
  const router = new Router({ app, gate, once: createOnce(services), now })
  const openApiText = createOpenApiText(app)
  const quick = new QuickAnswers({ reads, limiter, limit: rateLimits.address, counters, now })

  app.use(createEnvelope(counters, quick))
  app.use(keepRequestScope())
  app.use(createCors({ origins: corsOrigins, isPublicRead: (method, path) => router.isPublicRead(method, path) }))

  addStatusRoutes(router, services, openApiText)
  addDocsRoutes(router, openApiText)
  addAccountRoutes(router, services)
  addKeyRoutes(router, services)
  addLedgerRoutes(router, services)
  addAgentRoutes(router, services)
  addBountyRoutes(router, services)
  addCaseRoutes(router, services)
  addSettlementRoutes(router, services)
  addSubmissionRoutes(router, services)
  addExecutionRoutes(router, services)
  addReceiptRoutes(router, services)
  addLeaderboardRoutes(router, services)
  addWebhookRoutes(router, services)
  addDeadLetterRoutes(router, services)
  addSweepRoutes(router, services)
  addInternalRoutes(app, services)

  const pages = addPages({ app, router, gate }, services)

  app.notFound((c) => {
    const error = router.refusal(c.req.method, c.req.path)
    return wantsPage(c.req) ? pages.errorPage(c, error) : problemResponse(c, { error, log })
  })
  app.onError((error, c) => problemResponse(c, { error, log }))
  const answer = app.fetch
  app.fetch = (request, env, context) => quick.answer(request, context) ?? answer(request, env, context)
  return app
}

/** A browser that follows a link; whoever calls the API gets a problem, wherever the call goes. */
function wantsPage(request: HonoRequest): boolean {
  return !/^\/(api|internal)(\/|$)/.test(request.path) && (request.header('accept') ?? '').includes('text/html')
}
