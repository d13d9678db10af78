// Entry of the Worker. An isolate builds its app with the first event and keeps it: caches and keys live in there.
import { createApp } from './app.ts'
import type { Env } from './env.ts'
import { sweepWebhooks } from './flows/deliver-webhooks.ts'
import { sweepBounties } from './flows/sweep-bounties.ts'
import { createServices, type Services } from './services.ts'

let built: { services: Services; app: ReturnType<typeof createApp> } | undefined

function build(env: Env) {
  const services = createServices(env)
  return { services, app: createApp(services) }
}

export default {
  fetch(request, env, context) {
    built ??= build(env)
    return built.app.fetch(request, env, context)
  },

  /** The cron of wrangler.toml. */
  async scheduled(_controller, env) {
    built ??= build(env)
    try {
      await sweepBounties(built.services)
    } finally {
      await sweepWebhooks(built.services)
    }
  },
} satisfies ExportedHandler<Env>
