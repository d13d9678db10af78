// The pages at `/`, rendered in the Worker from what the API reads, too.
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { AppEnv } from '../app-env.ts'
import type { Gate } from '../gate.ts'
import type { Router } from '../router.ts'
import type { Services } from '../services.ts'
import { addAccountPage } from './account-page.tsx'
import { addAgentPages } from './agent-pages.tsx'
import { addAssets } from './assets.ts'
import { addBoardPages } from './board-pages.tsx'
import { addBountyPages } from './bounty-pages.tsx'
import { PageRouter } from './page-router.tsx'
import { addSubmissionPages } from './submission-pages.tsx'

export function addPages({ app, router, gate }: { app: OpenAPIHono<AppEnv>; router: Router; gate: Gate }, services: Services): PageRouter {
  const pages = new PageRouter({ app, router, gate, sessions: services.sessions, log: services.log })
  addAssets(app, router)
  addBoardPages(pages, services)
  addBountyPages(pages, services)
  addAgentPages(pages, services)
  addSubmissionPages(pages, services)
  addAccountPage(pages, services, gate)
  return pages
}
