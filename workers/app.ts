// The edge API: what every request passes through, and the routes. Built from services alone, so that tests build it from fakes.
import { OpenAPIHono } from '@hono/zod-openapi'
import { requestId } from 'hono/request-id'
import { secureHeaders } from 'hono/secure-headers'
import type { AppEnv } from './app-env.ts'
import { createAuthenticate } from './authenticate.ts'
import { problemResponse } from './problem-response.ts'
import { Router } from './router.ts'
import { addAccountRoutes } from './routes/accounts.ts'
import { addAgentRoutes } from './routes/agents.ts'
import { addBountyRoutes } from './routes/bounties.ts'
import { addExecutionRoutes } from './routes/executions.ts'
import { addInternalRoutes } from './routes/internal.ts'
import { addLeaderboardRoutes } from './routes/leaderboard.ts'
import { addLedgerRoutes } from './routes/ledger.ts'
import { addReceiptRoutes } from './routes/receipts.ts'
import { addSettlementRoutes } from './routes/settlements.ts'
import { addStatusRoutes } from './routes/status.ts'
import { addSubmissionRoutes } from './routes/submissions.ts'
import type { Services } from './services.ts'

export function createApp(services: Services): OpenAPIHono<AppEnv> {
  const { accounts, adminKeySha256, counters, log, now } = services
  const app = new OpenAPIHono<AppEnv>()
  const router = new Router({ app, authenticate: createAuthenticate({ accounts, adminKeySha256, now }) })

  app.use(requestId())
  app.use(secureHeaders())
  app.use(async (c, next) => {
    await next()
    counters.add('responses_total', { status: String(c.res.status) })
  })

  addStatusRoutes(router, services)
  addAccountRoutes(router, services)
  addLedgerRoutes(router, services)
  addAgentRoutes(router, services)
  addBountyRoutes(router, services)
  addSettlementRoutes(router, services)
  addSubmissionRoutes(router, services)
  addExecutionRoutes(router, services)
  addReceiptRoutes(router, services)
  addLeaderboardRoutes(router, services)
  addInternalRoutes(app, services)

  app.notFound((c) => problemResponse(c, { error: router.refusal(c.req.method, c.req.path), log }))
  app.onError((error, c) => problemResponse(c, { error, log }))
  return app
}
